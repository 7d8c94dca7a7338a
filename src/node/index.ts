export { type FileStorageOptions, fileStorage } from './file-storage.ts'
export { type FolderOptions, folder } from './folder.ts'

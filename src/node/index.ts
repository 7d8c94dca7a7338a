export { type FileStorageOptions, fileStorage } from './file-storage.ts'
export { type FileSystem, type FolderEntry, nodeFileSystem, type OpenFile } from './file-system.ts'
export { type FolderOptions, folder } from './folder.ts'

export type { Chunker, SyncChunker } from './chunker.ts'

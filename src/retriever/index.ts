export type {
  ChunkStore,
  Explanation,
  PassageTransform,
  Reranker,
  RerankOptions,
  Retrieval,
  RetrieveOptions,
  Retriever,
  StageReport,
  StoredChunk,
} from './retriever.ts'

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
export {
  type AiSdkTool,
  type RetrievalTool,
  type ToolParameters,
  type ToolResult,
  type ToToolOptions,
  toTool,
} from './to-tool.ts'

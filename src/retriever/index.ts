export {
  type ContextSections,
  type ContextualLexicalRetrieverOptions,
  contextualLexicalRetriever,
} from './contextual-lexical-retriever.ts'
export { type DenseRetrieverOptions, denseRetriever } from './dense-retriever.ts'
export type { FusionMethod } from './fusion.ts'
export { type HybridRetrieverOptions, type HybridWeights, hybridRetriever } from './hybrid-retriever.ts'
export { type LexicalOverlapRerankerOptions, lexicalOverlapReranker } from './lexical-overlap-reranker.ts'
export { type LexicalRetrieverOptions, lexicalRetriever } from './lexical-retriever.ts'
export { type MemoryChunkStore, memoryChunkStore } from './memory-chunk-store.ts'
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
  type ToolArguments,
  type ToolJsonSchema,
  type ToolParameters,
  type ToolResult,
  type ToolSchema,
  type ToToolOptions,
  toTool,
} from './to-tool.ts'

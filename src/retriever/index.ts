export {
  type LimitPerSourceOptions,
  limitPerSource,
  type SourceAuthorityOptions,
  sourceAuthority,
  type TimeDecayOptions,
  timeDecay,
} from './adjusting-transforms.ts'
export {
  type CalibratedTieredOptions,
  type CalibratedTieredRetriever,
  calibratedTieredRetriever,
} from './calibrated-tiers.ts'
export {
  type ContextSections,
  type ContextualLexicalRetrieverOptions,
  contextualLexicalRetriever,
} from './contextual-lexical-retriever.ts'

export { type DenseRetrieverOptions, denseRetriever } from './dense-retriever.ts'
export type { FusionMethod } from './fusion.ts'
export { type HybridRetrieverOptions, type HybridWeights, hybridRetriever } from './hybrid-retriever.ts'
export {
  type LabelledQuery,
  type LearnedWeights,
  type LearnWeightsOptions,
  learnHybridWeights,
} from './learn-weights.ts'
export { type LexicalOverlapRerankerOptions, lexicalOverlapReranker } from './lexical-overlap-reranker.ts'
export { type LexicalRetrieverOptions, lexicalRetriever } from './lexical-retriever.ts'
export { type ListwiseRerankerOptions, listwiseReranker } from './listwise-reranker.ts'
export { type MaximalMarginalRelevanceOptions, maximalMarginalRelevance } from './maximal-marginal-relevance.ts'
export { type MemoryChunkStore, memoryChunkStore } from './memory-chunk-store.ts'
export { type MultiQueryRetrieverOptions, multiQueryRetriever, type QueryGenerator } from './multi-query-retriever.ts'
export {
  type ParentRetrieverOptions,
  parentRetriever,
  type WindowRetrieverOptions,
  windowRetriever,
} from './parent-retriever.ts'
export { type ProfileRetrieverOptions, profileRetriever, type RetrievalProfile } from './profile-retriever.ts'
export {
  type FeedbackRecord,
  type RememberedRetriever,
  type RetrievalFeedback,
  type RetrievalFeedbackOptions,
  retrievalFeedback,
  type Verdict,
} from './retrieval-feedback.ts'
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
export { type StoredFeedback, type StoredFeedbackOptions, storedFeedback } from './stored-feedback.ts'
export { type TieredRetrieverOptions, tieredRetriever } from './tiered-retriever.ts'
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
export {
  type RetrievalStep,
  type TransformedRetrieverOptions,
  transformedRetriever,
} from './transformed-retriever.ts'

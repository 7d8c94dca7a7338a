export { type ExactIndex, type ExactIndexOptions, exactIndex } from './exact-index.ts'
export type {
  FillOptions,
  SavedServing,
  Serving,
  VectorBlock,
  VectorEntry,
  VectorIndex,
  VectorMatch,
  VectorMetric,
  VectorSearchOptions,
} from './vector-index.ts'

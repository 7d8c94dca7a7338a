export type { VectorEntry, VectorIndex, VectorMatch, VectorMetric, VectorSearchOptions } from './vector-index.ts'

export type { GraphQuantization } from './native-graph.ts'
export { type UsearchIndex, type UsearchIndexOptions, type UsearchIndexStats, usearchIndex } from './usearch-index.ts'

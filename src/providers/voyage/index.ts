export { type VoyageEmbedderOptions, voyageEmbedder } from './voyage-embedder.ts'
export { type VoyageRerankerOptions, voyageReranker } from './voyage-reranker.ts'

export { type CohereEmbedderOptions, cohereEmbedder } from './cohere-embedder.ts'
export { type CohereRerankerOptions, cohereReranker } from './cohere-reranker.ts'

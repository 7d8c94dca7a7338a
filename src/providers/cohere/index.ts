export { type CohereEmbedderOptions, cohereEmbedder } from './cohere-embedder.ts'

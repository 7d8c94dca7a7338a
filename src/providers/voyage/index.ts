export { type VoyageEmbedderOptions, voyageEmbedder } from './voyage-embedder.ts'

export { type MistralEmbedderOptions, mistralEmbedder } from './mistral-embedder.ts'

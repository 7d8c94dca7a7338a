export { type MistralEmbedderOptions, mistralEmbedder } from './mistral-embedder.ts'
export { type MistralModelOptions, mistralModel } from './mistral-model.ts'

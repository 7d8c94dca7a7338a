export type { OpenAIConnection } from './openai-client.ts'
export { type OpenAIEmbedderOptions, openaiEmbedder } from './openai-embedder.ts'
export { type OpenAIModelOptions, openaiModel } from './openai-model.ts'
export { type OpenAITokenCounterOptions, openaiTokenCounter } from './openai-token-counter.ts'

export { type GeminiEmbedderOptions, geminiEmbedder } from './gemini-embedder.ts'
export { type GeminiModelOptions, geminiModel } from './gemini-model.ts'
export { type GeminiTokenCounterOptions, geminiTokenCounter } from './gemini-token-counter.ts'

export { type GeminiEmbedderOptions, geminiEmbedder } from './gemini-embedder.ts'

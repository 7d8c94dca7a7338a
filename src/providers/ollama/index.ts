export { type OllamaEmbedderOptions, ollamaEmbedder, probeOllamaEmbedder } from './ollama-embedder.ts'

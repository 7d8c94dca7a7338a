export type { Embedder, Embedding, EmbeddingSpace, EmbedLimits, EmbedOptions, EmbedUsage } from './embedder.ts'

export {
  type EmbedAllOptions,
  type EmbedAllResult,
  type EmbedAllUsage,
  type EmbedFailure,
  embedAll,
  everyVector,
} from './embed-all.ts'
export type { Embedder, Embedding, EmbeddingSpace, EmbedLimits, EmbedOptions, EmbedUsage } from './embedder.ts'
export { type LexicalHashEmbedderOptions, lexicalHashEmbedder } from './lexical-hash-embedder.ts'

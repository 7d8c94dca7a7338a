import { embedAll, everyVector } from './embed-all.ts'
import type { Embedder } from './embedder.ts'
import type { EmbeddingCache } from './embedding-cache.ts'

/**
 * Looks texts up before they are embedded, for single queries and batches of one call. For many inputs pass the cache to
 * `embedAll` instead: it fills batches with what is missing and keeps what succeeded beside what failed. Usage counts
 * what was not in the cache. Empty texts throw `INVALID_ARGUMENT`.
 *
 * @example
 * const embedder = withCache(openaiEmbedder({ apiKey, model }), embeddingCache(memoryVectorStore()))
 */
export function withCache(embedder: Embedder, cache: EmbeddingCache): Embedder {
  return {
    ...embedder,
    async embed(inputs, options = {}) {
      const result = await embedAll(embedder, inputs, { ...options, cache, retry: { attempts: 1 } })
      const vectors = everyVector(result)
      const { tokens } = result.usage
      return { vectors, usage: tokens === undefined ? {} : { tokens } }
    },
  }
}

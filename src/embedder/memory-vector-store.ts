import { requireInteger } from '../internal/argument.ts'
import { type Clock, systemClock } from '../internal/clock.ts'
import type { VectorStore } from './embedding-cache.ts'

/** Options of {@link memoryVectorStore}. */
export interface MemoryVectorStoreOptions {
  /** The most bytes of vectors held. Default 64 MiB. */
  readonly maxBytes?: number
  /** The most vectors held. Default no limit but `maxBytes`. */
  readonly maxEntries?: number
  /** How long a vector is held after it was made, in milliseconds. Default forever. */
  readonly maxAgeMs?: number
  /** Where time comes from. Default the platform's. */
  readonly clock?: Clock
}

/** Bytes an entry takes beside its vector: key, map entry, object. */
const OVERHEAD = 160

/**
 * Keeps vectors in memory and lets go of those used longest ago. O(1) a vector.
 *
 * @example
 * const cache = embeddingCache(memoryVectorStore({ maxAgeMs: 3_600_000 }))
 */
export function memoryVectorStore(options: MemoryVectorStoreOptions = {}): VectorStore {
  const { maxBytes = 64 * 2 ** 20, maxEntries = Number.MAX_SAFE_INTEGER } = options
  const { maxAgeMs = Number.POSITIVE_INFINITY, clock = systemClock } = options
  requireInteger('maxBytes', maxBytes, 1)
  requireInteger('maxEntries', maxEntries, 1)
  // A Map keeps the order of insertion; what is used is inserted again.
  const held = new Map<string, { readonly vector: Float32Array; readonly made: number }>()
  let bytes = 0
  let evicted = 0
  let expired = 0

  const drop = (key: string): boolean => {
    const entry = held.get(key)
    if (!entry) return false
    bytes -= entry.vector.byteLength + OVERHEAD
    return held.delete(key)
  }
  return {
    async get(keys) {
      const now = clock.now()
      return keys.map((key) => {
        const entry = held.get(key)
        if (!entry) return undefined
        if (now - entry.made > maxAgeMs) {
          drop(key)
          expired++
          return undefined
        }
        held.delete(key)
        held.set(key, entry)
        return entry.vector
      })
    },
    async set(entries) {
      for (const [key, vector] of entries) {
        drop(key)
        held.set(key, { vector: vector.slice(), made: clock.now() })
        bytes += vector.byteLength + OVERHEAD
      }
      for (const key of held.keys()) {
        if (bytes <= maxBytes && held.size <= maxEntries) break
        drop(key)
        evicted++
      }
    },
    async remove(keys) {
      for (const key of keys) drop(key)
    },
    async clear() {
      held.clear()
      bytes = 0
    },
    stats: () => ({ entries: held.size, bytes, evicted, expired, corrupt: 0 }),
  }
}

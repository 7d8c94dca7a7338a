import { spaceFingerprint } from '../internal/embedding-space.ts'
import { contentHash } from '../internal/hash.ts'
import { untilAborted } from '../internal/until-aborted.ts'
import type { EmbeddingSpace } from './embedder.ts'

/** Where an {@link EmbeddingCache} keeps its vectors. */
export interface VectorStore {
  /** One entry a key, in order; undefined where there is none. */
  get(keys: readonly string[]): Promise<readonly (Float32Array | undefined)[]>
  /** Keeps vectors; when it returns, they are as safe as the store makes them. */
  set(entries: readonly (readonly [key: string, vector: Float32Array])[]): Promise<void>
  /** Forgets keys; unknown ones are ignored. */
  remove(keys: readonly string[]): Promise<void>
  /** Forgets everything. */
  clear(): Promise<void>
  /** What it holds and what it let go. */
  stats(): VectorStoreStats
}

/** What a {@link VectorStore} holds and what it let go. */
export interface VectorStoreStats {
  /** Vectors held. */
  readonly entries: number
  /** Bytes held. */
  readonly bytes: number
  /** Vectors let go because of a size limit. */
  readonly evicted: number
  /** Vectors let go because of their age. */
  readonly expired: number
  /** Files or records that did not verify, and count as absent. */
  readonly corrupt: number
}

/** What an {@link EmbeddingCache} saved. */
export interface EmbeddingCacheStats extends VectorStoreStats {
  /** Vectors found. */
  readonly hits: number
  /** Vectors that had to be made. */
  readonly misses: number
  /** Vectors that another call was already making. */
  readonly joined: number
}

/** Takes finished vectors, by their position among the keys. */
export type KeepVectors = (
  finished: readonly { readonly index: number; readonly vector: Float32Array }[],
) => Promise<void>

/** Vectors that were paid for once. */
export interface EmbeddingCache {
  /**
   * The vector of each key: found, or made by `make`, which gets the positions of missing keys. A key that another
   * call is making is waited for; if that call fails, this one makes it. Undefined where `make` kept none.
   */
  resolve(
    keys: readonly string[],
    make: (missing: readonly number[], keep: KeepVectors) => Promise<void>,
    signal?: AbortSignal,
  ): Promise<readonly (Float32Array | undefined)[]>
  /** Forgets vectors by the keys that {@link embeddingKey} gives. */
  remove(keys: readonly string[]): Promise<void>
  /** Forgets everything. */
  clear(): Promise<void>
  /** What it holds and what it saved. */
  stats(): EmbeddingCacheStats
}

/** The cache's name for the vector of a text: from the space, the role and the text's hash. 32 hexadecimal digits. */
export function embeddingKey(space: EmbeddingSpace, role: 'query' | 'document', text: string): string {
  return contentHash(spaceFingerprint(space), role, text)
}

/**
 * A cache over any store of vectors, with one flight for each key, however many calls ask for it at once.
 *
 * @example
 * const cache = embeddingCache(memoryVectorStore({ maxBytes: 64 * 2 ** 20 }))
 */
export function embeddingCache(store: VectorStore): EmbeddingCache {
  /** Keys being made, each with a promise that settles when they are, with undefined when that failed. */
  const flights = new Map<string, Flight>()
  let hits = 0
  let misses = 0
  let joined = 0

  return {
    remove: (keys) => store.remove(keys),
    clear: () => store.clear(),
    stats: () => ({ ...store.stats(), hits, misses, joined }),
    async resolve(keys, make, signal) {
      const vectors = new Array<Float32Array | undefined>(keys.length)
      let open = [...keys.keys()]
      while (open.length > 0) {
        signal?.throwIfAborted()
        // Claimed before the store is asked, so that no other call can make the same key in between.
        const mine: number[] = []
        const theirs: { readonly index: number; readonly flight: Flight }[] = []
        for (const index of open) {
          const key = keys[index] as string
          const flight = flights.get(key)
          if (flight) theirs.push({ index, flight })
          else {
            flights.set(key, newFlight())
            mine.push(index)
          }
        }
        const settle = (index: number, vector: Float32Array | undefined) => {
          const key = keys[index] as string
          flights.get(key)?.land(vector)
          flights.delete(key)
          if (vector) vectors[index] = vector.slice()
        }
        const left = new Set(mine)
        try {
          const found = await store.get(mine.map((index) => keys[index] as string))
          for (const [position, vector] of found.entries()) {
            const index = mine[position] as number
            if (!vector) continue
            hits++
            left.delete(index)
            settle(index, vector)
          }
          misses += left.size
          const keep: KeepVectors = async (finished) => {
            await store.set(finished.map(({ index, vector }) => [keys[index] as string, vector] as const))
            for (const { index, vector } of finished) {
              left.delete(index)
              settle(index, vector)
            }
          }
          if (left.size > 0) await make([...left], keep)
        } finally {
          for (const index of left) settle(index, undefined)
        }
        open = []
        for (const { index, flight } of theirs) {
          const vector = await untilAborted(flight.landed, signal)
          if (vector) {
            joined++
            vectors[index] = vector.slice()
          } else open.push(index)
        }
      }
      return vectors
    },
  }
}

interface Flight {
  readonly landed: Promise<Float32Array | undefined>
  readonly land: (vector: Float32Array | undefined) => void
}

function newFlight(): Flight {
  let land: Flight['land'] = () => {}
  const landed = new Promise<Float32Array | undefined>((resolve) => {
    land = resolve
  })
  return { landed, land }
}

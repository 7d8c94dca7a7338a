import type { Metadata } from '../document.ts'
import type { ChunkStore, StoredChunk } from './retriever.ts'

/** A {@link ChunkStore} that can be written. */
export interface MemoryChunkStore<M extends Metadata = Metadata> extends ChunkStore<M> {
  /** How many chunks it holds. */
  readonly size: number
  /** Adds chunks or replaces those with the same id. The chunks are kept as given and must not change afterwards. */
  put(chunks: Iterable<StoredChunk<M>>): void
  /** Removes chunks; unknown ids are ignored. */
  delete(ids: Iterable<string>): void
}

/**
 * Keeps chunks in memory: the store of a pipeline without a corpus.
 *
 * @example
 * const store = memoryChunkStore()
 * store.put(chunker.chunk({ id: 'a', text: 'Some text.' }))
 */
// @__NO_SIDE_EFFECTS__
export function memoryChunkStore<M extends Metadata = Metadata>(): MemoryChunkStore<M> {
  const chunks = new Map<string, StoredChunk<M>>()
  return {
    get size() {
      return chunks.size
    },
    put(added) {
      for (const chunk of added) chunks.set(chunk.id, chunk)
    },
    delete(ids) {
      for (const id of ids) chunks.delete(id)
    },
    async get(ids, { signal } = {}) {
      signal?.throwIfAborted()
      return ids.map((id) => chunks.get(id))
    },
  }
}

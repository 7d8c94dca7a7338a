import type { Metadata } from '../document.ts'
import type { EmbeddingSpace } from '../embedder/embedder.ts'
import { GroundlineError } from '../errors.ts'
import { parseFilter } from '../filter.ts'
import { requireObject } from '../internal/argument.ts'
import { requireSearchOptions, requireVectorSpace } from '../internal/vector-arguments.ts'
import { VectorTable } from '../internal/vector-table.ts'
import type { VectorIndex, VectorMetric } from './vector-index.ts'

/** Options of {@link exactIndex}. */
export interface ExactIndexOptions {
  /** Length of every vector: an integer from 1 to 65,536. */
  readonly dimensions: number
  /** How vectors are compared. Default `cosine`. */
  readonly metric?: VectorMetric
  /** The space all its vectors come from; its `dimensions` must be those of the index. */
  readonly space?: EmbeddingSpace
}

/** What {@link exactIndex} makes: a vector index with every optional member that means something to it. */
export type ExactIndex<M extends Metadata = Metadata> = VectorIndex<M> &
  Required<Pick<VectorIndex<M>, 'updateMetadata' | 'fill' | 'close'>>

/**
 * Compares a query with every allowed vector: always right, in memory, on every runtime. For collections up to some
 * ten thousand vectors, and as the oracle of approximate indexes. A search is O(allowed × dimensions): about 0.3 ms for
 * 1,000 vectors of 384 dimensions; a filter's allowed set is known from metadata columns before any vector is read.
 *
 * @example
 * const index = exactIndex({ dimensions: 2 })
 * await index.upsert([{ id: 'a', vector: Float32Array.of(1, 0) }])
 * const [match] = await index.search(Float32Array.of(1, 1), { topK: 1 })
 */
// @__NO_SIDE_EFFECTS__
export function exactIndex<M extends Metadata = Metadata>(options: ExactIndexOptions): ExactIndex<M> {
  requireObject('options', options, 'an object with dimensions')
  const { dimensions, metric = 'cosine', space } = options
  requireVectorSpace(dimensions, metric, space)
  let table: VectorTable<M> | undefined = new VectorTable<M>(dimensions, metric)
  const open = () => {
    if (table === undefined) throw new GroundlineError('CLOSED', 'the index was closed; make a new one')
    return table
  }
  return {
    dimensions,
    metric,
    ...(space === undefined ? {} : { space }),
    upsert: async (entries, abort) => open().upsert(entries, abort),
    fill: async (blocks, abort) => open().fill(blocks, abort),
    remove: async (ids, abort) => open().remove(ids, abort),
    updateMetadata: async (entries, abort) => open().updateMetadata(entries, abort),
    async search(vector, options) {
      const current = open()
      requireSearchOptions(options)
      const { topK, filter, signal, explain } = options
      signal?.throwIfAborted()
      const query = current.prepare(vector)
      const allowed = current.entries.allowed(filter === undefined ? undefined : parseFilter(filter))
      explain?.(`exact scan of ${allowed.count} of ${current.entries.size} entries`)
      return current.matches(current.scan(query, topK, allowed))
    },
    async count({ filter, signal } = {}) {
      const current = open()
      signal?.throwIfAborted()
      return filter === undefined ? current.entries.size : current.entries.allowed(parseFilter(filter)).count
    },
    async close() {
      table = undefined
    },
  }
}

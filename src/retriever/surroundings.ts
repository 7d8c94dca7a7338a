import type { AbortOptions, Metadata } from '../document.ts'
import type { LexicalMixture } from '../lexical-index/lexical-index.ts'
import type { ChunkStore, StoredChunk } from './retriever.ts'

/** Where a chunk stands among others. */
export interface Places {
  /** The chunk before it in its document. */
  readonly previousId?: string
  /** The chunk after it. */
  readonly nextId?: string
  /** The larger chunks around it, the largest first. */
  readonly ancestorIds: readonly string[]
}

/** What `hierarchicalChunker` noted of a chunk's surroundings. */
export function placesOf(chunk: StoredChunk): Places {
  const notes = Object.hasOwn(chunk.metadata, 'chunk') ? chunk.metadata.chunk : undefined
  if (typeof notes !== 'object' || notes === null || Array.isArray(notes)) return { ancestorIds: [] }
  const { previousId, nextId, parentId, ancestorIds } = notes as Metadata
  const ids = Array.isArray(ancestorIds) ? ancestorIds : [parentId]
  return {
    ...(typeof previousId === 'string' ? { previousId } : {}),
    ...(typeof nextId === 'string' ? { nextId } : {}),
    ancestorIds: ids.filter((id) => typeof id === 'string'),
  }
}

/** The chunks of the ids and those next to them. */
export async function withNeighbours<M extends Metadata>(
  store: ChunkStore<M>,
  ids: readonly string[],
  options: AbortOptions,
): Promise<Map<string, StoredChunk<M>>> {
  const chunks = new Map<string, StoredChunk<M>>()
  await fetchInto(chunks, store, ids, options)
  const beside = [...chunks.values()].flatMap((chunk) => {
    const { previousId, nextId } = placesOf(chunk)
    return [previousId, nextId].filter((id) => id !== undefined)
  })
  await fetchInto(chunks, store, beside, options)
  return chunks
}

/** Neighbours that would count less than this are left out. */
const LEAST_WEIGHT = 0.05
/** So many chunks on either side at the most, however short they are. */
const MOST_STEPS = 6

/** What {@link mixturesAround} needs to know. */
export interface MixtureOptions<M extends Metadata> extends AbortOptions {
  /** The distance at which a neighbour counts `1 / e`, in UTF-16 units from middle to middle; 0 for none. */
  readonly reach: number
  /** Which chunks may lend their words. */
  readonly passes: (chunk: StoredChunk<M>) => boolean
}

/**
 * For each chunk a text made of it and what stands around it, in which a neighbour counts `exp(-distance / reach)`:
 * the density of words around a place, not their number in a window with edges. Neighbours are fetched a step on either
 * side of every chunk a round, six rounds at the most.
 */
export async function mixturesAround<M extends Metadata>(
  store: ChunkStore<M>,
  centres: readonly StoredChunk<M>[],
  { reach, passes, signal }: MixtureOptions<M>,
): Promise<readonly LexicalMixture[]> {
  const mixtures = centres.map(({ id }) => ({ ids: [id], weights: [1] }))
  if (reach === 0) return mixtures
  const chunks = new Map(centres.map((chunk) => [chunk.id, chunk]))
  let walks = centres.flatMap((centre, at) => {
    const { previousId, nextId } = placesOf(centre)
    const { ids, weights } = mixtures[at]!
    return [
      { centre, direction: 'previousId' as const, id: previousId, ids, weights },
      { centre, direction: 'nextId' as const, id: nextId, ids, weights },
    ].filter(({ id }) => id !== undefined)
  })
  for (let step = 0; step < MOST_STEPS && walks.length > 0; step++) {
    await fetchInto(
      chunks,
      store,
      walks.map(({ id }) => id!),
      { signal },
    )
    walks = walks.filter((walk) => {
      const { centre, direction, ids, weights } = walk
      const beside = chunks.get(walk.id!)
      if (beside === undefined || beside.documentId !== centre.documentId) return false
      const weight = Math.exp(-Math.abs(beside.start + beside.end - centre.start - centre.end) / 2 / reach)
      if (weight < LEAST_WEIGHT) return false
      if (passes(beside)) {
        ids.push(beside.id)
        weights.push(weight)
      }
      walk.id = placesOf(beside)[direction]
      return walk.id !== undefined
    })
  }
  return mixtures
}

async function fetchInto<M extends Metadata>(
  chunks: Map<string, StoredChunk<M>>,
  store: ChunkStore<M>,
  ids: readonly string[],
  options: AbortOptions,
): Promise<void> {
  const wanted = [...new Set(ids)].filter((id) => !chunks.has(id))
  if (wanted.length === 0) return
  options.signal?.throwIfAborted()
  for (const chunk of await store.get(wanted, options)) if (chunk !== undefined) chunks.set(chunk.id, chunk)
}

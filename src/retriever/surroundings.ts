import type { AbortOptions, Metadata } from '../document.ts'
import type { LexicalMixture } from '../lexical-index/lexical-index.ts'
import type { ChunkStore, StoredChunk } from './retriever.ts'

/** A chunk and what it stands next to. */
export interface Place<M extends Metadata = Metadata> {
  /** The chunk. */
  readonly chunk: StoredChunk<M>
  /** The larger chunks around it, the largest first. */
  readonly ancestorIds: readonly string[]
  /** The chunk before it in its document, once fetched. */
  previous?: Place<M> | undefined
  /** The chunk after it, once fetched. */
  next?: Place<M> | undefined
}

/** Neighbours that would count less than this are left out. */
const LEAST_WEIGHT = 0.05
/** So many chunks on either side at the most, however short they are. */
const MOST_STEPS = 6

/**
 * The places of the ids and of the chunks next to them, linked to what stands around them as far as `reach` carries.
 * What is missing is asked of the store one step further out a round, seven rounds at the most.
 */
export async function placesAround<M extends Metadata>(
  store: ChunkStore<M>,
  ids: readonly string[],
  { reach, signal }: { readonly reach: number } & AbortOptions,
): Promise<readonly Place<M>[]> {
  const places = new Map<string, Noted<M>>()
  const fetch = async (wanted: ReadonlyMap<string, number>): Promise<Noted<M>[]> => {
    signal?.throwIfAborted()
    const chunks = wanted.size === 0 ? [] : await store.get([...wanted.keys()], { signal })
    const found = chunks.filter((chunk) => chunk !== undefined).map((chunk) => noted(chunk, wanted.get(chunk.id) ?? 0))
    for (const place of found) places.set(place.chunk.id, place)
    return found
  }
  const beyond = (edge: readonly Noted<M>[]): Map<string, number> => {
    const wanted = new Map<string, number>()
    for (const { previousId, nextId, travelled, chunk } of edge) {
      if (travelled > furthest(reach)) continue
      for (const id of [previousId, nextId])
        if (id !== undefined && !places.has(id)) wanted.set(id, travelled + chunk.end - chunk.start)
    }
    return wanted
  }
  let edge = await fetch(new Map(ids.map((id) => [id, 0])))
  edge = await fetch(new Map([...beyond(edge).keys()].map((id) => [id, 0])))
  const centres = [...places.values()]
  for (let step = 1; step < MOST_STEPS && edge.length > 0 && reach > 0; step++) edge = await fetch(beyond(edge))
  for (const place of places.values()) {
    const [previous, next] = [places.get(place.previousId ?? ''), places.get(place.nextId ?? '')]
    if (previous?.chunk.documentId === place.chunk.documentId) place.previous = previous
    if (next?.chunk.documentId === place.chunk.documentId) place.next = next
  }
  return centres
}

/**
 * A text made of a chunk and what stands around it, in which a neighbour counts `exp(-distance / reach)`, the distance
 * taken from middle to middle: how dense words are about a place, not how many a window with edges holds.
 */
export function mixtureAround<M extends Metadata>(
  centre: Place<M>,
  reach: number,
  passes: (chunk: StoredChunk<M>) => boolean,
): LexicalMixture {
  const ids = [centre.chunk.id]
  const weights = [1]
  if (reach === 0) return { ids, weights }
  const middle = centre.chunk.start + centre.chunk.end
  for (const direction of ['previous', 'next'] as const) {
    let place = centre[direction]
    for (let step = 0; step < MOST_STEPS && place !== undefined; step++, place = place[direction]) {
      const { chunk } = place
      const distance = Math.abs(chunk.start + chunk.end - middle) / 2
      if (distance > furthest(reach)) break
      if (!passes(chunk)) continue
      ids.push(chunk.id)
      weights.push(Math.exp(-distance / reach))
    }
  }
  return { ids, weights }
}

interface Noted<M extends Metadata> extends Place<M> {
  readonly previousId: string | undefined
  readonly nextId: string | undefined
  /** How far from the nearest chunk that was asked for it lies, about. */
  readonly travelled: number
}

function furthest(reach: number): number {
  return -reach * Math.log(LEAST_WEIGHT)
}

/** Reads what `hierarchicalChunker` noted of a chunk's surroundings. */
function noted<M extends Metadata>(chunk: StoredChunk<M>, travelled: number): Noted<M> {
  const notes = Object.hasOwn(chunk.metadata, 'chunk') ? chunk.metadata.chunk : undefined
  const bare = typeof notes !== 'object' || notes === null || Array.isArray(notes)
  const { previousId, nextId, parentId, ancestorIds } = bare ? {} : (notes as Metadata)
  const above = Array.isArray(ancestorIds) ? ancestorIds : [parentId]
  return {
    chunk,
    ancestorIds: above.filter((id) => typeof id === 'string'),
    previousId: typeof previousId === 'string' ? previousId : undefined,
    nextId: typeof nextId === 'string' ? nextId : undefined,
    travelled,
  }
}

import type { AbortOptions, Metadata } from '../document.ts'
import type { LexicalMixture } from '../lexical-index/lexical-index.ts'
import type { ChunkStore, StoredChunk } from './retriever.ts'

/** A chunk and what it stands next to. */
export interface Place<M extends Metadata = Metadata> {
  /** The chunk. */
  readonly chunk: StoredChunk<M>
  /** The larger chunks around it, the largest first. */
  readonly ancestorIds: readonly string[]
  /** Whether no chunk stands before or after it in its document. */
  readonly whole: boolean
  /** The chunk before it in its document, once fetched. */
  previous: Place<M> | undefined
  /** The chunk after it, once fetched. */
  next: Place<M> | undefined
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
  const limit = furthest(reach)
  const places = new Map<string, Noted<M>>()
  const fetch = async (wanted: ReadonlyMap<string, number>): Promise<Noted<M>[]> => {
    signal?.throwIfAborted()
    const chunks = wanted.size === 0 ? [] : await store.get([...wanted.keys()], { signal })
    const found: Noted<M>[] = []
    for (const chunk of chunks) {
      if (chunk === undefined) continue
      const place = noted(chunk, wanted.get(chunk.id) ?? 0)
      places.set(chunk.id, place)
      found.push(place)
    }
    return found
  }
  let edge = await fetch(new Map(ids.map((id) => [id, 0])))
  edge = await fetch(beyond(edge, places, limit, () => 0))
  const centres = [...places.values()]
  for (let step = 1; step < MOST_STEPS && edge.length > 0 && reach > 0; step++)
    edge = await fetch(beyond(edge, places, limit, ({ travelled, chunk }) => travelled + chunk.end - chunk.start))
  for (const place of places.values()) {
    const next = place.nextId === undefined ? undefined : places.get(place.nextId)
    const previous = place.previousId === undefined ? undefined : places.get(place.previousId)
    if (previous !== undefined && previous.chunk.documentId === place.chunk.documentId) place.previous = previous
    if (next !== undefined && next.chunk.documentId === place.chunk.documentId) place.next = next
  }
  return centres
}

/** The ids next to the edge that are not at hand yet, with how far each lies. */
function beyond<M extends Metadata>(
  edge: readonly Noted<M>[],
  places: ReadonlyMap<string, Noted<M>>,
  limit: number,
  distance: (place: Noted<M>) => number,
): Map<string, number> {
  const wanted = new Map<string, number>()
  for (const place of edge) {
    if (place.travelled > limit) continue
    const { previousId, nextId } = place
    if (previousId !== undefined && !places.has(previousId)) wanted.set(previousId, distance(place))
    if (nextId !== undefined && !places.has(nextId)) wanted.set(nextId, distance(place))
  }
  return wanted
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
  const limit = furthest(reach)
  const middle = centre.chunk.start + centre.chunk.end
  for (const direction of ['previous', 'next'] as const) {
    let place = centre[direction]
    for (let step = 0; step < MOST_STEPS && place !== undefined; step++, place = place[direction]) {
      const { chunk } = place
      const distance = Math.abs(chunk.start + chunk.end - middle) / 2
      if (distance > limit) break
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
  const { previousId, nextId, parentId, ancestorIds } = isNotes(notes) ? notes : NONE
  const above = Array.isArray(ancestorIds) ? ancestorIds : [parentId]
  return {
    chunk,
    ancestorIds: above.every((id) => typeof id === 'string') ? above : above.filter((id) => typeof id === 'string'),
    whole: previousId === undefined && nextId === undefined,
    previous: undefined,
    next: undefined,
    previousId: typeof previousId === 'string' ? previousId : undefined,
    nextId: typeof nextId === 'string' ? nextId : undefined,
    travelled,
  }
}

const NONE: Metadata = {}

function isNotes(notes: unknown): notes is Metadata {
  return typeof notes === 'object' && notes !== null && !Array.isArray(notes)
}

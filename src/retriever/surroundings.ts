import type { AbortOptions, Metadata } from '../document.ts'
import type { LexicalMixture } from '../lexical-index/lexical-index.ts'
import type { ChunkStore, StoredChunk } from './retriever.ts'

/** Chunks by number, and which stand next to each other. */
export interface Surroundings<M extends Metadata = Metadata> {
  /** Their ids. */
  readonly ids: readonly string[]
  /** What the store gave of each. */
  readonly chunks: readonly (StoredChunk<M> | undefined)[]
  /** So many at the front are the chunks asked for and those next to them; the others only stand around these. */
  readonly centres: number
  /** Twice the middle of each in its text, NaN for what the store did not give. */
  readonly twiceMiddles: readonly number[]
  /** The number of the chunk before each, −1 where none is at hand. */
  readonly previous: readonly number[]
  /** The number of the chunk after each, −1 where none is at hand. */
  readonly next: readonly number[]
}

/** What `hierarchicalChunker` noted of a chunk's place. */
export interface Place {
  /** The larger chunks around it, the largest first. */
  readonly ancestorIds: readonly string[]
  /** Whether no chunk stands before or after it in its document. */
  readonly whole: boolean
}

/** Neighbours that would count less than this are left out. */
const LEAST_WEIGHT = 0.05
/** So many chunks on either side at the most, however short they are. */
const MOST_STEPS = 6

/** A way from a centre outwards, as far as it was gone. */
interface Way {
  readonly at: number
  readonly forward: boolean
  /** Twice the middle of the centre. */
  readonly origin: number
}

/**
 * The chunks of the ids, those next to them, and what stands around these as far as `reach` carries. What is missing is
 * asked of the store one step further out a round, eight rounds at the most.
 */
export async function surroundingsOf<M extends Metadata>(
  store: ChunkStore<M>,
  wanted: readonly string[],
  { reach, signal }: { readonly reach: number } & AbortOptions,
): Promise<Surroundings<M>> {
  const limit = 2 * furthest(reach)
  const numbers = new Map<string, number>()
  const ids: string[] = []
  const chunks: (StoredChunk<M> | undefined)[] = []
  const twiceMiddles: number[] = []
  /** Ids of the chunks before and after each. Chunks lie far apart in memory, so that each is read once. */
  const idsBefore: unknown[] = []
  const idsAfter: unknown[] = []
  const previous: number[] = []
  const next: number[] = []
  const numberOf = (id: string): number => {
    let number = numbers.get(id)
    if (number === undefined) {
      number = ids.push(id) - 1
      numbers.set(id, number)
      previous.push(-1)
      next.push(-1)
    }
    return number
  }
  const fetch = async (): Promise<void> => {
    signal?.throwIfAborted()
    const missing = ids.slice(chunks.length)
    if (missing.length === 0) return
    for (const chunk of await store.get(missing, { signal })) {
      chunks.push(chunk)
      twiceMiddles.push(chunk === undefined ? Number.NaN : chunk.start + chunk.end)
      const { previousId, nextId } = chunk === undefined ? NONE : notesOf(chunk)
      idsBefore.push(previousId)
      idsAfter.push(nextId)
    }
  }
  /** Goes every way one step further and gives the ways that came upon a chunk not at hand before. */
  const advance = async (ways: readonly Way[]): Promise<Way[]> => {
    const further: Way[] = []
    const known = ids.length
    for (const { at, forward, origin } of ways) {
      const id = (forward ? idsAfter : idsBefore)[at]
      if (typeof id !== 'string') continue
      const to = numberOf(id)
      ;(forward ? next : previous)[at] = to
      ;(forward ? previous : next)[to] = at
      if (to >= known) further.push({ at: to, forward, origin })
    }
    await fetch()
    return further.filter(({ at }) => chunks[at] !== undefined)
  }
  const waysFrom = (from: number): Way[] => {
    const ways: Way[] = []
    for (let at = from; at < chunks.length; at++) {
      if (chunks[at] === undefined) continue
      const origin = twiceMiddles[at]!
      if (previous[at] === -1) ways.push({ at, forward: false, origin })
      if (next[at] === -1) ways.push({ at, forward: true, origin })
    }
    return ways
  }
  for (const id of wanted) numberOf(id)
  await fetch()
  const found = ids.length
  await advance(waysFrom(0))
  const centres = ids.length
  let ways = reach > 0 ? waysFrom(found) : []
  for (let step = 0; step < MOST_STEPS && ways.length > 0; step++) {
    const reached = await advance(ways)
    ways = reached.filter(({ at, origin }) => Math.abs(twiceMiddles[at]! - origin) <= limit)
  }
  return { ids, chunks, twiceMiddles, centres, previous, next }
}

/**
 * A text made of a chunk and what stands around it, in which a neighbour counts `exp(-distance / reach)`, the distance
 * taken from middle to middle: how dense words are about a place, not how many a window with edges holds.
 */
export function mixtureAround<M extends Metadata>(
  { chunks, twiceMiddles, previous, next }: Surroundings<M>,
  centre: number,
  reach: number,
  passes: (chunk: StoredChunk<M>) => boolean,
): LexicalMixture {
  const members = [centre]
  const weights = [1]
  if (reach === 0) return { members, weights }
  const limit = furthest(reach)
  const { documentId } = chunks[centre]!
  const middle = twiceMiddles[centre]!
  for (const links of [previous, next]) {
    let at = links[centre]!
    for (let step = 0; step < MOST_STEPS && at !== -1; step++, at = links[at]!) {
      const neighbour = chunks[at]
      if (neighbour === undefined || neighbour.documentId !== documentId) break
      const distance = Math.abs(twiceMiddles[at]! - middle) / 2
      if (distance > limit) break
      if (!passes(neighbour)) continue
      members.push(at)
      weights.push(Math.exp(-distance / reach))
    }
  }
  return { members, weights }
}

/** Reads a chunk's place from its notes. */
export function placeOf(chunk: StoredChunk): Place {
  const { previousId, nextId, parentId, ancestorIds } = notesOf(chunk)
  const above = Array.isArray(ancestorIds) ? ancestorIds : [parentId]
  return {
    ancestorIds: above.every((id) => typeof id === 'string') ? above : above.filter((id) => typeof id === 'string'),
    whole: previousId === undefined && nextId === undefined,
  }
}

function furthest(reach: number): number {
  return -reach * Math.log(LEAST_WEIGHT)
}

const NONE: Metadata = {}

function notesOf({ metadata }: StoredChunk): Metadata {
  const notes = Object.hasOwn(metadata, 'chunk') ? metadata.chunk : undefined
  return typeof notes === 'object' && notes !== null && !Array.isArray(notes) ? (notes as Metadata) : NONE
}

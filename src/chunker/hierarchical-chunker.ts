import type { Chunk, Document, Metadata, Span } from '../document.ts'
import { GroundlineError } from '../errors.ts'
import { lastAtMost } from '../internal/last-at-most.ts'
import { type Annotation, type BoundaryChunker, makeChunks, requireDocument } from './boundary-chunker.ts'
import { BreakList, breakLevel, mergeBreaks } from './break-list.ts'
import { type ChunkNotes, joinNotes } from './chunk-notes.ts'
import type { SyncChunker } from './chunker.ts'
import { type ChunkCounter, measureText, type SliceCounter, sliceCounter } from './measure.ts'
import { pack } from './pack.ts'

/** Options of {@link hierarchicalChunker}. */
export interface HierarchicalChunkerOptions {
  /** Chunkers from the largest chunks to the smallest, two at least. Only the last may overlap. */
  readonly levels: readonly BoundaryChunker[]
}

/** A chunker whose chunks lie within larger ones. */
export interface HierarchicalChunker extends SyncChunker {
  /** The larger chunks, one list a level, the largest first. Their ids are the `ancestorIds` of the small ones. */
  ancestors<M extends Metadata>(document: Document<M>): readonly (readonly Chunk<M>[])[]
}

/**
 * Small chunks that each lie within larger ones, for small-to-big retrieval and auto-merging: search the small, score
 * or show the large. `metadata.chunk` of a small chunk has `parentId`, `parentStart` and `parentEnd` of the next larger
 * one, `ancestorIds` of all, and the ids of its neighbours, `previousId` and `nextId`.
 *
 * @example
 * ```ts
 * const chunker = hierarchicalChunker({
 *   levels: [markdownChunker({ maxTokens: 1024 }), markdownChunker({ maxTokens: 128 })],
 * })
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function hierarchicalChunker({ levels }: HierarchicalChunkerOptions): HierarchicalChunker {
  const wrong = (problem: string): never => {
    throw new GroundlineError('INVALID_ARGUMENT', `levels ${problem}`, { details: { argument: 'levels' } })
  }
  if (levels.length < 2) wrong(`must name two chunkers at least, got ${levels.length}`)
  for (const { id, limits } of levels.slice(0, -1)) {
    if (limits.overlap !== 0) wrong(`must overlap in the last only, but ${id} has an overlap of ${limits.overlap}`)
  }
  const larger = <M extends Metadata>(document: Document<M>, counts: Counts, signal?: AbortSignal): Chunk<M>[][] => {
    const lists: Chunk<M>[][] = []
    for (let depth = 0; depth < levels.length - 1; depth += 1)
      lists.push([...nested(levels.slice(0, depth + 1), document, lists, counts, signal)])
    return lists
  }
  return {
    id: idOf(levels),
    ancestors: (document) => {
      requireDocument(document, undefined)
      return larger(document, new Map())
    },
    chunk(document, { signal } = {}) {
      requireDocument(document, signal)
      return withNeighbours(
        lazily(() => {
          const counts: Counts = new Map()
          return nested(levels, document, larger(document, counts, signal), counts, signal)
        }),
      )
    },
  }
}

function idOf(levels: readonly BoundaryChunker[]): string {
  return levels.length === 1 ? levels[0]!.id : `hierarchical(${levels.map(({ id }) => id).join(',')})`
}

function* lazily<T>(make: () => Iterable<T>): Generator<T> {
  yield* make()
}

/** One pass over the text serves all levels with the same counter. */
type Counts = Map<ChunkCounter, SliceCounter>

/** Chunks of the last level, each within one chunk of every list. */
function nested<M extends Metadata>(
  levels: readonly BoundaryChunker[],
  document: Document<M>,
  ancestors: readonly (readonly Chunk<M>[])[],
  counts: Counts,
  signal: AbortSignal | undefined,
): Iterable<Chunk<M>> {
  const { text } = document
  const { limits, plan } = levels[levels.length - 1]!
  const parents = ancestors[ancestors.length - 1] ?? []
  const walls = new BreakList()
  for (const { end } of parents) walls.add(end, breakLevel.wall)
  const count = counts.get(limits.counter) ?? sliceCounter(text, limits.counter)
  counts.set(limits.counter, count)
  const planned = plan(document, count)
  const breaks = mergeBreaks(planned.breaks, walls)
  const cuts = pack(text, breaks, measureText(text, breaks, limits.counter, count), limits)
  const around = (list: readonly Chunk<M>[], span: Span) => list[lastAtMost(list, span.end - 1, ({ start }) => start)]!
  const annotate = (span: Span): Annotation => {
    const { headingPath, notes } = planned.annotate?.(span) ?? {}
    if (parents.length === 0) return { headingPath, notes }
    const parent = around(parents, span)
    const ancestorIds = ancestors.map((list) => around(list, span).id)
    const places = { parentId: parent.id, parentStart: parent.start, parentEnd: parent.end, ancestorIds }
    return { headingPath: headingPath ?? parent.headingPath, notes: joinNotes(notes ?? {}, places) }
  }
  return makeChunks(idOf(levels), document, cuts, annotate, signal)
}

/** Adds the ids of the chunks before and after to each chunk's notes. Holds back one chunk. */
function* withNeighbours<M extends Metadata>(chunks: Iterable<Chunk<M>>): Generator<Chunk<M>> {
  let previousId: string | undefined
  let held: Chunk<M> | undefined
  const linked = (chunk: Chunk<M>, nextId: string | undefined): Chunk<M> => {
    const links = { ...(previousId === undefined ? {} : { previousId }), ...(nextId === undefined ? {} : { nextId }) }
    const notes = joinNotes(chunk.metadata.chunk as ChunkNotes, links)
    return { ...chunk, metadata: { ...chunk.metadata, chunk: notes } }
  }
  for (const chunk of chunks) {
    if (held !== undefined) {
      yield linked(held, chunk.id)
      previousId = held.id
    }
    held = chunk
  }
  if (held !== undefined) yield linked(held, undefined)
}

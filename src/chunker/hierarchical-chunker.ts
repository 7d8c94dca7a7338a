import type { Chunk, Document, Metadata } from '../document.ts'
import { GroundlineError } from '../errors.ts'
import { lastAtMost } from '../internal/last-at-most.ts'
import { type BoundaryChunker, makeChunks, requireDocument } from './boundary-chunker.ts'
import { BreakList, breakLevel, mergeBreaks } from './break-list.ts'
import type { SyncChunker } from './chunker.ts'
import { measureText } from './measure.ts'
import { pack } from './pack.ts'

/** Options of {@link hierarchicalChunker}. */
export interface HierarchicalChunkerOptions {
  /** Cuts the large chunks, such as sections. Its overlap must be 0. */
  readonly parent: BoundaryChunker
  /** Cuts the small chunks that are searched. */
  readonly child: BoundaryChunker
}

/** A chunker whose chunks lie within larger ones. */
export interface HierarchicalChunker extends SyncChunker {
  /** The large chunks. Their ids are the `parentId` of the small ones. */
  parents<M extends Metadata>(document: Document<M>): Iterable<Chunk<M>>
}

/**
 * Small chunks that each lie within one larger chunk, for small-to-big retrieval and auto-merging: search the small,
 * show the large. `metadata.chunk` of a small chunk has `parentId`, `parentStart` and `parentEnd`, and the ids of its
 * neighbours, `previousId` and `nextId`.
 *
 * @example
 * ```ts
 * const chunker = hierarchicalChunker({
 *   parent: markdownChunker({ maxTokens: 1024 }),
 *   child: markdownChunker({ maxTokens: 128 }),
 * })
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function hierarchicalChunker({ parent, child }: HierarchicalChunkerOptions): HierarchicalChunker {
  if (parent.limits.overlap !== 0) {
    throw new GroundlineError('INVALID_ARGUMENT', `parent must have an overlap of 0, got ${parent.limits.overlap}`, {
      details: { argument: 'parent', expected: 0, actual: parent.limits.overlap },
    })
  }
  const id = `hierarchical(${parent.id},${child.id})`
  return {
    id,
    parents: (document) => parent.chunk(document),
    chunk(document, { signal } = {}) {
      requireDocument(document, signal)
      return withNeighbours(nested(id, parent, child, document, signal))
    },
  }
}

function* nested<M extends Metadata>(
  id: string,
  parent: BoundaryChunker,
  child: BoundaryChunker,
  document: Document<M>,
  signal: AbortSignal | undefined,
): Generator<Chunk<M>> {
  const { text } = document
  const parents = [...parent.chunk(document, { signal })]
  const walls = new BreakList()
  for (const { end } of parents) walls.add(end, breakLevel.wall)
  const plan = child.plan(document)
  const breaks = mergeBreaks(plan.breaks, walls)
  const cuts = pack(text, breaks, measureText(text, breaks, child.limits.counter), child.limits)
  const annotate: typeof plan.annotate = (span) => {
    const around = parents[lastAtMost(parents, span.end - 1, ({ start }) => start)]!
    const { headingPath = around.headingPath, notes } = plan.annotate?.(span) ?? {}
    return {
      headingPath,
      notes: { ...notes, parentId: around.id, parentStart: around.start, parentEnd: around.end },
    }
  }
  yield* makeChunks(id, document, cuts, annotate, signal)
}

/** Adds the ids of the chunks before and after to each chunk's notes. Holds back one chunk. */
function* withNeighbours<M extends Metadata>(chunks: Iterable<Chunk<M>>): Generator<Chunk<M>> {
  let previousId: string | undefined
  let held: Chunk<M> | undefined
  const linked = (chunk: Chunk<M>, nextId: string | undefined): Chunk<M> => {
    const notes = chunk.metadata.chunk as Metadata
    const links = { ...(previousId === undefined ? {} : { previousId }), ...(nextId === undefined ? {} : { nextId }) }
    return { ...chunk, metadata: { ...chunk.metadata, chunk: { ...notes, ...links } } }
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

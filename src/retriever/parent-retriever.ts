import type { Metadata, Passage } from '../document.ts'
import { GroundlineError } from '../errors.ts'
import { compileFilter } from '../filter.ts'
import { requireFunction, requireInteger, requireObject } from '../internal/argument.ts'
import { rankPassages } from '../internal/rank-passages.ts'
import { requireRetriever, requireStore } from './collaborators.ts'
import { topKOf } from './index-retrieval.ts'
import type { ChunkStore, RetrieveOptions, Retriever, StoredChunk } from './retriever.ts'

/** What {@link parentRetriever} is made of. */
export interface ParentRetrieverOptions<M extends Metadata = Metadata> {
  /** Finds the small chunks. */
  readonly retriever: Retriever<M>
  /** Ids of the larger chunk around a small one, or undefined where it stands alone. */
  readonly parentOf: (passage: Passage<M>) => string | undefined
  /** Gives the larger chunks. */
  readonly store: ChunkStore<M>
  /** How many children of one parent must be found before the parent takes their place. Default 1; more is auto-merging. */
  readonly minChildren?: number
  /** How many small chunks are looked at for each result. Default 4. */
  readonly oversampling?: number
}

/**
 * Small to big: finds by small chunks, returns the larger ones around them. A parent has the score of its best child.
 * No character of a document is returned twice: where a parent is returned its children are not, and of overlapping
 * passages the better one stays. A parent whose metadata do not pass the filter does not take the place of its children.
 *
 * @example
 * const retriever = parentRetriever({ retriever: small, store: sections, parentOf: (p) => sectionOf.get(p.id) })
 */
// @__NO_SIDE_EFFECTS__
export function parentRetriever<M extends Metadata = Metadata>(options: ParentRetrieverOptions<M>): Retriever<M> {
  requireObject('options', options)
  const { retriever, parentOf, store, minChildren = 1, oversampling = 4 } = options
  requireRetriever('retriever', retriever)
  requireFunction('parentOf', parentOf, 'a function from a passage to the id of its parent')
  requireStore(store)
  requireInteger('minChildren', minChildren, 1, 1_000)
  requireInteger('oversampling', oversampling, 1, 1_000)
  return {
    async retrieve(query, retrieval) {
      const topK = topKOf(retrieval)
      const { signal } = retrieval ?? {}
      const passes = passing<M>(retrieval)
      const wide = Math.min(10_000, topK * oversampling)
      const { passages, explanation } = await retriever.retrieve(query, { ...retrieval, topK: wide })
      const children = new Map<string, Passage<M>[]>()
      for (const passage of passages) {
        const parent = parentOf(passage)
        if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), passage])
      }
      const wanted = Array.from(children.keys()).filter((id) => children.get(id)!.length >= minChildren)
      const found = await store.get(wanted, { signal })
      const parents = new Map(
        found.flatMap((chunk, i) => (chunk === undefined || !passes(chunk) ? [] : [[wanted[i]!, chunk]])),
      )
      const kept: Passage<M>[] = []
      for (const passage of passages) {
        const parent = parents.get(parentOf(passage) ?? '')
        const next = parent === undefined ? passage : passageOf(parent, passage)
        if (kept.every((other) => !overlaps(other, next))) kept.push(next)
      }
      const staged = kept.map((passage) => ({ passage, score: passage.score }))
      const note = `${parents.size} parents took the place of their children`
      return {
        passages: rankPassages('parent', staged, topK),
        explanation: { stages: [...explanation.stages, { stage: 'parent', candidates: kept.length, note }] },
      }
    },
  }
}

/** What {@link windowRetriever} is made of. */
export interface WindowRetrieverOptions<M extends Metadata = Metadata> {
  /** Finds the chunks. */
  readonly retriever: Retriever<M>
  /** Ids of the chunks around one, in text order, itself among them. */
  readonly windowOf: (passage: Passage<M>) => readonly string[]
  /** Gives the chunks. */
  readonly store: ChunkStore<M>
}

/**
 * Widens each passage by its neighbours where they touch it without a gap. Windows that meet are joined under the better
 * score, so that no character is returned twice. Neighbours whose metadata do not pass the filter are left out. The text of a window is a slice of its document, as that of a chunk is.
 *
 * @example
 * const retriever = windowRetriever({ retriever: small, store, windowOf: ({ id }) => neighbours.get(id) ?? [id] })
 */
// @__NO_SIDE_EFFECTS__
export function windowRetriever<M extends Metadata = Metadata>(options: WindowRetrieverOptions<M>): Retriever<M> {
  requireObject('options', options)
  const { retriever, windowOf, store } = options
  requireRetriever('retriever', retriever)
  requireFunction('windowOf', windowOf, 'a function from a passage to the ids around it')
  requireStore(store)
  return {
    async retrieve(query, retrieval) {
      const { signal } = retrieval ?? {}
      const passes = passing<M>(retrieval)
      const { passages, explanation } = await retriever.retrieve(query, retrieval)
      const kept: Passage<M>[] = []
      for (const passage of passages) {
        const around = await store.get(windowOf(passage), { signal })
        const chunks = around.filter((chunk) => chunk !== undefined && passes(chunk)) as StoredChunk<M>[]
        let window = joined(passage, chunks)
        for (let i = 0; i < kept.length; i++) {
          const other = kept[i]!
          if (!overlaps(other, window)) continue
          window = { ...joined(other, [window]), score: other.score, stages: other.stages }
          kept.splice(i--, 1)
        }
        kept.push(window)
      }
      const staged = kept.map((passage) => ({ passage, score: passage.score }))
      return {
        passages: rankPassages('window', staged),
        explanation: { stages: [...explanation.stages, { stage: 'window', candidates: kept.length }] },
      }
    },
  }
}

/** Whether a chunk passes the filter of a retrieval. */
function passing<M extends Metadata>({ filter }: RetrieveOptions<M> = {}): (chunk: StoredChunk<M>) => boolean {
  const passes = filter === undefined ? undefined : compileFilter(filter)
  return ({ metadata }) => passes === undefined || passes(metadata)
}

/** The larger chunk with what was said of its best small one. */
function passageOf<M extends Metadata>(parent: StoredChunk<M>, best: Passage<M>): Passage<M> {
  return { ...parent, source: parent.source ?? best.source, score: best.score, stages: best.stages }
}

function overlaps(a: Passage, b: Passage): boolean {
  return a.id === b.id || (a.documentId === b.documentId && a.start < b.end && b.start < a.end)
}

/** The passage with every chunk that touches or overlaps it, as one slice of the document. */
function joined<M extends Metadata>(passage: Passage<M>, chunks: readonly StoredChunk<M>[]): Passage<M> {
  let { start, end, text } = passage
  const near = chunks
    .filter((chunk) => chunk.documentId === passage.documentId && chunk.documentVersion === passage.documentVersion)
    .sort((a, b) => a.start - b.start)
  for (const chunk of near.toReversed()) {
    if (chunk.start >= start || chunk.end < start) continue
    text = chunk.text.slice(0, start - chunk.start) + text
    start = chunk.start
  }
  for (const chunk of near) {
    if (chunk.end <= end || chunk.start > end) continue
    text += chunk.text.slice(end - chunk.start)
    end = chunk.end
  }
  if (text.length !== end - start)
    throw new GroundlineError('INVALID_DOCUMENT', `the chunks around ${passage.id} are not slices of one document`, {
      details: { id: passage.id },
    })
  return { ...passage, start, end, text }
}

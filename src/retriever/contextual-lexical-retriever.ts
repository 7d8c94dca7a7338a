import type { AbortOptions, Metadata, Passage } from '../document.ts'
import { GroundlineError } from '../errors.ts'
import { compileFilter } from '../filter.ts'
import { describe, requireInteger } from '../internal/argument.ts'
import type { LexicalIndex } from '../lexical-index/lexical-index.ts'
import { requireQuery, topKOf } from './index-retrieval.ts'
import type { ChunkStore, Retriever, StoredChunk } from './retriever.ts'

/** One level of larger chunks that lend their score to the small ones within. */
export interface ContextSections<M extends Metadata = Metadata> {
  /** Holds the larger chunks under the ids that the small ones name in `metadata.chunk.ancestorIds`. */
  readonly index: LexicalIndex<M>
  /** How much a section's score counts beside a chunk's own: 0 and up. Default 1. */
  readonly weight?: number
}

/** What {@link contextualLexicalRetriever} is made of. */
export interface ContextualLexicalRetrieverOptions<M extends Metadata = Metadata> {
  /** Holds the small chunks. */
  readonly index: LexicalIndex<M>
  /** Gives the small chunks of the ids found, with the notes that `hierarchicalChunker` left. */
  readonly store: ChunkStore<M>
  /** The larger chunks, a level each, the largest first, as in `ancestorIds`. */
  readonly sections?: readonly ContextSections<M>[]
  /** How much the chunks next to a chunk count, and the ones after those, on either side. Default `[0.4, 0.15]`. */
  readonly neighbours?: readonly [next: number, afterNext: number]
  /** How many matches each index is asked for: an integer from 1 to 10,000. Default 1,000. */
  readonly candidates?: number
}

/**
 * Finds small passages by their own words and those around them: the score of a chunk is its own BM25 plus weighted
 * shares of its neighbours' and of the sections it stands in. A sentence that answers a question often names neither its
 * subject nor the question's words; its section does. Chunks come from `hierarchicalChunker`.
 *
 * @example
 * const chunker = hierarchicalChunker({ levels: [sections, small] })
 * await sectionIndex.upsert(chunker.ancestors(document)[0])
 * const retriever = contextualLexicalRetriever({ index, store, sections: [{ index: sectionIndex }] })
 */
// @__NO_SIDE_EFFECTS__
export function contextualLexicalRetriever<M extends Metadata = Metadata>(
  options: ContextualLexicalRetrieverOptions<M>,
): Retriever<M> {
  const { index, store, sections = [], neighbours = [0.4, 0.15], candidates = 1000 } = options
  requireInteger('candidates', candidates, 1, 10_000)
  for (const weight of [...neighbours, ...sections.map(({ weight = 1 }) => weight)]) requireWeight(weight)
  const [near, far] = neighbours
  return {
    async retrieve(query, retrieval = {}) {
      const topK = topKOf(retrieval)
      requireQuery(query)
      const { signal, filter } = retrieval
      signal?.throwIfAborted()
      const matches = await index.search(query, { topK: Math.max(topK, candidates), filter, signal })
      const own = new Map(matches.map(({ id, score }) => [id, score]))
      const levels = await Promise.all(
        sections.map(async (level) => {
          const found = await level.index.search(query, { topK: candidates, signal })
          return new Map(found.map(({ id, score }) => [id, score]))
        }),
      )
      const chunks = await withNeighbours(
        store,
        matches.map(({ id }) => id),
        { signal },
      )
      const passes = filter === undefined ? undefined : compileFilter(filter)
      const scored: Scored<M>[] = []
      for (const chunk of chunks.values()) {
        if (passes !== undefined && !passes(chunk.metadata)) continue
        const { previousId, nextId, ancestorIds } = placesOf(chunk)
        const ownOf = (id: string | undefined): number => (id === undefined ? 0 : (own.get(id) ?? 0))
        const placesAt = (id: string | undefined): Partial<Places> => {
          const beside = id === undefined ? undefined : chunks.get(id)
          return beside === undefined ? {} : placesOf(beside)
        }
        const next = ownOf(previousId) + ownOf(nextId)
        const afterNext = ownOf(placesAt(previousId).previousId) + ownOf(placesAt(nextId).nextId)
        const around = near * next + far * afterNext
        let section = 0
        for (const [depth, { weight = 1 }] of sections.entries())
          section += weight * (levels[depth]!.get(ancestorIds[depth] ?? '') ?? 0)
        const score = ownOf(chunk.id) + around + section
        if (score > 0) scored.push({ chunk, score, own: ownOf(chunk.id), around, section })
      }
      return {
        passages: ranked(scored, topK),
        explanation: {
          stages: [
            { stage: 'lexical', candidates: matches.length },
            ...levels.map(({ size }, depth) => ({
              stage: 'section',
              candidates: size,
              weight: sections[depth]!.weight ?? 1,
            })),
            { stage: 'contextual', candidates: scored.length, note: 'own score + neighbours + sections' },
          ],
        },
      }
    },
  }
}

interface Scored<M extends Metadata> {
  readonly chunk: StoredChunk<M>
  readonly score: number
  readonly own: number
  readonly around: number
  readonly section: number
}

interface Places {
  readonly previousId?: string
  readonly nextId?: string
  readonly ancestorIds: readonly string[]
}

/** What `hierarchicalChunker` noted of a chunk's surroundings. */
function placesOf(chunk: StoredChunk): Places {
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

/** The chunks of the ids and those next to them, by id. */
async function withNeighbours<M extends Metadata>(
  store: ChunkStore<M>,
  ids: readonly string[],
  options: AbortOptions,
): Promise<Map<string, StoredChunk<M>>> {
  const chunks = new Map<string, StoredChunk<M>>()
  const fetch = async (wanted: readonly string[]): Promise<void> => {
    options.signal?.throwIfAborted()
    for (const chunk of await store.get(wanted, options)) if (chunk !== undefined) chunks.set(chunk.id, chunk)
  }
  await fetch(ids)
  const beside = new Set<string>()
  for (const chunk of chunks.values()) {
    const { previousId, nextId } = placesOf(chunk)
    for (const id of [previousId, nextId]) if (id !== undefined && !chunks.has(id)) beside.add(id)
  }
  if (beside.size > 0) await fetch([...beside])
  return chunks
}

function ranked<M extends Metadata>(scored: readonly Scored<M>[], topK: number): Passage<M>[] {
  const byId = (a: Scored<M>, b: Scored<M>): number => (a.chunk.id < b.chunk.id ? -1 : 1)
  const ranksOf = (key: 'own' | 'around' | 'section'): Map<string, number> => {
    const order = scored.toSorted((a, b) => b[key] - a[key] || byId(a, b))
    return new Map(order.map(({ chunk }, index) => [chunk.id, index + 1]))
  }
  const ranks = { own: ranksOf('own'), around: ranksOf('around'), section: ranksOf('section') }
  return scored
    .toSorted((a, b) => b.score - a.score || byId(a, b))
    .slice(0, topK)
    .map(({ chunk, score, own, around, section }, index) => ({
      ...chunk,
      source: chunk.source ?? {},
      score,
      stages: [
        { stage: 'lexical', rank: ranks.own.get(chunk.id)!, score: own },
        { stage: 'neighbours', rank: ranks.around.get(chunk.id)!, score: around },
        { stage: 'section', rank: ranks.section.get(chunk.id)!, score: section },
        { stage: 'contextual', rank: index + 1, score },
      ],
    }))
}

function requireWeight(weight: number): void {
  if (typeof weight === 'number' && weight >= 0 && Number.isFinite(weight)) return
  throw new GroundlineError('INVALID_ARGUMENT', `a weight must be a number of at least 0, got ${describe(weight)}`, {
    details: { argument: 'weight', expected: 'at least 0', actual: describe(weight) },
  })
}

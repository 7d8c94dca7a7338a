import type { Metadata, Passage, StageScore } from '../document.ts'
import { compileFilter } from '../filter.ts'
import { requireArray, requireInteger, requireNumber, requireObject, requireOneOf } from '../internal/argument.ts'
import { lastAtMost } from '../internal/last-at-most.ts'
import { normalizedScores } from '../internal/rank-passages.ts'
import { TopK } from '../internal/top-k.ts'
import type { LexicalIndex, LexicalMixture } from '../lexical-index/lexical-index.ts'
import { requireIndex, requireStore } from './collaborators.ts'
import { requireQuery, topKOf } from './index-retrieval.ts'
import { firstOfRepeats, type ScoredChunk } from './repeats.ts'
import type { ChunkStore, Retriever, StoredChunk } from './retriever.ts'
import { mixtureAround, placeOf, surroundingsOf } from './surroundings.ts'

/** One level of larger chunks that lend their score to the small ones within. */
export interface ContextSections<M extends Metadata = Metadata> {
  /** Holds the larger chunks under the ids that the small ones name in `metadata.chunk.ancestorIds`. */
  readonly index: LexicalIndex<M>
  /** How much a section's score counts beside a chunk's: 0 and up. Default 0.5. */
  readonly weight?: number
}

/** What {@link contextualLexicalRetriever} is made of. */
export interface ContextualLexicalRetrieverOptions<M extends Metadata = Metadata> {
  /** Holds the small chunks. One without `scoreMixtures` lets neighbours add their scores, not their words. */
  readonly index: LexicalIndex<M>
  /** Gives the small chunks of the ids found, with the notes that `hierarchicalChunker` left. */
  readonly store: ChunkStore<M>
  /** The larger chunks, a level each, the largest first, as in `ancestorIds`. */
  readonly sections?: readonly ContextSections<M>[]
  /**
   * How far words of neighbours count: those of a chunk `reach` UTF-16 units away, from middle to middle, count `1 / e`.
   * 0 leaves neighbours out. Default 400, about 100 tokens of English.
   */
  readonly reach?: number
  /** What becomes of a text that a document repeats: `first` gives it once, where it stands first; `all` every time. Default `first`. */
  readonly repeats?: 'first' | 'all'
  /**
   * How many matches each index is asked for: an integer from 1 to 10,000. Only they and their neighbours are scored.
   * Default 500, or four times `topK` where that is more.
   */
  readonly candidates?: number
}

/**
 * Finds small passages by their own words and those around them: the score of a chunk is the BM25 of its words together
 * with those of its neighbours, the nearer counting more, averaged with the scores of the sections it stands in. A
 * sentence that answers a question often names neither its subject nor the question's words; what stands around it does.
 * Chunks come from `hierarchicalChunker`. A chunk that is all of its document, or names no sections, counts as its own
 * section: its score is the BM25 of `index`.
 *
 * Words of neighbours are added before they saturate: a word that three neighbours repeat counts little more than once,
 * one that only a neighbour has counts nearly in full. (Passage scores with the context of a passage: Kaszkiel and
 * Zobel, "Effective ranking with arbitrary passages", 2001; proximity kernels: Lv and Zhai, "Positional language models
 * for information retrieval", 2009.)
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
  requireObject('options', options)
  const { index, store, sections = [], reach = 400, repeats = 'first', candidates } = options
  if (candidates !== undefined) requireInteger('candidates', candidates, 1, 10_000)
  requireIndex('index', index, 'lexicalIndex()')
  requireStore(store)
  requireNumber('reach', reach, 0)
  requireArray('sections', sections)
  for (const [at, section] of sections.entries()) {
    requireObject(`sections[${at}]`, section, 'an object with index and weight')
    requireIndex(`sections[${at}].index`, section.index, 'lexicalIndex()')
    requireNumber(`sections[${at}].weight`, section.weight ?? DEFAULT_WEIGHT, 0)
  }
  requireOneOf('repeats', repeats, ['first', 'all'])
  const total = sections.reduce((sum, { weight = DEFAULT_WEIGHT }) => sum + weight, 1)
  return {
    async retrieve(query, retrieval = {}) {
      const topK = topKOf(retrieval)
      requireQuery(query)
      const { signal, filter } = retrieval
      signal?.throwIfAborted()
      const asked = candidates ?? Math.min(10_000, Math.max(500, 4 * topK))
      const matches = await index.search(query, { topK: Math.max(topK, asked), filter, signal })
      const levels = await Promise.all(
        sections.map(async (level) => {
          const found = await level.index.search(query, { topK: asked, signal })
          return new Map(found.map(({ id, score }) => [id, score]))
        }),
      )
      const ids = matches.map(({ id }) => id)
      const passing = filter === undefined ? undefined : compileFilter(filter)
      const passes = ({ metadata }: StoredChunk<M>) => passing === undefined || passing(metadata)
      const around = await surroundingsOf(store, ids, { reach, signal })
      const places: number[] = []
      for (let at = 0; at < around.centres; at++) {
        const chunk = around.chunks[at]
        if (chunk !== undefined && passes(chunk)) places.push(at)
      }
      const mixtures: LexicalMixture[] = places.map((at) => ({ members: [at], weights: [1] }))
      for (const at of places) mixtures.push(mixtureAround(around, at, reach, passes))
      const scores = await scoresOf(index, query, around.ids, mixtures, signal)
      const scored = places.map((at, i) => {
        const chunk = around.chunks[at]!
        const { ancestorIds, whole } = placeOf(chunk)
        const together = scores[places.length + i]!
        let above = 0
        for (const [depth, { weight = DEFAULT_WEIGHT }] of sections.entries()) {
          const id = ancestorIds[depth]
          // A chunk with nothing around it is its own section.
          above += weight * (whole || id === undefined ? together : (levels[depth]!.get(id) ?? 0))
        }
        const own = scores[i]! / total
        const neighbours = together / total - own
        return { chunk, score: (together + above) / total, own, neighbours, above: above / total }
      })
      const found = scored.filter(({ score }) => score > 0)
      const kept = repeats === 'all' ? found : firstOfRepeats(found)
      const repeated = found.length - kept.length
      return {
        passages: ranked(kept, topK),
        explanation: {
          stages: [
            { stage: 'lexical', candidates: matches.length },
            ...levels.map(({ size }, depth) => ({
              stage: 'section',
              candidates: size,
              weight: sections[depth]!.weight ?? DEFAULT_WEIGHT,
            })),
            {
              stage: 'contextual',
              candidates: kept.length,
              note: `mean of own score + neighbours and sections${repeated === 0 ? '' : `; ${repeated} repeats left out`}`,
            },
          ],
        },
      }
    },
  }
}

const DEFAULT_WEIGHT = 0.5

/** Scores of mixtures; where the index cannot give them, the weighted sums of their chunks' scores. */
async function scoresOf<M extends Metadata>(
  index: LexicalIndex<M>,
  query: string,
  ids: readonly string[],
  mixtures: readonly LexicalMixture[],
  signal: AbortSignal | undefined,
): Promise<ArrayLike<number>> {
  if (index.scoreMixtures !== undefined) return index.scoreMixtures(query, ids, mixtures, { signal })
  const found = await index.search(query, { topK: 10_000, signal })
  const scores = new Map(found.map(({ id, score }) => [id, score]))
  const own = ids.map((id) => scores.get(id) ?? 0)
  return mixtures.map(({ members, weights }) => {
    let sum = 0
    for (let i = 0; i < members.length; i++) sum += weights[i]! * own[members[i]!]!
    return sum
  })
}

interface Scored<M extends Metadata> extends ScoredChunk<StoredChunk<M>> {
  readonly own: number
  readonly neighbours: number
  readonly above: number
}

function ranked<M extends Metadata>(scored: readonly Scored<M>[], topK: number): Passage<M>[] {
  const kept = new TopK(topK, (a, b) => scored[a]!.chunk.id < scored[b]!.chunk.id)
  for (let at = 0; at < scored.length; at++) kept.offer(at, scored[at]!.score)
  const best = kept.sorted().map(({ item }) => scored[item]!)
  const parts = [
    stageOf('lexical', scored, ({ own }) => own),
    stageOf('neighbours', scored, ({ neighbours }) => neighbours),
    stageOf('section', scored, ({ above }) => above),
  ]
  const bySum = normalizedScores(scored.map(({ score }) => score))
  return best.map((item, i) => {
    const { chunk, score } = item
    const last = { stage: 'contextual', rank: i + 1, score, normalized: bySum(score), weight: 1 }
    return { ...chunk, source: chunk.source ?? {}, score, stages: [...parts.map((part) => part(item)), last] }
  })
}

/**
 * What a part of the scores says of a passage. Its rank is one more than how many are better. Its weight is 1: the parts are
 * parts of the sum already.
 */
function stageOf<S>(stage: string, scored: readonly S[], scoreOf: (item: S) => number): (item: S) => StageScore {
  const ascending = Float64Array.from(scored, scoreOf).sort()
  const places = normalizedScores([ascending[0] ?? 0, ascending[ascending.length - 1] ?? 0])
  return (item) => {
    const score = scoreOf(item)
    const rank = ascending.length - lastAtMost(ascending, score, (value) => value)
    return { stage, rank, score, normalized: places(score), weight: 1 }
  }
}

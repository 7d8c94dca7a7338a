import type { Metadata, Passage, StageScore } from '../document.ts'
import { compileFilter } from '../filter.ts'
import { requireArray, requireInteger, requireNumber, requireObject, requireOneOf } from '../internal/argument.ts'
import { lastAtMost } from '../internal/last-at-most.ts'
import { normalizedScores } from '../internal/rank-passages.ts'
import type { LexicalIndex, LexicalMixture } from '../lexical-index/lexical-index.ts'
import { requireIndex, requireStore } from './collaborators.ts'
import { requireQuery, topKOf } from './index-retrieval.ts'
import { firstOfRepeats, type ScoredChunk } from './repeats.ts'
import type { ChunkStore, Retriever, StoredChunk } from './retriever.ts'
import { mixtureAround, placesAround } from './surroundings.ts'

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
      const around = await placesAround(store, ids, { reach, signal })
      const places = around.filter(({ chunk }) => passes(chunk))
      const alone = places.map(({ chunk }) => ({ ids: [chunk.id], weights: [1] }))
      const together = places.map((place) => mixtureAround(place, reach, passes))
      const scores = await scoresOf(index, query, [...alone, ...together], signal)
      const scored = places.map(({ chunk, ancestorIds, whole }, at) => {
        const together = scores[places.length + at]!
        let section = 0
        for (const [depth, { weight = DEFAULT_WEIGHT }] of sections.entries()) {
          const id = ancestorIds[depth]
          // A chunk with nothing around it is its own section.
          section += weight * (whole || id === undefined ? together : (levels[depth]!.get(id) ?? 0))
        }
        const own = scores[at]! / total
        const neighbours = together / total - own
        return { chunk, score: (together + section) / total, own, neighbours, section: section / total }
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
  mixtures: readonly LexicalMixture[],
  signal: AbortSignal | undefined,
): Promise<ArrayLike<number>> {
  if (index.scoreMixtures !== undefined) return index.scoreMixtures(query, mixtures, { signal })
  const found = await index.search(query, { topK: 10_000, signal })
  const own = new Map(found.map(({ id, score }) => [id, score]))
  return mixtures.map(({ ids, weights }) => ids.reduce((sum, id, i) => sum + weights[i]! * (own.get(id) ?? 0), 0))
}

interface Scored<M extends Metadata> extends ScoredChunk<StoredChunk<M>> {
  readonly own: number
  readonly neighbours: number
  readonly section: number
}

function ranked<M extends Metadata>(scored: readonly Scored<M>[], topK: number): Passage<M>[] {
  const best = scored.toSorted((a, b) => b.score - a.score || (a.chunk.id < b.chunk.id ? -1 : 1)).slice(0, topK)
  const byOwn = stageOf(
    'lexical',
    scored.map(({ own }) => own),
  )
  const byNeighbours = stageOf(
    'neighbours',
    scored.map(({ neighbours }) => neighbours),
  )
  const bySection = stageOf(
    'section',
    scored.map(({ section }) => section),
  )
  const byAll = normalizedScores(scored.map(({ score }) => score))
  return best.map(({ chunk, score, own, neighbours, section }, index) => ({
    ...chunk,
    source: chunk.source ?? {},
    score,
    stages: [
      byOwn(own),
      byNeighbours(neighbours),
      bySection(section),
      { stage: 'contextual', rank: index + 1, score, normalized: byAll(score), weight: 1 },
    ],
  }))
}

/**
 * What a part of the scores says of a passage. Its rank is one more than how many are better. Its weight is 1: the parts are
 * parts of the sum already.
 */
function stageOf(stage: string, scores: readonly number[]): (score: number) => StageScore {
  const ascending = Float64Array.from(scores).sort()
  const places = normalizedScores(scores)
  return (score) => ({
    stage,
    rank: ascending.length - lastAtMost(ascending, score, (value) => value),
    score,
    normalized: places(score),
    weight: 1,
  })
}

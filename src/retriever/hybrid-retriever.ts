import type { Metadata, Passage } from '../document.ts'
import { invalidArgument, requireInteger, requireNumber, requireObject, requireOneOf } from '../internal/argument.ts'
import { requireRetriever } from './collaborators.ts'
import { type FusionMethod, fuse, hasScores } from './fusion.ts'
import { requireQuery, topKOf } from './index-retrieval.ts'
import { dropNearDuplicates } from './near-duplicates.ts'
import type { Retrieval, RetrieveOptions, Retriever, StageReport } from './retriever.ts'

/** How much each leg of a hybrid counts. */
export interface HybridWeights {
  /** Of the lexical leg. Default 1. */
  readonly lexical?: number
  /** Of the dense leg. Default 0.1: what a weak embedder can bear. A strong one can have 1. */
  readonly dense?: number
}

/** What {@link hybridRetriever} is made of. */
export interface HybridRetrieverOptions<M extends Metadata = Metadata, Q = string> {
  /** Finds by words. */
  readonly lexical: Retriever<M, Q>
  /** Finds by meaning. */
  readonly dense: Retriever<M, Q>
  /** How much each leg counts: 0 and up, not both 0. A leg of weight 0 does not run, and the other's answer stands as it is. */
  readonly weights?: HybridWeights
  /** How the two lists become one. Default `convex`; `rrf` where a leg's scores say nothing. */
  readonly fusion?: FusionMethod
  /** The constant of reciprocal rank fusion. Default 60. */
  readonly rrfK?: number
  /** How many passages each leg is asked for, at least `topK`. Default 100. */
  readonly candidates?: number
  /** `overlap` lowers the dense leg's weight, query by query, when its best are strangers to the lexical leg: fewer than three of its ten best among a full list of lexical candidates. A leg of noise then does no harm. Default `overlap`. */
  readonly gate?: 'overlap' | 'none'
  /** Share of word 4-grams from which a passage counts as a repetition of a better one and is left out: above 0, at most 1; false keeps all. Default 0.95. */
  readonly nearDuplicates?: number | false
}

/** Of the dense leg's best, how many are looked at, and how many of them the lexical leg must know. */
const GATE = { best: 10, known: 3 }

/**
 * Joins lexical and dense retrieval: what a query names and what it means. Every passage says what each leg said of it.
 *
 * @example
 * const retriever = hybridRetriever({
 *   lexical: lexicalRetriever({ index: words, store }),
 *   dense: denseRetriever({ index: vectors, embedder, store }),
 * })
 */
// @__NO_SIDE_EFFECTS__
export function hybridRetriever<M extends Metadata = Metadata, Q = string>(
  options: HybridRetrieverOptions<M, Q>,
): Retriever<M, Q> {
  requireObject('options', options)
  const { fusion = 'convex', rrfK = 60, candidates = 100, gate = 'overlap', nearDuplicates = 0.95 } = options
  const { weights = {} } = options
  requireRetriever('lexical', options.lexical)
  requireRetriever('dense', options.dense)
  requireObject('weights', weights, 'an object with lexical and dense')
  const { lexical: lexicalWeight = 1, dense: denseWeight = 0.1 } = weights
  requireNumber('weights.lexical', lexicalWeight, 0)
  requireNumber('weights.dense', denseWeight, 0)
  if (lexicalWeight === 0 && denseWeight === 0)
    throw invalidArgument('weights', 'above 0 for one leg at least: nothing would be searched', weights)
  requireOneOf('fusion', fusion, ['convex', 'rrf'])
  requireOneOf('gate', gate, ['overlap', 'none'])
  requireInteger('rrfK', rrfK, 0)
  requireInteger('candidates', candidates, 1, 10_000)
  if (nearDuplicates !== false && !(typeof nearDuplicates === 'number' && nearDuplicates > 0 && nearDuplicates <= 1))
    throw invalidArgument('nearDuplicates', 'false, or a share above 0 and at most 1', nearDuplicates)
  if (denseWeight === 0) return alone(options.lexical, 'dense')
  if (lexicalWeight === 0) return alone(options.dense, 'lexical')

  return {
    async retrieve(query, retrieval) {
      const topK = topKOf(retrieval)
      requireQuery(query)
      const wide = { ...retrieval, topK: Math.max(topK, candidates) }
      const [lexical, dense] = await Promise.all([
        options.lexical.retrieve(query, wide),
        options.dense.retrieve(query, wide),
      ])
      retrieval?.signal?.throwIfAborted()
      const scored = hasScores(lexical.passages) && hasScores(dense.passages)
      const method = scored ? fusion : 'rrf'
      const confidence = gate === 'none' ? 1 : overlapConfidence(lexical.passages, dense.passages, wide.topK)
      const lists = [
        { passages: lexical.passages, weight: lexicalWeight },
        { passages: dense.passages, weight: denseWeight * confidence },
      ]
      const fused = fuse(
        lists.filter(({ weight }) => weight > 0),
        method,
        rrfK,
      )
      const kept = nearDuplicates === false ? fused.slice(0, topK) : dropNearDuplicates(fused, nearDuplicates, topK)
      const [byWords = 0, byMeaning = 0] = lists.map(
        ({ weight }) => weight / (lexicalWeight + denseWeight * confidence),
      )
      const gated = confidence < 1 ? `; dense gated to ${confidence.toFixed(2)} of its weight` : ''
      const report: StageReport = { stage: 'fusion', candidates: fused.length, note: `${method} of both legs${gated}` }
      return {
        passages: kept,
        explanation: { stages: [...weighted(lexical, byWords), ...weighted(dense, byMeaning), report] },
      }
    },
  }
}

/** How far the lexical leg knows the best of the dense one, 0–1. A short lexical list says nothing, and gates nothing. */
function overlapConfidence(lexical: readonly Passage[], dense: readonly Passage[], asked: number): number {
  if (lexical.length < asked || dense.length < GATE.best) return 1
  const known = new Set(lexical.map(({ id }) => id))
  const shared = dense.slice(0, GATE.best).filter(({ id }) => known.has(id)).length
  return Math.min(1, shared / GATE.known)
}

function weighted({ explanation }: Retrieval, weight: number): StageReport[] {
  return explanation.stages.map((stage, i, all) => (i === all.length - 1 ? { ...stage, weight } : stage))
}

function alone<M extends Metadata, Q>(leg: Retriever<M, Q>, other: string): Retriever<M, Q> {
  return {
    async retrieve(query: Q, options?: RetrieveOptions<M>) {
      const { passages, explanation } = await leg.retrieve(query, options)
      const skipped: StageReport = { stage: other, candidates: 0, weight: 0, note: 'weight 0: not run' }
      return { passages, explanation: { stages: [...explanation.stages, skipped] } }
    },
  }
}

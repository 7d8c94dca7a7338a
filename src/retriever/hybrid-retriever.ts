import type { Metadata } from '../document.ts'
import { GroundlineError } from '../errors.ts'
import { describe, requireInteger } from '../internal/argument.ts'
import { type FusionMethod, fuse, hasScores } from './fusion.ts'
import { requireQuery, topKOf } from './index-retrieval.ts'
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
}

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
  const { fusion = 'convex', rrfK = 60, candidates = 100 } = options
  const lexicalWeight = requireWeight('weights.lexical', options.weights?.lexical ?? 1)
  const denseWeight = requireWeight('weights.dense', options.weights?.dense ?? 0.1)
  if (lexicalWeight === 0 && denseWeight === 0)
    throw new GroundlineError('INVALID_ARGUMENT', 'weights must not both be 0: nothing would be searched')
  requireInteger('rrfK', rrfK, 0)
  requireInteger('candidates', candidates, 1, 10_000)
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
      const passages = fuse(
        [
          { passages: lexical.passages, weight: lexicalWeight },
          { passages: dense.passages, weight: denseWeight },
        ],
        method,
        rrfK,
      )
      const total = lexicalWeight + denseWeight
      const report: StageReport = { stage: 'fusion', candidates: passages.length, note: `${method} of both legs` }
      return {
        passages: passages.slice(0, topK),
        explanation: {
          stages: [...weighted(lexical, lexicalWeight / total), ...weighted(dense, denseWeight / total), report],
        },
      }
    },
  }
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

function requireWeight(name: string, weight: number): number {
  if (!(weight >= 0 && Number.isFinite(weight)))
    throw new GroundlineError(
      'INVALID_ARGUMENT',
      `${name} must be a finite number of at least 0, got ${describe(weight)}`,
      {
        details: { argument: name, actual: describe(weight) },
      },
    )
  return weight
}

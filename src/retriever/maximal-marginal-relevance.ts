import { requireNumber, requireObject } from '../internal/argument.ts'
import { textSimilarity } from './near-duplicates.ts'
import type { PassageTransform } from './retriever.ts'

/** Options of {@link maximalMarginalRelevance}. */
export interface MaximalMarginalRelevanceOptions {
  /** How much relevance counts beside novelty: 1 keeps the order, 0 looks for novelty only. Default 0.7. */
  readonly lambda?: number
}

/**
 * Reorders passages so that each adds to those before it: the next is the one with the largest
 * `lambda · relevance − (1 − lambda) · similarity to what was chosen` (Carbonell and Goldstein, 1998); relevance is the
 * score between the worst and the best of the list, similarity that of word 4-grams. Costs ranking quality on most test
 * collections, so nothing uses it by default.
 *
 * @example
 * const diverse = await maximalMarginalRelevance({ lambda: 0.5 })('rotate keys', passages)
 */
// @__NO_SIDE_EFFECTS__
export function maximalMarginalRelevance(options: MaximalMarginalRelevanceOptions = {}): PassageTransform {
  requireObject('options', options)
  const { lambda = 0.7 } = options
  requireNumber('lambda', lambda, 0, 1)
  return async (_, passages, { signal } = {}) => {
    signal?.throwIfAborted()
    const scores = passages.map(({ score }) => score)
    const best = scores.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
    const worst = scores.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)
    const left = passages.map((passage) => ({
      passage,
      relevance: best > worst ? (passage.score - worst) / (best - worst) : 1,
      similarity: 0,
    }))
    const chosen: (typeof passages)[number][] = []
    while (left.length > 0) {
      signal?.throwIfAborted()
      let at = 0
      const worth = (i: number) => lambda * left[i]!.relevance - (1 - lambda) * left[i]!.similarity
      for (let i = 1; i < left.length; i++) if (worth(i) > worth(at)) at = i
      const score = worth(at)
      const [next] = left.splice(at, 1)
      const stage = { stage: 'diversity', rank: chosen.length + 1, score, normalized: next!.relevance, weight: lambda }
      chosen.push({ ...next!.passage, stages: [...next!.passage.stages, stage] })
      for (const other of left) {
        const similar = textSimilarity(other.passage.text, next!.passage.text)
        other.similarity = Math.max(other.similarity, similar)
      }
    }
    return chosen
  }
}

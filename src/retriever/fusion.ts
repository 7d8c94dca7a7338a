import type { Metadata, Passage, StageScore } from '../document.ts'
import { normalizedScores } from '../internal/rank-passages.ts'

/** One list that enters a fusion. */
export interface FusionList<M extends Metadata = Metadata> {
  /** Best first. */
  readonly passages: readonly Passage<M>[]
  /** More than 0. */
  readonly weight: number
}

/** How lists become one. */
export type FusionMethod = 'convex' | 'rrf'

/**
 * Joins ranked lists into one, best first, ties by id. `convex` adds min-max normalised scores by weight; `rrf` adds
 * `weight / (rrfK + rank)` and needs no scores that can be compared (Cormack, Clarke and Büttcher, 2009). Either way the
 * result is divided by the sum of the weights (under `rrf` by the best that sum can reach), so scores lie in 0–1.
 */
export function fuse<M extends Metadata>(
  lists: readonly FusionList<M>[],
  method: FusionMethod,
  rrfK: number,
): Passage<M>[] {
  const total = lists.reduce((sum, { weight }) => sum + weight, 0)
  const fused = new Map<string, { passage: Passage<M>; stages: StageScore[]; score: number }>()
  for (const { passages, weight } of lists) {
    const share = weight / total
    const places = normalizedScores(passages.map(({ score }) => score))
    const normalized =
      method === 'rrf' ? reciprocalRanks(passages.length, rrfK) : passages.map(({ score }) => places(score))
    passages.forEach((passage, i) => {
      const kept = fused.get(passage.id) ?? { passage, stages: [], score: 0 }
      const own = passage.stages.slice(0, -1)
      const last = passage.stages.at(-1) ?? { stage: 'leg', rank: i + 1, score: passage.score }
      kept.stages.push(...own, { ...last, normalized: normalized[i]!, weight: share })
      kept.score += share * normalized[i]!
      fused.set(passage.id, kept)
    })
  }
  const ranked = [...fused.values()].sort((a, b) => b.score - a.score || (a.passage.id < b.passage.id ? -1 : 1))
  return ranked.map(({ passage, stages, score }, i) => ({
    ...passage,
    score,
    stages: [...stages, { stage: 'fusion', rank: i + 1, score, normalized: score, weight: 1 }],
  }))
}

/** Whether a list's scores say more than its order: finite, and not all the same. */
export function hasScores(passages: readonly Passage[]): boolean {
  if (passages.length < 2) return passages.every(({ score }) => Number.isFinite(score))
  return passages.every(({ score }) => Number.isFinite(score)) && passages.at(-1)!.score < passages[0]!.score
}

function reciprocalRanks(count: number, rrfK: number): number[] {
  return Array.from({ length: count }, (_, i) => (rrfK + 1) / (rrfK + i + 1))
}

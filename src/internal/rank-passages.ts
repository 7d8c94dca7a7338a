import type { Metadata, Passage } from '../document.ts'

/** A passage with what a stage says of it. */
export interface StagedPassage<M extends Metadata = Metadata> {
  /** As the stage got it. */
  readonly passage: Passage<M>
  /** Bigger is better. */
  readonly score: number
  /** The score from 0 to 1. Default: its place between the worst and the best of the list. */
  readonly normalized?: number
  /** How much the stage counted. Default 1. */
  readonly weight?: number
}

/**
 * Puts passages in the order of their scores, ties by id, keeps the `topK` best, and writes down what the stage said of
 * each: rank, score, normalised score and weight.
 */
export function rankPassages<M extends Metadata>(
  stage: string,
  staged: readonly StagedPassage<M>[],
  topK: number = staged.length,
): Passage<M>[] {
  const ranked = [...staged].sort((a, b) => b.score - a.score || (a.passage.id < b.passage.id ? -1 : 1))
  const places = normalizedScores(ranked.map(({ score }) => score))
  return ranked.slice(0, topK).map(({ passage, score, normalized = places(score), weight = 1 }, i) => ({
    ...passage,
    score,
    stages: [...passage.stages, { stage, rank: i + 1, score, normalized, weight }],
  }))
}

/** Where scores stand between the worst, 0, and the best, 1, of a list; 1 where all are the same. */
export function normalizedScores(scores: readonly number[]): (score: number) => number {
  const best = scores.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
  const worst = scores.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)
  return (score) => (best > worst ? (score - worst) / (best - worst) : 1)
}

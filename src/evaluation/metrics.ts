import { requireArray, requireInteger, requireMap } from '../internal/argument.ts'

/** The grades of one query's documents, by id. */
export type Grades = ReadonlyMap<string, number>

/**
 * Normalised discounted cumulative gain of the first `k`: gain is the grade, discount `log2(rank + 1)`, the ideal sorts
 * the query's grades (`ndcg_cut` of trec_eval). 0 for a query without a relevant document.
 */
export function ndcgAt(ids: readonly string[], grades: Grades, k: number = Number.POSITIVE_INFINITY): number {
  requireMetric(ids, grades, k)
  const ideal = Array.from(grades.values())
    .filter((grade) => grade > 0)
    .sort((a, b) => b - a)
  const best = discounted(ideal.slice(0, k))
  const gains = ids.slice(0, k).map((id) => Math.max(0, grades.get(id) ?? 0))
  return best === 0 ? 0 : discounted(gains) / best
}

/** Share of the relevant documents among the first `k`. 0 for a query without one. */
export function recallAt(ids: readonly string[], grades: Grades, k: number = ids.length): number {
  requireMetric(ids, grades, k)
  const relevant = relevantCount(grades)
  return relevant === 0 ? 0 : hits(ids, grades, k) / relevant
}

/** Share of the first `k` that is relevant; places without an answer count as wrong. */
export function precisionAt(ids: readonly string[], grades: Grades, k: number = ids.length): number {
  requireMetric(ids, grades, k)
  return k === 0 ? 0 : hits(ids, grades, k) / k
}

/** 1 / rank of the first relevant document among the first `k`; 0 where there is none. */
export function reciprocalRank(ids: readonly string[], grades: Grades, k: number = ids.length): number {
  requireMetric(ids, grades, k)
  const at = ids.slice(0, k).findIndex((id) => isRelevant(grades, id))
  return at === -1 ? 0 : 1 / (at + 1)
}

/** Mean of the precision at each relevant document of the first `k`, over all relevant ones. 0 for a query without one. */
export function averagePrecision(ids: readonly string[], grades: Grades, k: number = ids.length): number {
  requireMetric(ids, grades, k)
  const relevant = relevantCount(grades)
  let found = 0
  let sum = 0
  ids.slice(0, k).forEach((id, i) => {
    if (!isRelevant(grades, id)) return
    found++
    sum += found / (i + 1)
  })
  return relevant === 0 ? 0 : sum / relevant
}

function requireMetric(ids: readonly string[], grades: Grades, k: number): void {
  requireArray('ids', ids)
  requireMap('grades', grades, 'a Map of grades by id')
  if (k !== ids.length && k !== Number.POSITIVE_INFINITY) requireInteger('k', k, 1)
}

function discounted(gains: readonly number[]): number {
  return gains.reduce((sum, gain, i) => sum + gain / Math.log2(i + 2), 0)
}

function hits(ids: readonly string[], grades: Grades, k: number): number {
  return ids.slice(0, k).filter((id) => isRelevant(grades, id)).length
}

function isRelevant(grades: Grades, id: string): boolean {
  return (grades.get(id) ?? 0) > 0
}

function relevantCount(grades: Grades): number {
  return Array.from(grades.values()).filter((grade) => grade > 0).length
}

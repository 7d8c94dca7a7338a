import { GroundlineError } from '../errors.ts'
import { requireArray, requireObject } from '../internal/argument.ts'
import type { EvaluationResult } from './evaluation.ts'
import { type BootstrapResult, pairedBootstrap, permutationTest, type SignificanceOptions } from './significance.ts'

/** How two runs differ by one metric. */
export interface MetricComparison extends BootstrapResult {
  /** Mean of the first. */
  readonly a: number
  /** Mean of the second. */
  readonly b: number
  /** Two-sided p-value of the permutation test. */
  readonly p: number
  /** Queries where the second is better. */
  readonly wins: number
  /** Queries where the first is better. */
  readonly losses: number
  /** The queries that changed most, largest change first, at most 20. */
  readonly changes: readonly { readonly query: string; readonly a: number; readonly b: number }[]
}

/**
 * How run b differs from run a, by each metric that both have: means, the interval of the difference, its p-value, and
 * the queries that changed most. Throws `INVALID_ARGUMENT` unless both were evaluated on the same queries.
 *
 * @example
 * const { 'ndcg@10': ndcg } = compareRuns(evaluateRun(bm25, judgments), evaluateRun(hybrid, judgments))
 */
export function compareRuns(
  a: EvaluationResult,
  b: EvaluationResult,
  options: SignificanceOptions = {},
): Readonly<Record<string, MetricComparison>> {
  for (const [name, result] of Object.entries({ a, b })) {
    requireObject(name, result, 'what evaluateRun gives')
    requireArray(`${name}.queries`, result.queries)
    requireObject(`${name}.means`, result.means)
  }
  if (a.queries.length !== b.queries.length || a.queries.some(({ id }, i) => id !== b.queries[i]!.id))
    throw new GroundlineError('INVALID_ARGUMENT', 'both runs must be evaluated on the same judgments')
  const names = Object.keys(a.means).filter((name) => Object.hasOwn(b.means, name))
  return Object.fromEntries(
    names.map((name): [string, MetricComparison] => {
      const left = a.queries.map(({ values }) => values[name]!)
      const right = b.queries.map(({ values }) => values[name]!)
      const changes = a.queries
        .map(({ id }, i) => ({ query: id, a: left[i]!, b: right[i]! }))
        .filter((change) => change.a !== change.b)
        .sort((x, y) => Math.abs(y.b - y.a) - Math.abs(x.b - x.a))
      return [
        name,
        {
          ...pairedBootstrap(left, right, options),
          a: a.means[name]!,
          b: b.means[name]!,
          p: permutationTest(left, right, options),
          wins: changes.filter((change) => change.b > change.a).length,
          losses: changes.filter((change) => change.b < change.a).length,
          changes: changes.slice(0, 20),
        },
      ]
    }),
  )
}

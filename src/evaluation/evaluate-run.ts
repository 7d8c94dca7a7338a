import { GroundlineError } from '../errors.ts'
import {
  describe,
  invalidArgument,
  requireArray,
  requireMap,
  requireObject,
  requireOneOf,
} from '../internal/argument.ts'
import type { EvaluationResult, Judgments, MetricName, QueryResult, RankedResult, Run } from './evaluation.ts'
import { averagePrecision, type Grades, ndcgAt, precisionAt, recallAt, reciprocalRank } from './metrics.ts'

/** Options of {@link evaluateRun}. */
export interface EvaluateRunOptions {
  /** What is computed. Default nDCG@10, recall@10, recall@100, MRR@10 and MAP@100. */
  readonly metrics?: readonly MetricName[]
  /** `given` takes each list as it stands; `trec_eval` sorts by score in single precision, ties by falling id, as that program does. Default `given`. */
  readonly order?: 'given' | 'trec_eval'
}

const DEFAULT_METRICS: readonly MetricName[] = ['ndcg@10', 'recall@10', 'recall@100', 'mrr@10', 'map@100']

/**
 * What a run is worth, query by query and on average, over the queries that have a relevant document; one without an
 * answer counts as 0 (`trec_eval -c`). Equal to trec_eval to 1e-9.
 *
 * @example
 * const { means } = evaluateRun(run, judgments, { metrics: ['ndcg@10'] })
 */
export function evaluateRun(run: Run, judgments: Judgments, options: EvaluateRunOptions = {}): EvaluationResult {
  requireObject('options', options)
  const { metrics = DEFAULT_METRICS, order = 'given' } = options
  requireOneOf('order', order, ['given', 'trec_eval'])
  requireArray('metrics', metrics)
  requireMap('run', run, 'a Map of results by query id, as runRetriever gives')
  requireMap('judgments', judgments, 'a Map of Maps, as parseQrels gives')
  const computed = metrics.map((name) => ({ name, compute: metricOf(name) }))
  const queries: QueryResult[] = []
  for (const [id, grades] of judgments) {
    requireMap(`the judgments of query ${describe(id)}`, grades, 'a Map of grades by document id')
    if (!Array.from(grades.values()).some((grade) => grade > 0)) continue
    const results: readonly RankedResult[] = run.get(id) ?? []
    if (order === 'trec_eval') requireScores(id, results)
    const ids = (order === 'given' ? results : trecOrder(results)).map((result) => result.id)
    const distinct = new Set(ids)
    if (distinct.size < ids.length)
      throw new GroundlineError('DUPLICATE_ID', `the run answers query ${describe(id)} with a document twice`, {
        details: { query: id },
      })
    queries.push({
      id,
      ids,
      values: Object.fromEntries(computed.map(({ name, compute }) => [name, compute(ids, grades)])),
    })
  }
  const mean = (name: string) =>
    queries.length === 0 ? 0 : queries.reduce((sum, { values }) => sum + values[name]!, 0) / queries.length
  return { means: Object.fromEntries(metrics.map((name) => [name, mean(name)])), queries }
}

function metricOf(name: MetricName): (ids: readonly string[], grades: Grades) => number {
  const [, kind, cut] = /^(ndcg|recall|precision|mrr|map)(?:@([1-9]\d{0,8}))?$/.exec(name) ?? []
  if (kind === undefined)
    throw invalidArgument('metrics', 'ndcg, recall, precision, mrr or map with a cut such as ndcg@10', name)
  const k = cut === undefined ? undefined : Number(cut)
  const compute = {
    ndcg: ndcgAt,
    recall: recallAt,
    precision: precisionAt,
    mrr: reciprocalRank,
    map: averagePrecision,
  }[kind as 'ndcg']
  return (ids, grades) => compute(ids, grades, k)
}

function requireScores(query: string, results: readonly RankedResult[]): void {
  const bad = results.find(({ score }) => typeof score !== 'number' || Number.isNaN(score))
  if (bad !== undefined)
    throw invalidArgument(
      `the score of ${describe(bad.id)} for query ${describe(query)}`,
      'a number to sort by',
      bad.score,
    )
}

function trecOrder(results: readonly RankedResult[]): RankedResult[] {
  return [...results].sort((a, b) => {
    const [left, right] = [Math.fround(a.score), Math.fround(b.score)]
    return left === right ? (a.id < b.id ? 1 : -1) : right - left
  })
}

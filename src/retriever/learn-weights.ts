import type { AbortOptions, Metadata, Passage } from '../document.ts'
import {
  invalidArgument,
  requireArray,
  requireInteger,
  requireMap,
  requireObject,
  requireString,
} from '../internal/argument.ts'
import { requireRetriever } from './collaborators.ts'
import { fuse } from './fusion.ts'
import type { HybridWeights } from './hybrid-retriever.ts'
import type { Retriever } from './retriever.ts'

/** A query with what is right. */
export interface LabelledQuery {
  /** What is asked. */
  readonly query: string
  /** Grades by chunk id: above 0 is relevant, more is better. */
  readonly relevant: ReadonlyMap<string, number>
}

/** What {@link learnHybridWeights} needs. */
export interface LearnWeightsOptions<M extends Metadata = Metadata> extends AbortOptions {
  /** The legs of the hybrid. */
  readonly lexical: Retriever<M>
  /** The legs of the hybrid. */
  readonly dense: Retriever<M>
  /** At least 5; some dozens are better. */
  readonly queries: readonly LabelledQuery[]
  /** Parts of the cross-validation. Default 5. */
  readonly folds?: number
  /** Passages each leg is asked for. Default 100. */
  readonly candidates?: number
}

/** What was learned. */
export interface LearnedWeights {
  /** For `hybridRetriever`. */
  readonly weights: Required<HybridWeights>
  /** Mean nDCG@10 of queries that had no say in their weight. */
  readonly crossValidated: number
  /** Mean nDCG@10 of the lexical leg alone. */
  readonly lexicalAlone: number
}

/** Dense weights that are tried beside a lexical weight of 1. */
const TRIED = [0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 4]

/**
 * Chooses the dense weight of a hybrid from labelled queries, by nDCG@10. What it is worth is measured by k-fold
 * cross-validation; where that is no better than the lexical leg alone, the dense weight is 0, so that learning never does
 * harm on the queries given.
 *
 * @example
 * const { weights } = await learnHybridWeights({ lexical, dense, queries })
 */
export async function learnHybridWeights<M extends Metadata>(options: LearnWeightsOptions<M>): Promise<LearnedWeights> {
  requireObject('options', options)
  const { lexical, dense, queries, folds = 5, candidates = 100, signal } = options
  requireRetriever('lexical', lexical)
  requireRetriever('dense', dense)
  requireInteger('folds', folds, 2, 100)
  requireInteger('candidates', candidates, 1, 10_000)
  requireLabelled(queries)
  const table: number[][] = []
  for (const { query, relevant } of queries) {
    signal?.throwIfAborted()
    const asked = { topK: candidates, signal }
    const [words, meaning] = await Promise.all([lexical.retrieve(query, asked), dense.retrieve(query, asked)])
    table.push(TRIED.map((weight) => gainOf(words.passages, meaning.passages, weight, relevant)))
  }
  const best = (rows: readonly number[][]) => {
    const sums = TRIED.map((_, i) => rows.reduce((sum, row) => sum + row[i]!, 0))
    // The smallest of equals: less weight on what does not help.
    return sums.indexOf(sums.reduce((a, b) => Math.max(a, b)))
  }
  let validated = 0
  for (let fold = 0; fold < folds; fold++) {
    const chosen = best(table.filter((_, i) => i % folds !== fold))
    for (let i = fold; i < table.length; i += folds) validated += table[i]![chosen]!
  }
  const crossValidated = validated / table.length
  const lexicalAlone = table.reduce((sum, row) => sum + row[0]!, 0) / table.length
  const denseWeight = crossValidated > lexicalAlone ? TRIED[best(table)]! : 0
  return { weights: { lexical: 1, dense: denseWeight }, crossValidated, lexicalAlone }
}

function requireLabelled(queries: readonly LabelledQuery[]): void {
  requireArray('queries', queries)
  if (queries.length < 5) throw invalidArgument('queries', 'at least 5 labelled queries', queries)
  for (const [at, labelled] of queries.entries()) {
    requireObject(`queries[${at}]`, labelled, 'an object with query and relevant')
    requireString(`queries[${at}].query`, labelled.query)
    const { relevant } = labelled
    requireMap(`queries[${at}].relevant`, relevant, 'a Map of grades by chunk id')
    for (const grade of relevant.values())
      if (!Number.isFinite(grade)) throw invalidArgument(`queries[${at}].relevant`, 'a Map of finite grades', grade)
  }
}

function gainOf<M extends Metadata>(
  lexical: readonly Passage<M>[],
  dense: readonly Passage<M>[],
  weight: number,
  relevant: ReadonlyMap<string, number>,
): number {
  const lists = [
    { passages: lexical, weight: 1 },
    { passages: dense, weight },
  ].filter((list) => list.weight > 0)
  const ids = fuse(lists, 'convex', 60).slice(0, 10)
  const sum = (grades: readonly number[]) => grades.reduce((total, grade, i) => total + grade / Math.log2(i + 2), 0)
  const ideal = Array.from(relevant.values())
    .filter((grade) => grade > 0)
    .sort((a, b) => b - a)
    .slice(0, 10)
  return ideal.length === 0 ? 0 : sum(ids.map(({ id }) => Math.max(0, relevant.get(id) ?? 0))) / sum(ideal)
}

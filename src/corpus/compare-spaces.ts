import type { AbortOptions, Metadata } from '../document.ts'
import { GroundlineError } from '../errors.ts'
import { requireInteger } from '../internal/argument.ts'
import type { Corpus } from './corpus.ts'
import { scanCorpus } from './scan-corpus.ts'

/** A query to compare two embedding spaces with. */
export interface ComparedQuery {
  /** The question. */
  readonly query: string
  /** Grades of chunk ids that answer it, 1 and up; absent without labels. */
  readonly relevant?: ReadonlyMap<string, number>
  /** Ids of chunks that must be found: a canary. */
  readonly expected?: readonly string[]
}

/** What to compare. */
export interface CompareSpacesOptions<M extends Metadata = Metadata> extends AbortOptions {
  /** The corpus as it answers now. */
  readonly current: Corpus<M>
  /** The same documents in another space: `corpus.candidate()`. */
  readonly candidate: Corpus<M>
  /** Embeds a query for the current space. */
  readonly embedCurrent: (query: string) => Promise<Float32Array>
  /** Embeds a query for the candidate's. */
  readonly embedCandidate: (query: string) => Promise<Float32Array>
  /** The queries. */
  readonly queries: readonly ComparedQuery[]
  /** How many results to look at. Default 10. */
  readonly topK?: number
}

/** How the answers of two spaces differ. */
export interface SpaceComparison {
  /** Mean share of results that both have. */
  readonly overlap: number
  /** Mean nDCG@k of each over the labelled queries; absent without labels. */
  readonly ndcg?: { readonly current: number; readonly candidate: number }
  /** The queries, those that differ most first. */
  readonly queries: readonly { readonly query: string; readonly overlap: number }[]
  /**
   * Canaries whose expected chunks the candidate does not find, what it misses of them, and which of those the
   * current space finds.
   */
  readonly canaries: readonly {
    readonly query: string
    readonly missing: readonly string[]
    readonly lost: readonly string[]
  }[]
}

/**
 * Answers queries in both spaces by exact scan and compares: what promoting a candidate would change. Two scans a query.
 *
 * @example
 * ```ts
 * import { compareSpaces } from 'groundline/corpus'
 *
 * const candidate = await corpus.candidate()
 * const { overlap, ndcg } = await compareSpaces({ current: corpus, candidate, embedCurrent, embedCandidate, queries })
 * ```
 */
export async function compareSpaces<M extends Metadata = Metadata>(
  options: CompareSpacesOptions<M>,
): Promise<SpaceComparison> {
  const { current, candidate, embedCurrent, embedCandidate, queries, topK = 10, signal } = options
  requireInteger('topK', topK, 1, 10_000)
  if (queries.length === 0) throw new GroundlineError('INVALID_ARGUMENT', 'queries must not be empty')
  const compared: { query: string; overlap: number }[] = []
  const canaries: { query: string; missing: readonly string[]; lost: readonly string[] }[] = []
  const gains: [current: number, candidate: number][] = []
  for (const { query, relevant, expected = [] } of queries) {
    signal?.throwIfAborted()
    const before = await scanCorpus(current, await embedCurrent(query), { topK, signal })
    const after = await scanCorpus(candidate, await embedCandidate(query), { topK, signal })
    const ids = new Set(before.map(({ id }) => id))
    const afterIds = new Set(after.map(({ id }) => id))
    const missing = expected.filter((id) => !afterIds.has(id))
    if (missing.length > 0) canaries.push({ query, missing, lost: missing.filter((id) => ids.has(id)) })
    const common = before.filter(({ id }) => afterIds.has(id)).length
    compared.push({ query, overlap: common / Math.max(1, before.length, after.length) })
    if (relevant && relevant.size > 0) gains.push([ndcg(before, relevant, topK), ndcg(after, relevant, topK)])
  }
  compared.sort((a, b) => a.overlap - b.overlap || (a.query < b.query ? -1 : 1))
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
  return {
    overlap: mean(compared.map(({ overlap }) => overlap)),
    ...(gains.length > 0 && {
      ndcg: { current: mean(gains.map(([one]) => one)), candidate: mean(gains.map(([, two]) => two)) },
    }),
    queries: compared,
    canaries,
  }
}

/** nDCG with linear gain and log2 discount. */
function ndcg(found: readonly { readonly id: string }[], relevant: ReadonlyMap<string, number>, topK: number): number {
  const discounted = (grades: readonly number[]): number =>
    grades.reduce((sum, grade, rank) => sum + grade / Math.log2(rank + 2), 0)
  const ideal = [...relevant.values()].sort((a, b) => b - a).slice(0, topK)
  return discounted(found.map(({ id }) => relevant.get(id) ?? 0)) / discounted(ideal)
}

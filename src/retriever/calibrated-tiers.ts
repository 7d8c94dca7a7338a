import type { AbortOptions, Metadata } from '../document.ts'
import { GroundlineError } from '../errors.ts'
import { requireInteger } from '../internal/argument.ts'
import type { Retriever } from './retriever.ts'
import { type TieredRetrieverOptions, tieredRetriever } from './tiered-retriever.ts'

/** What {@link calibratedTieredRetriever} is made of. */
export interface CalibratedTieredOptions<M extends Metadata = Metadata>
  extends Omit<TieredRetrieverOptions<M>, 'oversampling' | 'candidates'>,
    AbortOptions {
  /** Finds the true nearest of the same encoder: a dense retriever over the exact index of full vectors. */
  readonly exact: Retriever<M>
  /** Questions to measure with, like those that will be asked: at least 20, better 500. */
  readonly queries: readonly string[]
  /** Share of the exact answer that the two tiers must find on average, from 0.5 to 1. Default 0.99. */
  readonly recall?: number
  /** For how many results it is measured. Default 10. */
  readonly topK?: number
  /** The most candidates that are tried. Default 1,000. */
  readonly mostCandidates?: number
}

/** Two tiers that know how good they are. */
export interface CalibratedTieredRetriever<M extends Metadata = Metadata> extends Retriever<M> {
  /** What was measured: the recall reached, with how many candidates of the first tier for how many results. 0 candidates: the first tier cannot reach the target, and the exact retriever answers. */
  readonly measured: {
    readonly recall: number
    readonly candidates: number
    readonly topK: number
    readonly queries: number
  }
}

/**
 * A {@link tieredRetriever} that measures itself when it is made: the first tier is given as many candidates as it takes
 * for the recall asked for, on each half of the queries by itself. Where no number does, the exact retriever answers. Ask
 * for another `topK` and the candidates grow with it. Measure again after the content has changed much.
 *
 * @example
 * const retriever = await calibratedTieredRetriever({ first, embedder, vectors, exact, queries })
 * console.log(retriever.measured.recall)
 */
export async function calibratedTieredRetriever<M extends Metadata = Metadata>(
  options: CalibratedTieredOptions<M>,
): Promise<CalibratedTieredRetriever<M>> {
  const { first, exact, queries, recall = 0.99, topK = 10, mostCandidates = 1_000, signal } = options
  if (!(recall >= 0.5 && recall <= 1))
    throw new GroundlineError('INVALID_ARGUMENT', `recall must be a number from 0.5 to 1, got ${recall}`)
  requireInteger('topK', topK, 1, 1_000)
  requireInteger('mostCandidates', mostCandidates, topK, 10_000)
  if (queries.length < 20)
    throw new GroundlineError('INVALID_ARGUMENT', `at least 20 queries are needed to measure, got ${queries.length}`)
  // The second tier orders by the exact score, so a true neighbour is in the answer if the first tier gives it at all.
  const ranks: (readonly number[])[] = []
  for (const query of queries) {
    signal?.throwIfAborted()
    const [found, truth] = await Promise.all([
      first.retrieve(query, { topK: mostCandidates, signal }),
      exact.retrieve(query, { topK, signal }),
    ])
    const rankOf = new Map(found.passages.map(({ id }, i) => [id, i + 1]))
    ranks.push(truth.passages.map(({ id }) => rankOf.get(id) ?? Number.POSITIVE_INFINITY))
  }
  const halves = [0, 1].map((half) => ranks.filter((_, i) => i % 2 === half))
  let candidates = topK
  const holds = () => halves.every((half) => recallWithin(half, candidates) >= recall)
  while (!holds() && candidates < mostCandidates) candidates = Math.min(mostCandidates, Math.ceil(candidates * 1.25))
  const reached = holds()
  const measured = {
    recall: reached ? recallWithin(ranks, candidates) : 1,
    candidates: reached ? candidates : 0,
    topK,
    queries: queries.length,
  }
  if (!reached) return { measured, retrieve: (query, retrieval) => exact.retrieve(query, retrieval) }
  const tiers = tieredRetriever({ ...options, candidates, oversampling: Math.ceil(candidates / topK) })
  return { measured, retrieve: (query, retrieval) => tiers.retrieve(query, retrieval) }
}

/** Mean share of the true neighbours that are among the first tier's best. */
function recallWithin(ranks: readonly (readonly number[])[], candidates: number): number {
  const asked = ranks.filter((each) => each.length > 0)
  const shares = asked.map((each) => each.filter((rank) => rank <= candidates).length / each.length)
  return asked.length === 0 ? 1 : shares.reduce((sum, share) => sum + share, 0) / asked.length
}

import type { AbortOptions, Metadata } from '../document.ts'
import {
  invalidArgument,
  requireArray,
  requireInteger,
  requireNumber,
  requireObject,
  requireString,
} from '../internal/argument.ts'
import { requireRetriever } from './collaborators.ts'
import type { Retrieval, Retriever, StageReport } from './retriever.ts'
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
 * for the recall asked for, on each half of the queries by itself. Where no number up to `mostCandidates` does, the exact
 * retriever answers, at its cost: `measured.candidates` is 0, and each explanation says so in its stage `calibration`. Ask for another `topK` and the candidates grow with it. Measure again after the content has changed much.
 *
 * @example
 * const retriever = await calibratedTieredRetriever({ first, embedder, vectors, exact, queries })
 * console.log(retriever.measured.recall)
 */
export async function calibratedTieredRetriever<M extends Metadata = Metadata>(
  options: CalibratedTieredOptions<M>,
): Promise<CalibratedTieredRetriever<M>> {
  requireObject('options', options)
  const { first, exact, queries, recall = 0.99, topK = 10, mostCandidates = 1_000, signal } = options
  // What the two tiers are made of is refused before anything is measured.
  tieredRetriever(options)
  requireRetriever('exact', exact)
  requireNumber('recall', recall, 0.5, 1)
  requireInteger('topK', topK, 1, 1_000)
  requireInteger('mostCandidates', mostCandidates, topK, 10_000)
  requireArray('queries', queries)
  if (queries.length < 20) throw invalidArgument('queries', 'at least 20 questions to measure with', queries)
  for (const [at, query] of queries.entries()) requireString(`queries[${at}]`, query)
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
  const tiers = reached
    ? tieredRetriever({ ...options, candidates, oversampling: Math.ceil(candidates / topK) })
    : undefined
  const found = recallWithin(ranks, candidates).toFixed(4)
  const note = reached
    ? `first tier measured with ${queries.length} queries: ${found} of the exact answer among ${candidates} candidates`
    : `first tier left out: ${found} of the exact answer among ${candidates} candidates, less than ${recall}`
  return {
    measured,
    async retrieve(query, retrieval) {
      return noted(await (tiers ?? exact).retrieve(query, retrieval), { stage: 'calibration', candidates, note })
    },
  }
}

function noted<M extends Metadata>({ passages, explanation }: Retrieval<M>, report: StageReport): Retrieval<M> {
  return { passages, explanation: { ...explanation, stages: [...explanation.stages, report] } }
}

/** Mean share of the true neighbours that are among the first tier's best. */
function recallWithin(ranks: readonly (readonly number[])[], candidates: number): number {
  const asked = ranks.filter((each) => each.length > 0)
  const shares = asked.map((each) => each.filter((rank) => rank <= candidates).length / each.length)
  return asked.length === 0 ? 1 : shares.reduce((sum, share) => sum + share, 0) / asked.length
}

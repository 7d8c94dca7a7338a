import type { AbortOptions, Metadata, Passage } from '../document.ts'
import { invalidArgument, requireFunction, requireInteger, requireObject } from '../internal/argument.ts'
import { requireRetriever } from './collaborators.ts'
import { fuse } from './fusion.ts'
import { requireQuery, topKOf } from './index-retrieval.ts'
import type { Retriever, StageReport } from './retriever.ts'

/** Writes texts to search with beside a query: rephrasings, parts of a question, or a made-up answer. */
export type QueryGenerator = (query: string, options?: AbortOptions) => Promise<readonly string[]>

/** What {@link multiQueryRetriever} is made of. */
export interface MultiQueryRetrieverOptions<M extends Metadata = Metadata> {
  /** Finds passages for each query. */
  readonly retriever: Retriever<M>
  /** Writes the other queries. What it fails with is noted, and the query alone is searched. */
  readonly generate: QueryGenerator
  /** How many generated queries are used. Default 4. */
  readonly maxQueries?: number
  /** How much a generated query counts beside the original. Default 0.5. */
  readonly weight?: number
}

/**
 * Searches with a query and with others that a generator makes of it, and joins the lists by rank. With a generator that
 * writes a made-up answer this is HyDE (Gao and others, 2022); give it a dense retriever then.
 *
 * @example
 * const retriever = multiQueryRetriever({ retriever: hybrid, generate: async (query) => rephrase(query) })
 */
// @__NO_SIDE_EFFECTS__
export function multiQueryRetriever<M extends Metadata = Metadata>(
  options: MultiQueryRetrieverOptions<M>,
): Retriever<M> {
  requireObject('options', options)
  const { retriever, generate, maxQueries = 4, weight = 0.5 } = options
  requireRetriever('retriever', retriever)
  requireFunction('generate', generate, 'a function from a query to other queries')
  requireInteger('maxQueries', maxQueries, 1, 64)
  if (!(typeof weight === 'number' && weight > 0 && weight < Number.POSITIVE_INFINITY))
    throw invalidArgument('weight', 'a finite number above 0', weight)
  return {
    async retrieve(query, retrieval) {
      const topK = topKOf(retrieval)
      requireQuery(query)
      const { signal } = retrieval ?? {}
      signal?.throwIfAborted()
      const wide = { ...retrieval, topK: Math.min(10_000, Math.max(topK, 2 * topK)) }
      const original = retriever.retrieve(query, wide)
      // It is waited for below, when the generator has ended; a failure before that must not end the process.
      original.catch(() => undefined)
      const [others, note] = await generated(generate, query, maxQueries, signal)
      const retrievals = await Promise.all([original, ...others.map((other) => retriever.retrieve(other, wide))])
      signal?.throwIfAborted()
      if (others.length === 0) {
        const { passages, explanation } = retrievals[0]!
        const report: StageReport = { stage: 'queries', candidates: passages.length, note }
        return { passages: passages.slice(0, topK), explanation: { stages: [...explanation.stages, report] } }
      }
      const lists = retrievals.map(({ passages }, i) => ({ passages, weight: i === 0 ? 1 : weight }))
      const passages: Passage<M>[] = fuse(lists, 'rrf', 60).slice(0, topK)
      const report: StageReport = { stage: 'queries', candidates: passages.length, note }
      return {
        passages,
        explanation: { stages: [...retrievals.flatMap(({ explanation }) => explanation.stages), report] },
      }
    },
  }
}

async function generated(
  generate: QueryGenerator,
  query: string,
  maxQueries: number,
  signal: AbortSignal | undefined,
): Promise<[queries: string[], note: string]> {
  try {
    const texts = await generate(query, { signal })
    const distinct = new Set(texts.filter((text) => typeof text === 'string' && text.trim() !== '' && text !== query))
    const queries = Array.from(distinct).slice(0, maxQueries)
    return [queries, `${queries.length} generated queries beside the original`]
  } catch (error) {
    signal?.throwIfAborted()
    return [[], `the generator failed, the query alone was searched: ${error instanceof Error ? error.name : 'error'}`]
  }
}

import type { Metadata, Passage } from '../document.ts'
import { GroundlineError } from '../errors.ts'
import type { Reranker, RerankOptions } from '../retriever/retriever.ts'
import { requireInteger, requireString } from './argument.ts'
import { callProvider, type ProviderCall, type ProviderConnection } from './call-provider.ts'
import { circuitBreaker } from './circuit-breaker.ts'
import { invalidResponse } from './provider-error.ts'
import { rankPassages } from './rank-passages.ts'
import { callWithRetry, type RetryPolicy, requireRetryPolicy } from './retry.ts'
import { retryBudget } from './retry-budget.ts'

/** Options that every reranker over an API has. */
export interface ProviderRerankerConnection extends ProviderConnection {
  /** How failed calls are repeated; the vendor's package repeats none. */
  readonly retry?: RetryPolicy
}

/** What an adapter says of its provider. */
export interface ProviderRerankerOptions {
  /** `cohere`, `voyage`, `jina`. */
  readonly provider: string
  /** Key, address, deadlines, retries. */
  readonly connection: ProviderRerankerConnection
  /** Makes one request and gives the answer's rows: one a passage, in any order. */
  readonly request: (query: string, texts: readonly string[], call: ProviderCall) => Promise<unknown>
  /** Reads a row. */
  readonly row: (row: object) => { readonly index: unknown; readonly score: unknown }
}

/** The most passages of one request: the least of what the providers take. */
const MOST_PASSAGES = 1_000

/**
 * The part of every rerank adapter that is not about its provider: abort, deadline, retries, typed errors. All scores are
 * asked for, so that an answer with a passage too few, too many or twice is known to be damaged, and refused.
 */
export function providerReranker(options: ProviderRerankerOptions): Reranker {
  const { provider, connection, request, row } = options
  const { retry = {} } = connection
  requireRetryPolicy(retry)
  const { clock } = retry
  const policy = { budget: retryBudget(), breaker: circuitBreaker(clock ? { clock } : {}), ...retry }
  return {
    async rerank<M extends Metadata>(query: string, passages: readonly Passage<M>[], rerank: RerankOptions = {}) {
      const { signal, topK = Math.max(1, passages.length) } = rerank
      requireInteger('topK', topK, 1)
      requireString('query', query)
      signal?.throwIfAborted()
      if (passages.length === 0) return []
      if (passages.length > MOST_PASSAGES)
        throw new GroundlineError(
          'INVALID_ARGUMENT',
          `${provider} reranks at most ${MOST_PASSAGES} passages in a call, got ${passages.length}; pass the best of them`,
          { details: { argument: 'passages', actual: passages.length } },
        )
      const texts = passages.map(({ text }) => text)
      const attempt = (each: AbortSignal) =>
        callProvider({ provider, connection, operation: 'rerank' }, each, async (call) =>
          scoresOf(provider, await request(query, texts, call), row, texts.length),
        )
      const scores = await callWithRetry(provider, attempt, policy, signal)
      const scored = passages.map((passage, i) => ({ passage, score: scores[i]! }))
      return rankPassages('rerank', scored, topK)
    },
  }
}

/** One score a passage, in the order of the passages. */
function scoresOf(
  provider: string,
  rows: unknown,
  read: ProviderRerankerOptions['row'],
  count: number,
): readonly number[] {
  if (!Array.isArray(rows)) throw invalidResponse(provider, `${count} scores`, typeof rows)
  if (rows.length !== count) throw invalidResponse(provider, `${count} scores`, `${rows.length}`)
  const scores = new Array<number>(count).fill(Number.NaN)
  for (const [at, each] of rows.entries()) {
    if (typeof each !== 'object' || each === null)
      throw invalidResponse(provider, `row ${at} as an object`, String(each))
    const { index, score } = read(each)
    if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || index >= count)
      throw invalidResponse(provider, `an index from 0 to ${count - 1} in row ${at}`, String(index))
    if (!Number.isNaN(scores[index])) throw invalidResponse(provider, 'each passage once', `passage ${index} twice`)
    if (typeof score !== 'number' || !Number.isFinite(score))
      throw invalidResponse(provider, `a finite score of passage ${index}`, String(score))
    scores[index] = score
  }
  return scores
}

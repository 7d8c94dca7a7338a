import type { CohereClientV2 } from 'cohere-ai'
import { requireInteger, requireObject, requireString } from '../../internal/argument.ts'
import type { Fetch } from '../../internal/deadline.ts'
import { importPeer } from '../../internal/import-peer.ts'
import { type ProviderRerankerConnection, providerReranker } from '../../internal/provider-reranker.ts'
import { requireSecureUrl } from '../../internal/transport.ts'
import type { Reranker } from '../../retriever/retriever.ts'

/** Options of {@link cohereReranker}. */
export interface CohereRerankerOptions extends ProviderRerankerConnection {
  /** A client of the `cohere-ai` package. Its address is its owner's; its retries are off for each call. */
  readonly client?: CohereClientV2
  /** `rerank-v4.0-pro`, `rerank-v3.5`, … */
  readonly model: string
  /** Tokens of each passage that the model reads; the rest is not read. Default the service's, 4,096. */
  readonly passageTokens?: number
}

const COHERE_URL = 'https://api.cohere.com'

/**
 * Cohere's rerank models, through the official `cohere-ai` package with its retries off. Scores are the service's, 0 to 1.
 * At most 1,000 passages a call. Throws `INVALID_RESPONSE` for an answer that does not score each passage once.
 *
 * @example
 * const reranker = cohereReranker({ apiKey, model: 'rerank-v3.5' })
 */
// @__NO_SIDE_EFFECTS__
export function cohereReranker(options: CohereRerankerOptions): Reranker {
  requireObject('options', options, 'an object with model')
  const { model, client: given, apiKey = '', baseURL = COHERE_URL, passageTokens } = options
  requireString('model', model)
  if (passageTokens !== undefined) requireInteger('passageTokens', passageTokens, 1)
  requireSecureUrl(baseURL, options)
  const make = async (fetch: Fetch) => {
    const { CohereClientV2: Client } = await importPeer('cohere-ai', () => import('cohere-ai'))
    return new Client({ token: apiKey, environment: baseURL, maxRetries: 0, timeoutInSeconds: 86_400, fetch })
  }
  return providerReranker({
    provider: 'cohere',
    connection: options,
    async request(query, texts, { signal, fetch }) {
      const client = given ?? (await make(fetch))
      const reply = await client.rerank(
        { model, query, documents: [...texts], ...(passageTokens !== undefined && { maxTokensPerDoc: passageTokens }) },
        { maxRetries: 0, abortSignal: signal },
      )
      return reply?.results
    },
    row: (row) => {
      const { index, relevanceScore } = row as { index?: unknown; relevanceScore?: unknown }
      return { index, score: relevanceScore }
    },
  })
}

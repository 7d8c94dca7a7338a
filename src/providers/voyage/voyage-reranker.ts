import type { VoyageAIClient } from 'voyageai'
import { requireObject, requireOneOf, requireString } from '../../internal/argument.ts'
import type { Fetch } from '../../internal/deadline.ts'
import { importPeer } from '../../internal/import-peer.ts'
import { type ProviderRerankerConnection, providerReranker } from '../../internal/provider-reranker.ts'
import { requireSecureUrl } from '../../internal/transport.ts'
import type { Reranker } from '../../retriever/retriever.ts'

/** Options of {@link voyageReranker}. */
export interface VoyageRerankerOptions extends ProviderRerankerConnection {
  /** A client of the `voyageai` package. Its address is its owner's; its retries are off for each call. */
  readonly client?: VoyageAIClient
  /** `rerank-2.5`, `rerank-2.5-lite`, … */
  readonly model: string
  /** What happens to a query or passage over the model's limit: `refuse` fails the call, `cut` leaves the end unread. Default `cut`. */
  readonly overlong?: 'refuse' | 'cut'
}

const VOYAGE_URL = 'https://api.voyageai.com/v1'

/**
 * Voyage's rerank models, through the official `voyageai` package with its retries off. Scores are the service's. At most
 * 1,000 passages a call. Throws `INVALID_RESPONSE` for an answer that does not score each passage once.
 *
 * @example
 * const reranker = voyageReranker({ apiKey, model: 'rerank-2.5' })
 */
// @__NO_SIDE_EFFECTS__
export function voyageReranker(options: VoyageRerankerOptions): Reranker {
  requireObject('options', options, 'an object with model')
  const { model, client: given, apiKey = '', baseURL = VOYAGE_URL, overlong = 'cut' } = options
  requireString('model', model)
  requireOneOf('overlong', overlong, ['refuse', 'cut'])
  requireSecureUrl(baseURL, options)
  const make = async (fetch: Fetch) => {
    const { VoyageAIClient: Client } = await importPeer('voyageai', () => import('voyageai'))
    return new Client({ apiKey, environment: baseURL, maxRetries: 0, timeoutInSeconds: 86_400, fetch })
  }
  return providerReranker({
    provider: 'voyage',
    connection: options,
    async request(query, texts, { signal, fetch }) {
      const client = given ?? (await make(fetch))
      const reply = await client.rerank(
        { model, query, documents: [...texts], returnDocuments: false, truncation: overlong === 'cut' },
        { maxRetries: 0, abortSignal: signal },
      )
      return reply?.data
    },
    row: (row) => {
      const { index, relevanceScore } = row as { index?: unknown; relevanceScore?: unknown }
      return { index, score: relevanceScore }
    },
  })
}

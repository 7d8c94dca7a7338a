import type { Mistral } from '@mistralai/mistralai'
import type { Embedder, EmbedLimits } from '../../embedder/embedder.ts'
import type { ProviderConnection } from '../../internal/call-provider.ts'
import type { Fetch } from '../../internal/deadline.ts'
import { readTokens, readVector, rowsByIndex } from '../../internal/embedding-reply.ts'
import { importPeer } from '../../internal/import-peer.ts'
import { type EmbeddingModelFacts, providerEmbedder, resolveDimensions } from '../../internal/provider-embedder.ts'
import { requireSecureUrl } from '../../internal/transport.ts'

/** Options of {@link mistralEmbedder}. */
export interface MistralEmbedderOptions extends ProviderConnection {
  /** A client of the `@mistralai/mistralai` package. Its address is its owner's; its retries are off for each call. */
  readonly client?: Mistral
  /** `mistral-embed`, `codestral-embed`, or another embedding model with `dimensions`. */
  readonly model: string
  /** Length of the vectors. Default: the model's own. */
  readonly dimensions?: number
}

const MISTRAL_URL = 'https://api.mistral.ai'

/** As https://docs.mistral.ai/capabilities/embeddings gives them (2026-11). */
const MODELS: ReadonlyMap<string, EmbeddingModelFacts> = /* @__PURE__ */ new Map<string, EmbeddingModelFacts>([
  ['mistral-embed', { dimensions: 1024 }],
  ['codestral-embed', { dimensions: 1536, lengths: [256, 512, 1024, 3072] }],
])

/** The service refuses more than 16,384 tokens a request. */
const LIMITS: EmbedLimits = { items: 512, inputTokens: 8192, batchTokens: 16_384 }

/**
 * Mistral's embedding models, through the official `@mistralai/mistralai` package with its retries off. `role` makes no
 * difference to these models.
 *
 * @example
 * const embedder = mistralEmbedder({ apiKey, model: 'mistral-embed' })
 */
// @__NO_SIDE_EFFECTS__
export function mistralEmbedder(options: MistralEmbedderOptions): Embedder {
  const { model, client: given, apiKey = '', baseURL = MISTRAL_URL } = options
  requireSecureUrl(baseURL, options)
  const facts = MODELS.get(model)
  const dimensions = resolveDimensions(model, options.dimensions, facts)
  const make = async (fetch: Fetch) => {
    const { HTTPClient, Mistral: Client } = await importPeer(
      '@mistralai/mistralai',
      () => import('@mistralai/mistralai'),
    )
    const httpClient = new HTTPClient({ fetcher: fetch })
    return new Client({ apiKey, serverURL: baseURL, httpClient, retryConfig: { strategy: 'none' } })
  }

  return providerEmbedder({
    provider: 'mistral',
    space: { model, dimensions, normalized: true },
    limits: LIMITS,
    connection: options,
    async request(inputs, { signal, fetch }) {
      const { embeddings } = given ?? (await make(fetch))
      const reply = await embeddings.create(
        {
          model,
          inputs: [...inputs],
          ...(dimensions !== facts?.dimensions && { outputDimension: dimensions }),
        },
        { retries: { strategy: 'none' }, signal },
      )
      const rows = rowsByIndex('mistral', reply?.data, inputs.length)
      const vectors = rows.map((row) => readVector('mistral', row.embedding))
      return { vectors, usage: readTokens(reply.usage?.totalTokens) }
    },
  })
}

import type { VoyageAIClient } from 'voyageai'
import type { Embedder, EmbedLimits } from '../../embedder/embedder.ts'
import type { ProviderConnection } from '../../internal/call-provider.ts'
import type { Fetch } from '../../internal/deadline.ts'
import { readTokens, readVector, rowsByIndex } from '../../internal/embedding-reply.ts'
import { importPeer } from '../../internal/import-peer.ts'
import { type EmbeddingModelFacts, providerEmbedder, resolveDimensions } from '../../internal/provider-embedder.ts'
import { requireSecureUrl } from '../../internal/transport.ts'

/** Options of {@link voyageEmbedder}. */
export interface VoyageEmbedderOptions extends ProviderConnection {
  /** A client of the `voyageai` package. Its address is its owner's; its retries are off for each call. */
  readonly client?: VoyageAIClient
  /** `voyage-4`, `voyage-3.5`, `voyage-code-3`, …, or another embedding model with `dimensions`. */
  readonly model: string
  /** Length of the vectors. Default: the model's own. */
  readonly dimensions?: number
}

const VOYAGE_URL = 'https://api.voyageai.com/v1'

const SHORTENING: EmbeddingModelFacts = { dimensions: 1024, lengths: [256, 512, 2048] }
const FIXED: EmbeddingModelFacts = { dimensions: 1024 }
/** As https://docs.voyageai.com/docs/embeddings gives them (2026-11). */
const MODELS: ReadonlyMap<string, EmbeddingModelFacts> = /* @__PURE__ */ new Map<string, EmbeddingModelFacts>([
  ['voyage-4-large', SHORTENING],
  ['voyage-4', SHORTENING],
  ['voyage-4-lite', SHORTENING],
  ['voyage-3-large', SHORTENING],
  ['voyage-3.5', SHORTENING],
  ['voyage-3.5-lite', SHORTENING],
  ['voyage-code-3', SHORTENING],
  ['voyage-finance-2', FIXED],
  ['voyage-law-2', FIXED],
])

/** The least of all models, as the types of the `voyageai` package give them. */
const LIMITS: EmbedLimits = { items: 128, inputTokens: 16_000, batchTokens: 120_000 }

/**
 * Voyage's embedding models, through the official `voyageai` package with its retries off. Queries and documents are told
 * apart by input type. Over-long inputs are refused by the service (`truncation: false`), never cut.
 *
 * @example
 * const embedder = voyageEmbedder({ apiKey, model: 'voyage-4', dimensions: 512 })
 */
// @__NO_SIDE_EFFECTS__
export function voyageEmbedder(options: VoyageEmbedderOptions): Embedder {
  const { model, client: given, apiKey = '', baseURL = VOYAGE_URL } = options
  requireSecureUrl(baseURL, options)
  const facts = MODELS.get(model)
  const dimensions = resolveDimensions(model, options.dimensions, facts)
  const make = async (fetch: Fetch) => {
    const { VoyageAIClient: Client } = await importPeer('voyageai', () => import('voyageai'))
    return new Client({ apiKey, environment: baseURL, maxRetries: 0, timeoutInSeconds: 86_400, fetch })
  }

  return providerEmbedder({
    provider: 'voyage',
    space: { model, dimensions, normalized: true },
    limits: LIMITS,
    connection: options,
    async request(inputs, { signal, role, fetch }) {
      const client = given ?? (await make(fetch))
      const reply = await client.embed(
        {
          model,
          input: [...inputs],
          inputType: role,
          truncation: false,
          ...(dimensions !== facts?.dimensions && { outputDimension: dimensions }),
        },
        { maxRetries: 0, abortSignal: signal },
      )
      const rows = rowsByIndex('voyage', reply?.data, inputs.length)
      const vectors = rows.map((row) => readVector('voyage', row.embedding))
      return { vectors, usage: readTokens(reply.usage?.totalTokens) }
    },
  })
}

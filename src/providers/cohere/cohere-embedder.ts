import type { CohereClientV2 } from 'cohere-ai'
import type { Embedder, EmbedLimits } from '../../embedder/embedder.ts'
import type { ProviderConnection } from '../../internal/call-provider.ts'
import type { Fetch } from '../../internal/deadline.ts'
import { readTokens, readVector } from '../../internal/embedding-reply.ts'
import { importPeer } from '../../internal/import-peer.ts'
import { type EmbeddingModelFacts, providerEmbedder, resolveDimensions } from '../../internal/provider-embedder.ts'
import { invalidResponse } from '../../internal/provider-error.ts'
import { requireSecureUrl } from '../../internal/transport.ts'

/** Options of {@link cohereEmbedder}. */
export interface CohereEmbedderOptions extends ProviderConnection {
  /** A client of the `cohere-ai` package. Its address is its owner's; its retries are off for each call. */
  readonly client?: CohereClientV2
  /** `embed-v4.0`, `embed-english-v3.0`, `embed-multilingual-v3.0`, their light forms, or another with `dimensions`. */
  readonly model: string
  /** Length of the vectors. Default: the model's own. */
  readonly dimensions?: number
}

const COHERE_URL = 'https://api.cohere.com'

/** As https://docs.cohere.com/docs/cohere-embed gives them (2026-11). Version 3 models read 512 tokens. */
const MODELS: ReadonlyMap<string, EmbeddingModelFacts> = /* @__PURE__ */ new Map<string, EmbeddingModelFacts>([
  ['embed-v4.0', { dimensions: 1536, lengths: [256, 512, 1024], limits: { items: 96, inputTokens: 128_000 } }],
  ['embed-english-v3.0', { dimensions: 1024 }],
  ['embed-multilingual-v3.0', { dimensions: 1024 }],
  ['embed-english-light-v3.0', { dimensions: 384 }],
  ['embed-multilingual-light-v3.0', { dimensions: 384 }],
])

const LIMITS: EmbedLimits = { items: 96, inputTokens: 512 }

/**
 * Cohere's embedding models, through the official `cohere-ai` package with its retries off. Queries and documents are told
 * apart by input type. Over-long inputs are refused by the service (`truncate: 'NONE'`), never cut.
 *
 * @example
 * const embedder = cohereEmbedder({ apiKey, model: 'embed-v4.0', dimensions: 512 })
 */
// @__NO_SIDE_EFFECTS__
export function cohereEmbedder(options: CohereEmbedderOptions): Embedder {
  const { model, client: given, apiKey = '', baseURL = COHERE_URL } = options
  requireSecureUrl(baseURL, options)
  const facts = MODELS.get(model)
  const dimensions = resolveDimensions(model, options.dimensions, facts)
  const make = async (fetch: Fetch) => {
    const { CohereClientV2: Client } = await importPeer('cohere-ai', () => import('cohere-ai'))
    return new Client({ token: apiKey, environment: baseURL, maxRetries: 0, timeoutInSeconds: 86_400, fetch })
  }

  return providerEmbedder({
    provider: 'cohere',
    space: { model, dimensions, normalized: true },
    limits: facts?.limits ?? LIMITS,
    connection: options,
    async request(inputs, { signal, role, fetch }) {
      const client = given ?? (await make(fetch))
      const reply = await client.embed(
        {
          model,
          texts: [...inputs],
          inputType: role === 'query' ? 'search_query' : 'search_document',
          embeddingTypes: ['float'],
          truncate: 'NONE',
          ...(dimensions !== facts?.dimensions && { outputDimension: dimensions }),
        },
        { maxRetries: 0, abortSignal: signal },
      )
      const rows: unknown = reply?.embeddings?.float
      if (!Array.isArray(rows)) throw invalidResponse('cohere', `${inputs.length} embeddings`, typeof rows)
      const vectors = rows.map((row) => readVector('cohere', row))
      return { vectors, usage: readTokens(reply.meta?.billedUnits?.inputTokens) }
    },
  })
}

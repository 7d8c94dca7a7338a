import type { GoogleGenAI } from '@google/genai'
import type { Embedder, EmbedLimits } from '../../embedder/embedder.ts'
import { requireInteger } from '../../internal/argument.ts'
import type { ProviderConnection } from '../../internal/call-provider.ts'
import type { Fetch } from '../../internal/deadline.ts'
import { readVector } from '../../internal/embedding-reply.ts'
import { importPeer } from '../../internal/import-peer.ts'
import { providerEmbedder, resolveDimensions, unitLength } from '../../internal/provider-embedder.ts'
import { invalidResponse } from '../../internal/provider-error.ts'
import { requireSecureUrl } from '../../internal/transport.ts'

/** Options of {@link geminiEmbedder}. */
export interface GeminiEmbedderOptions extends ProviderConnection {
  /** A client of the `@google/genai` package. Its address is its owner's; its retries are switched off for each call. */
  readonly client?: GoogleGenAI
  /** `gemini-embedding-001`, or another embedding model with `dimensions`. */
  readonly model: string
  /** Length of the vectors. Default: the model's own. */
  readonly dimensions?: number
}

const GEMINI_URL = 'https://generativelanguage.googleapis.com'

/** Full length as https://ai.google.dev/gemini-api/docs/embeddings gives it (2026-11); any from 128 can be asked for. */
const FULL_LENGTH: ReadonlyMap<string, number> = /* @__PURE__ */ new Map([['gemini-embedding-001', 3072]])

/** `batchEmbedContents` takes 100 requests; gemini-embedding-001 reads 2,048 tokens and cuts the rest without a word. */
const LIMITS: EmbedLimits = { items: 100, inputTokens: 2048, cutsOverlong: true }

/**
 * Google's embedding models, through the official `@google/genai` package with its retries off. Queries and documents are
 * told apart by task type. Only vectors of full length come normalised from the service; shorter ones are normalised
 * here. Gemini cuts over-long inputs silently, so `embedAll` refuses what may be too long, by an estimate where it has no
 * `countTokens`. The service reports no usage.
 *
 * @example
 * const embedder = geminiEmbedder({ apiKey, model: 'gemini-embedding-001', dimensions: 768 })
 */
// @__NO_SIDE_EFFECTS__
export function geminiEmbedder(options: GeminiEmbedderOptions): Embedder {
  const { model, client: given, apiKey = '', baseURL = GEMINI_URL } = options
  requireSecureUrl(baseURL, options)
  const full = FULL_LENGTH.get(model.replace(/^models\//, ''))
  const dimensions = resolveDimensions(model, options.dimensions ?? full, undefined)
  requireInteger('dimensions', dimensions, full === undefined ? 1 : 128, full)
  const make = async (fetch: Fetch) => {
    const { GoogleGenAI: Client } = await importPeer('@google/genai', () => import('@google/genai'))
    return new Client({ apiKey, vertexai: false, httpOptions: { baseUrl: baseURL, fetch } })
  }

  return providerEmbedder({
    provider: 'gemini',
    space: { model, dimensions, normalized: true },
    limits: LIMITS,
    connection: options,
    async request(inputs, { signal, role, fetch }) {
      const { models } = given ?? (await make(fetch))
      const reply = await models.embedContent({
        model,
        contents: [...inputs],
        config: {
          taskType: role === 'query' ? 'RETRIEVAL_QUERY' : 'RETRIEVAL_DOCUMENT',
          abortSignal: signal,
          httpOptions: { retryOptions: { attempts: 1 } },
          ...(dimensions !== full && { outputDimensionality: dimensions }),
        },
      })
      const rows: unknown = reply?.embeddings
      if (!Array.isArray(rows)) throw invalidResponse('gemini', `${inputs.length} embeddings`, typeof rows)
      return { vectors: rows.map((row) => unitLength(readVector('gemini', row?.values))), usage: {} }
    },
  })
}

import type { Embedder, EmbedLimits } from '../../embedder/embedder.ts'
import { requireInteger } from '../../internal/argument.ts'
import { readTokens, readVector, rowsByIndex } from '../../internal/embedding-reply.ts'
import { providerEmbedder, UNBOUNDED } from '../../internal/provider-embedder.ts'
import { type OpenAIConnection, openaiClient } from './openai-client.ts'

/** Options of {@link openaiEmbedder}. */
export interface OpenAIEmbedderOptions extends OpenAIConnection {
  /** `text-embedding-3-small`, `text-embedding-3-large` or `text-embedding-ada-002`. */
  readonly model: string
  /** Length of the vectors. Default: the model's own. `text-embedding-3` models shorten to any from 1. */
  readonly dimensions?: number
}

/** Full length of each model's vectors, as https://platform.openai.com/docs/guides/embeddings gives it (2026-11). */
const FULL_LENGTH: ReadonlyMap<string, number> = /* @__PURE__ */ new Map([
  ['text-embedding-3-small', 1536],
  ['text-embedding-3-large', 3072],
  ['text-embedding-ada-002', 1536],
])

/** Limits of one request, as the published specification of `POST /embeddings` gives them (2026-11). */
const LIMITS: EmbedLimits = { items: 2048, inputTokens: 8192, batchTokens: 300_000 }

/**
 * OpenAI's embedding models, through the official `openai` package with its retries off. One call is one request. `role`
 * makes no difference to these models. For other addresses that speak the same protocol see
 * `openaiCompatibleEmbedder` of `groundline/providers/openai-compatible`.
 *
 * @example
 * const embedder = openaiEmbedder({ apiKey, model: 'text-embedding-3-small', dimensions: 512 })
 */
// @__NO_SIDE_EFFECTS__
export function openaiEmbedder(options: OpenAIEmbedderOptions): Embedder {
  const { model } = options
  const full = FULL_LENGTH.get(model)
  const dimensions = options.dimensions ?? full
  requireInteger('dimensions', dimensions, 1, full)
  // Refuses a bad address now; the client of each call is made with the fetch of that call.
  openaiClient(options)

  return providerEmbedder({
    provider: 'openai',
    space: { model, dimensions: dimensions as number, normalized: true },
    limits: LIMITS,
    connection: options,
    async request(inputs, { signal, fetch }) {
      const { embeddings } = await openaiClient({ ...options, fetch, deadlines: UNBOUNDED })()
      const reply = await embeddings.create(
        {
          model,
          input: [...inputs],
          // Asked for by name, or the SDK decodes the answer itself and trusts its shape.
          encoding_format: 'base64',
          ...(dimensions !== full && { dimensions: dimensions as number }),
        },
        { maxRetries: 0, signal },
      )
      const rows = rowsByIndex('openai', reply?.data, inputs.length)
      const vectors = rows.map((row) => readVector('openai', row.embedding))
      return { vectors, usage: readTokens(reply.usage?.total_tokens) }
    },
  })
}

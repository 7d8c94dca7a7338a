import type { Embedder, Embedding, EmbedLimits, EmbedOptions } from '../../embedder/embedder.ts'
import { requireInteger } from '../../internal/argument.ts'
import { withDeadline } from '../../internal/deadline.ts'
import { checkReply, readTokens, readVector, rowsByIndex } from '../../internal/embedding-reply.ts'
import { providerFailure } from '../../internal/provider-error.ts'
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
 * OpenAI's embedding models, through the official `openai` package with its retries off. One call to `embedAll`
 * or `embed` is one request a batch. `role` makes no difference to these models.
 *
 * @example
 * const embedder = openaiEmbedder({ apiKey, model: 'text-embedding-3-small', dimensions: 512 })
 */
export function openaiEmbedder(options: OpenAIEmbedderOptions): Embedder {
  const { model, apiKey, deadlines } = options
  const full = FULL_LENGTH.get(model)
  const dimensions = options.dimensions ?? full
  requireInteger('dimensions', dimensions, 1, full)
  const length = dimensions as number
  const client = openaiClient(options)

  const request = async (inputs: readonly string[], signal: AbortSignal): Promise<Embedding> => {
    const { embeddings } = await client()
    const reply = await embeddings.create(
      {
        model,
        input: [...inputs],
        // Asked for by name, or the SDK decodes the answer itself and trusts its shape.
        encoding_format: 'base64',
        ...(length !== full && { dimensions: length }),
      },
      { maxRetries: 0, signal },
    )
    const rows = rowsByIndex('openai', reply?.data, inputs.length)
    const vectors = rows.map((row) => readVector('openai', row.embedding))
    return checkReply('openai', { vectors, usage: readTokens(reply.usage?.total_tokens) }, inputs.length, length)
  }

  return {
    space: { model, dimensions: length, normalized: true },
    dimensions: length,
    limits: LIMITS,
    async embed(inputs: readonly string[], { signal }: EmbedOptions = {}): Promise<Embedding> {
      signal?.throwIfAborted()
      if (inputs.length === 0) return { vectors: [], usage: { tokens: 0 } }
      try {
        return await withDeadline('openai', (inner) => request(inputs, inner), signal, deadlines?.totalMs)
      } catch (error) {
        throw providerFailure('openai', error, { signal, secrets: [apiKey], operation: 'embeddings' })
      }
    },
  }
}

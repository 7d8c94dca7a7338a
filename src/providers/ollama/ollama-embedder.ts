import type { AbortOptions } from '../../document.ts'
import type { Embedder, EmbedLimits } from '../../embedder/embedder.ts'
import { requireInteger } from '../../internal/argument.ts'
import type { ProviderConnection } from '../../internal/call-provider.ts'
import { readTokens, readVector } from '../../internal/embedding-reply.ts'
import { importPeer } from '../../internal/import-peer.ts'
import { probeDimensions, providerEmbedder, type RequestOptions } from '../../internal/provider-embedder.ts'
import { invalidResponse } from '../../internal/provider-error.ts'
import { requireSecureUrl } from '../../internal/transport.ts'

/** Options of {@link ollamaEmbedder}. */
export interface OllamaEmbedderOptions extends ProviderConnection {
  /** The model, as `ollama list` spells it. */
  readonly model: string
  /** Length of the vectors. See {@link probeOllamaEmbedder} where it is not known. */
  readonly dimensions: number
  /** Where Ollama listens. Default `http://127.0.0.1:11434`. */
  readonly baseURL?: string
  /** How long the model stays loaded: seconds, or a text such as `10m`. Default Ollama's own. */
  readonly keepAlive?: string | number
  /** Limits of one request. Default 64 inputs. */
  readonly limits?: EmbedLimits
}

const OLLAMA_URL = 'http://127.0.0.1:11434'
const LIMITS: EmbedLimits = { items: 64 }

/**
 * Models that Ollama runs, through the official `ollama` package. Over-long inputs are refused (`truncate: false`), never
 * cut. Vectors are of unit length.
 *
 * @example
 * const embedder = withPrompts(ollamaEmbedder({ model: 'nomic-embed-text', dimensions: 768 }))
 */
// @__NO_SIDE_EFFECTS__
export function ollamaEmbedder(options: OllamaEmbedderOptions): Embedder {
  const { model, dimensions, limits = LIMITS } = options
  requireInteger('dimensions', dimensions, 1)
  const embed = ollamaCall(options)
  return providerEmbedder({
    provider: 'ollama',
    space: { model, dimensions, normalized: true },
    limits,
    connection: options,
    async request(inputs, call) {
      const { vectors, tokens } = await embed(inputs, call)
      return { vectors, usage: readTokens(tokens) }
    },
  })
}

/**
 * The same, after one request that finds out how long the model's vectors are.
 *
 * @example
 * const embedder = await probeOllamaEmbedder({ model: 'nomic-embed-text' })
 */
export async function probeOllamaEmbedder(
  options: Omit<OllamaEmbedderOptions, 'dimensions'>,
  { signal }: AbortOptions = {},
): Promise<Embedder> {
  const embed = ollamaCall(options)
  const first = async (input: string, call: RequestOptions) => (await embed([input], call)).vectors[0]
  const dimensions = await probeDimensions('ollama', options, first, signal)
  return ollamaEmbedder({ ...options, dimensions })
}

function ollamaCall(options: Omit<OllamaEmbedderOptions, 'dimensions'>) {
  const { model, baseURL = OLLAMA_URL, apiKey, keepAlive } = options
  requireSecureUrl(baseURL, options)
  const headers = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }
  return async (
    inputs: readonly string[],
    { fetch }: RequestOptions,
  ): Promise<{ vectors: readonly Float32Array[]; tokens: unknown }> => {
    // The browser entry is the same client without the code that reads image files. It takes no signal: the fetch has it.
    const { Ollama } = await importPeer('ollama', () => import('ollama/browser'))
    const client = new Ollama({ host: baseURL, fetch, headers })
    const reply = await client.embed({
      model,
      input: [...inputs],
      truncate: false,
      ...(keepAlive !== undefined && { keep_alive: keepAlive }),
    })
    const rows: unknown = reply?.embeddings
    if (!Array.isArray(rows)) throw invalidResponse('ollama', `${inputs.length} embeddings`, typeof rows)
    return { vectors: rows.map((row) => readVector('ollama', row)), tokens: reply.prompt_eval_count }
  }
}

import type OpenAI from 'openai'
import type { AbortOptions } from '../../document.ts'
import type { Embedder, EmbedLimits } from '../../embedder/embedder.ts'
import { requireInteger } from '../../internal/argument.ts'
import type { ProviderConnection } from '../../internal/call-provider.ts'
import type { Fetch } from '../../internal/deadline.ts'
import { readTokens, readVector, rowsByIndex } from '../../internal/embedding-reply.ts'
import { importPeer } from '../../internal/import-peer.ts'
import { probeDimensions, providerEmbedder, type RequestOptions } from '../../internal/provider-embedder.ts'
import { requireSecureUrl } from '../../internal/transport.ts'

/** Options of {@link openaiCompatibleEmbedder}. */
export interface OpenAICompatibleEmbedderOptions extends ProviderConnection {
  /** The address up to `/embeddings`: `https://api.together.xyz/v1`, `http://localhost:1234/v1`, … */
  readonly baseURL: string
  /** The model, as the server spells it. */
  readonly model: string
  /** Length of the vectors. See {@link probeOpenAICompatibleEmbedder} where it is not known. */
  readonly dimensions: number
  /** Asks the server for this length; most servers refuse that. Default `false`: the model's own. */
  readonly sendDimensions?: boolean
  /** Whether vectors have length 1. Default false: unknown. */
  readonly normalized?: boolean
  /** Limits of one request. Default 128 inputs. */
  readonly limits?: EmbedLimits
  /** Headers of each request, such as `api-key` for Azure. Never shown in errors. */
  readonly headers?: Readonly<Record<string, string>>
  /** Added to the address of each request, such as `api-version` for Azure. */
  readonly query?: Readonly<Record<string, string>>
  /** Name for errors. Default `openai-compatible`. */
  readonly provider?: string
}

/** Servers that run a model of their own take few inputs at a time; none documented refuses this many. */
const LIMITS: EmbedLimits = { items: 128 }

/**
 * Any server that speaks OpenAI's embeddings protocol: Together, vLLM, LM Studio, llama.cpp, Azure OpenAI, and others.
 * Through the official `openai` package with its retries off, asking for plain numbers, because base64 is not everywhere.
 * Rows without an index are taken in the order of the answer.
 *
 * @example
 * const embedder = openaiCompatibleEmbedder({
 *   baseURL: 'http://localhost:1234/v1', model: 'nomic-embed-text-v1.5', dimensions: 768,
 * })
 */
// @__NO_SIDE_EFFECTS__
export function openaiCompatibleEmbedder(options: OpenAICompatibleEmbedderOptions): Embedder {
  const { model, dimensions, normalized = false, limits = LIMITS, provider = 'openai-compatible' } = options
  requireInteger('dimensions', dimensions, 1)
  const client = compatibleClient(options)
  return providerEmbedder({
    provider,
    space: { model, dimensions, normalized },
    limits,
    connection: options,
    secrets: secretsOf(options),
    async request(inputs, { signal, fetch }) {
      const { embeddings } = await client(fetch)
      const reply = await embeddings.create(
        { model, input: [...inputs], encoding_format: 'float', ...(options.sendDimensions && { dimensions }) },
        { maxRetries: 0, signal },
      )
      const data: unknown = reply?.data
      const unnumbered = Array.isArray(data) && data.every((row) => row?.index === undefined)
      const rows = rowsByIndex(
        provider,
        unnumbered ? data.map((row, index) => ({ ...row, index })) : data,
        inputs.length,
      )
      const vectors = rows.map((row) => readVector(provider, row.embedding))
      return { vectors, usage: readTokens(reply.usage?.total_tokens ?? reply.usage?.prompt_tokens) }
    },
  })
}

/**
 * The same, after one request that finds out how long the model's vectors are.
 *
 * @example
 * const embedder = await probeOpenAICompatibleEmbedder({ baseURL: 'http://localhost:8000/v1', model: 'BAAI/bge-m3' })
 */
export async function probeOpenAICompatibleEmbedder(
  options: Omit<OpenAICompatibleEmbedderOptions, 'dimensions' | 'sendDimensions'>,
  { signal }: AbortOptions = {},
): Promise<Embedder> {
  const { model, provider = 'openai-compatible' } = options
  const client = compatibleClient(options)
  const probe = async (input: string, { signal: inner, fetch }: RequestOptions) => {
    const { embeddings } = await client(fetch)
    const reply = await embeddings.create(
      { model, input: [input], encoding_format: 'float' },
      { maxRetries: 0, signal: inner },
    )
    return readVector(provider, reply?.data?.[0]?.embedding)
  }
  const dimensions = await probeDimensions(provider, options, probe, signal, secretsOf(options))
  return openaiCompatibleEmbedder({ ...options, dimensions })
}

function compatibleClient(
  options: Omit<OpenAICompatibleEmbedderOptions, 'dimensions'>,
): (fetch: Fetch) => Promise<OpenAI> {
  const { baseURL, apiKey, headers = {}, query = {} } = options
  requireSecureUrl(baseURL, options)
  return async (fetch) => {
    const { OpenAI: Client } = await importPeer('openai', () => import('openai'))
    return new Client({
      // The package insists on a key; a server without keys is not sent one.
      apiKey: apiKey ?? 'none',
      baseURL,
      organization: null,
      project: null,
      maxRetries: 0,
      timeout: 86_400_000,
      defaultHeaders: { ...(apiKey === undefined && { authorization: null }), ...headers },
      defaultQuery: { ...query },
      fetch,
    })
  }
}

/** Azure's key travels in a header. */
function secretsOf({ headers = {} }: Pick<OpenAICompatibleEmbedderOptions, 'headers'>): readonly string[] {
  return Object.values(headers)
}

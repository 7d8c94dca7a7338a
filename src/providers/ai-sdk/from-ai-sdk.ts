import type { AbortOptions } from '../../document.ts'
import type { Embedder, EmbedLimits } from '../../embedder/embedder.ts'
import { requireInteger } from '../../internal/argument.ts'
import type { Deadlines } from '../../internal/deadline.ts'
import { readTokens, readVector } from '../../internal/embedding-reply.ts'
import { probeDimensions, providerEmbedder, type RequestOptions } from '../../internal/provider-embedder.ts'
import { invalidResponse } from '../../internal/provider-error.ts'

/**
 * The members that this adapter needs of an embedding model of the Vercel AI SDK: `EmbeddingModelV2` and
 * `EmbeddingModelV3` of `@ai-sdk/provider` have them.
 */
export interface AiSdkEmbeddingModel {
  /** The provider's name. */
  readonly provider: string
  /** The model's name. */
  readonly modelId: string
  /** The most inputs of a call. */
  readonly maxEmbeddingsPerCall: PromiseLike<number | undefined> | number | undefined
  /** Whether calls may run at the same time. */
  readonly supportsParallelCalls: PromiseLike<boolean> | boolean
  /** Makes one call. */
  doEmbed(options: { values: string[]; abortSignal?: AbortSignal }): PromiseLike<{
    readonly embeddings: readonly (readonly number[])[]
    readonly usage?: { readonly tokens: number } | undefined
  }>
}

/** Options of {@link fromAiSdk}. */
export interface FromAiSdkOptions extends AbortOptions {
  /** Length of the vectors. Default: found out by one call. */
  readonly dimensions?: number
  /** Whether vectors have length 1. Default false: unknown. */
  readonly normalized?: boolean
  /** Limits beside the number of inputs, which the model gives. */
  readonly limits?: EmbedLimits
  /** How long a call may take; only `totalMs` counts. */
  readonly deadlines?: Deadlines
}

/**
 * Any embedding model of the Vercel AI SDK as an {@link Embedder}. Its `doEmbed` is called, which makes one request;
 * the retries of `embed` and `embedMany` are not involved.
 *
 * @example
 * const embedder = await fromAiSdk(openai.embedding('text-embedding-3-small'), { dimensions: 1536 })
 */
export async function fromAiSdk(model: AiSdkEmbeddingModel, options: FromAiSdkOptions = {}): Promise<Embedder> {
  const { normalized = false, signal, deadlines = {} } = options
  const provider = model.provider
  const [items, parallel] = await Promise.all([model.maxEmbeddingsPerCall, model.supportsParallelCalls])
  signal?.throwIfAborted()
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(call: () => Promise<T>): Promise<T> => {
    if (parallel) return call()
    const done = last.then(call)
    last = done.catch(() => {})
    return done
  }
  const call = async (inputs: readonly string[], abortSignal: AbortSignal) => {
    const reply = await inTurn(async () => {
      abortSignal.throwIfAborted()
      return model.doEmbed({ values: [...inputs], abortSignal })
    })
    const rows: unknown = reply?.embeddings
    if (!Array.isArray(rows)) throw invalidResponse(provider, `${inputs.length} embeddings`, typeof rows)
    return { vectors: rows.map((row) => readVector(provider, row)), usage: readTokens(reply.usage?.tokens) }
  }

  const first = async (input: string, inner: RequestOptions) => (await call([input], inner.signal)).vectors[0]
  const dimensions = options.dimensions ?? (await probeDimensions(provider, { deadlines }, first, signal))
  requireInteger('dimensions', dimensions, 1)
  const limits = { ...(items !== undefined && Number.isFinite(items) && { items }), ...options.limits }
  return providerEmbedder({
    provider,
    space: { model: model.modelId, dimensions, normalized },
    limits,
    connection: { deadlines },
    request: (inputs, { signal }) => call(inputs, signal),
  })
}

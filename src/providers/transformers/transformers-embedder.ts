import type { Embedder, Embedding, EmbedOptions } from '../../embedder/embedder.ts'
import { requireInteger } from '../../internal/argument.ts'
import { checkReply } from '../../internal/embedding-reply.ts'
import type { Pooling } from './transformers-engine.ts'
import { startTransformers, type TransformersWorkerOptions } from './transformers-host.ts'

/** Options of {@link transformersEmbedder}. */
export interface TransformersEmbedderOptions extends TransformersWorkerOptions {
  /** How token vectors become one; it must be what the model was trained with. Default `mean`. */
  readonly pooling?: Pooling
  /** Whether vectors get length 1. Default true. */
  readonly normalize?: boolean
  /** Name of the space. Default the hub's name, or the last part of the folder. */
  readonly model?: string
}

/** An {@link Embedder} that holds a worker process and a model. */
export interface TransformersEmbedder extends Embedder, AsyncDisposable {
  /** Ends the worker process, which frees the model. Calls under way are rejected with `CLOSED`. */
  close(): Promise<void>
}

/**
 * Embedding models of transformers.js, in a worker process: the event loop stays free while the model loads and runs. Works with
 * `@huggingface/transformers` and with `@xenova/transformers`, whichever is installed; both are optional. Texts of similar
 * length run together. `limits.inputTokens` is the model's own; a longer text throws `LIMIT_EXCEEDED` and is never cut.
 * Throws `MISSING_DEPENDENCY` when no library is installed, `UNSUPPORTED_FORMAT` when the model cannot be loaded.
 *
 * @example
 * await using embedder = await transformersEmbedder({ source: { folder: './models/all-MiniLM-L6-v2' } })
 */
export async function transformersEmbedder(options: TransformersEmbedderOptions): Promise<TransformersEmbedder> {
  const { pooling = 'mean', normalize = true, batchItems = 32, source, precision = 'fp32' } = options
  requireInteger('batchItems', batchItems, 1, 4096)
  const model = options.model ?? ('hub' in source ? source.hub : lastName(source.folder))
  const host = await startTransformers(options, 'embed')
  const settings = { pooling, normalize, batchItems }
  let dimensions = host.facts.dimensions
  if (dimensions === undefined) {
    const { vectors } = await host.ask({ type: 'embed', texts: ['dimensions'], settings }, 'embedded', options.signal)
    dimensions = vectors[0]?.length ?? 0
  }
  const length = dimensions
  const revision = [precision, 'hub' in source && source.revision].filter(Boolean).join(' ')
  return {
    space: { model, revision, dimensions: length, pooling, normalized: normalize },
    dimensions: length,
    limits: { items: batchItems * 8, inputTokens: host.facts.maxTokens },
    async embed(inputs: readonly string[], { signal }: EmbedOptions = {}): Promise<Embedding> {
      signal?.throwIfAborted()
      if (inputs.length === 0) return { vectors: [], usage: { tokens: 0 } }
      const { vectors, tokens } = await host.ask({ type: 'embed', texts: [...inputs], settings }, 'embedded', signal)
      return checkReply(model, { vectors, usage: { tokens } }, inputs.length, length)
    },
    close: host.close,
    [Symbol.asyncDispose]: host.close,
  }
}

function lastName(path: string): string {
  return path.split(/[\\/]/).filter(Boolean).at(-1) ?? path
}

import { type GroundlineError, isGroundlineError } from '../errors.ts'
import { requireInteger } from '../internal/argument.ts'
import { checkReply, partialReply } from '../internal/embedding-reply.ts'
import { mapConcurrent } from '../internal/map-concurrent.ts'
import { invalidResponse, providerFailure } from '../internal/provider-error.ts'
import { planBatches, utf8Length } from './batches.ts'
import type { Embedder, EmbedOptions } from './embedder.ts'

/** Options of {@link embedAll}. */
export interface EmbedAllOptions<I = string> extends EmbedOptions {
  /** Calls under way at once, from 1 to 1,000. Default 4. */
  readonly concurrency?: number
  /**
   * Tokens of an input by the model's own tokenizer, for batches within `limits.batchTokens`. Without it half of the
   * UTF-8 bytes stand for the tokens, more than any natural language needs.
   */
  readonly countTokens?: (input: I) => number
}

/** An input that has no vector, and why. */
export interface EmbedFailure {
  /** Position of the input, counted from 0. */
  readonly index: number
  /** What went wrong. */
  readonly error: GroundlineError
}

/** What all calls cost together. */
export interface EmbedAllUsage {
  /** Calls that were answered. */
  readonly calls: number
  /** Tokens billed; absent as soon as one answer did not say. */
  readonly tokens?: number
}

/** The vectors of many inputs. */
export interface EmbedAllResult {
  /** One entry an input, in order; undefined for those in `failures`. */
  readonly vectors: readonly (Float32Array | undefined)[]
  /** The inputs without a vector, by index. */
  readonly failures: readonly EmbedFailure[]
  /** What the calls cost. */
  readonly usage: EmbedAllUsage
}

/**
 * Embeds any number of inputs: cuts them into batches within the embedder's limits, runs several at once, and checks
 * that every answer has one finite, non-zero vector of the right length for each input. One bad batch does not lose the
 * others: the result lists what failed. Rejects only on abort and invalid arguments.
 *
 * @example
 * const { vectors, failures } = await embedAll(lexicalHashEmbedder(), ['one text', 'another'], { role: 'document' })
 */
export async function embedAll<I = string>(
  embedder: Embedder<I>,
  inputs: readonly I[],
  options: EmbedAllOptions<I> = {},
): Promise<EmbedAllResult> {
  const { concurrency = 4, countTokens, signal, role } = options
  requireInteger('concurrency', concurrency, 1, 1000)
  signal?.throwIfAborted()

  const sizes = inputs.map((input) => {
    const bytes = typeof input === 'string' ? utf8Length(input) : 0
    return { bytes, tokens: countTokens ? countTokens(input) : Math.ceil(bytes / 2) }
  })
  const vectors = new Array<Float32Array | undefined>(inputs.length)
  const failures: EmbedFailure[] = []
  let calls = 0
  let tokens: number | undefined = 0

  const settle = async (range: { readonly start: number; readonly end: number }) => {
    const batch = inputs.slice(range.start, range.end)
    const outcome = await embedBatch(embedder, batch, { signal, ...(role && { role }) })
    for (const [offset, item] of outcome.items.entries()) {
      if (item instanceof Float32Array) vectors[range.start + offset] = item
      else failures.push({ index: range.start + offset, error: item })
    }
    if (!outcome.answered) return
    calls++
    tokens = tokens === undefined || outcome.tokens === undefined ? undefined : tokens + outcome.tokens
  }
  await mapConcurrent([...planBatches(sizes, embedder.limits)], concurrency, settle, signal)
  failures.sort((a, b) => a.index - b.index)
  return { vectors, failures, usage: { calls, ...(tokens !== undefined && { tokens }) } }
}

/** The vectors of a result in which nothing failed. Throws the first failure otherwise. */
export function everyVector(result: EmbedAllResult): readonly Float32Array[] {
  const [first] = result.failures
  if (first) throw first.error
  return result.vectors as readonly Float32Array[]
}

/** What one call gave: a vector or an error for each input. */
interface BatchOutcome {
  readonly items: readonly (Float32Array | GroundlineError)[]
  readonly answered: boolean
  readonly tokens: number | undefined
}

async function embedBatch<I>(embedder: Embedder<I>, batch: readonly I[], options: EmbedOptions): Promise<BatchOutcome> {
  const name = embedder.space.model
  try {
    const reply = checkReply(name, await embedder.embed(batch, options), batch.length, embedder.dimensions)
    return { items: reply.vectors, answered: true, tokens: reply.usage.tokens }
  } catch (error) {
    options.signal?.throwIfAborted()
    const partial = partialReply(error)
    if (partial) {
      const items = partial.vectors.map(
        (vector, index) => vector ?? invalidResponse(name, 'a usable vector', `one that ${partial.faults.get(index)}`),
      )
      return { items, answered: true, tokens: partial.usage.tokens }
    }
    const failure = providerFailure(name, error)
    if (!isGroundlineError(failure)) throw failure
    return { items: batch.map(() => failure), answered: false, tokens: undefined }
  }
}

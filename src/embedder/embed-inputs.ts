import type { GroundlineError } from '../errors.ts'
import { requireInteger } from '../internal/argument.ts'
import { type RetryPolicy, requireRetryPolicy } from '../internal/retry.ts'
import { planBatches, utf8Length } from './batches.ts'
import type { Embedder, EmbedOptions } from './embedder.ts'
import { type EmbeddingCache, embeddingKey } from './embedding-cache.ts'
import { type EmbedAdjustment, type OverlongPolicy, type PreparedInput, prepareInput } from './prepare-input.ts'
import { type RunOptions, runBatches } from './run-batches.ts'

/** Options of `embedAll` and `embedStream`. */
export interface EmbedAllOptions<I = string> extends EmbedOptions {
  /** Calls under way at once, from 1 to 1,000. Default 4. */
  readonly concurrency?: number
  /**
   * Tokens of an input by the model's own tokenizer: for batches within `limits.batchTokens`, and to find inputs over
   * `limits.inputTokens`. Without it half of the UTF-8 bytes stand for the tokens of a batch, more than natural language
   * needs, and the provider decides which inputs are too long; where it would cut them (`limits.cutsOverlong`), the same
   * estimate decides, with a whole token for each digit.
   */
  readonly countTokens?: (input: I) => number
  /** What is done with a text over `limits.inputTokens`. Needs `countTokens`, or a provider that `cutsOverlong`. Default `refuse`: a failure of that input. */
  readonly onOverlong?: OverlongPolicy
  /** How failed calls are repeated. Default three attempts. */
  readonly retry?: RetryPolicy
  /** Where vectors are looked up and kept, each before its batch counts as done. Default none. */
  readonly cache?: EmbeddingCache
  /** What the provider charges for a million tokens, to sum up `usage.cost`. */
  readonly pricePerMillionTokens?: number
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
  /** `tokens` at the price given; absent when either is unknown. In the currency of the price. */
  readonly cost?: number
}

/** The vectors of many inputs. */
export interface EmbedAllResult {
  /** One entry an input, in order; undefined for those in `failures`. */
  readonly vectors: readonly (Float32Array | undefined)[]
  /** The inputs without a vector, by index. */
  readonly failures: readonly EmbedFailure[]
  /** What was changed in inputs before they were embedded, by index. */
  readonly adjustments: readonly EmbedAdjustment[]
  /** What the calls cost. */
  readonly usage: EmbedAllUsage
}

/**
 * Embeds a list of inputs; what `embedAll` and `embedStream` share. `first` is what messages count the inputs from; the
 * indices of the result count from 0.
 */
export async function embedInputs<I = string>(
  embedder: Embedder<I>,
  inputs: readonly I[],
  options: EmbedAllOptions<I> & Pick<RunOptions, 'limit'> & { readonly first?: number } = {},
): Promise<EmbedAllResult> {
  const { concurrency = 4, retry = {}, cache, role = 'document', signal, pricePerMillionTokens } = options
  const { limit, first = 0 } = options
  requireInteger('concurrency', concurrency, 1, 1000)
  requireRetryPolicy(retry)
  signal?.throwIfAborted()

  const failures: EmbedFailure[] = []
  const adjustments: EmbedAdjustment[] = []
  const { batchTokens, batchBytes } = embedder.limits ?? {}
  const pieces = new DistinctPieces<I>(batchTokens !== undefined || batchBytes !== undefined)
  const plans = inputs.map((input, index) => {
    const prepared = prepare(first + index, input, embedder, options)
    if (prepared instanceof Error) {
      failures.push({ index, error: prepared })
      return []
    }
    for (const change of prepared.changes) adjustments.push({ index, change })
    return prepared.pieces.map(({ text, tokens }) => ({ piece: pieces.add(text, tokens), tokens: tokens ?? 1 }))
  })

  const run: RunOptions = { concurrency, limit, retry, signal, role }
  const outcome = await embedPieces(embedder, pieces, run, cache)
  const vectors = plans.map((plan, index) => {
    const parts: { vector: Float32Array; tokens: number }[] = []
    for (const { piece, tokens } of plan) {
      const item = outcome.items[piece]
      if (item instanceof Float32Array) parts.push({ vector: item, tokens })
      else if (item) {
        failures.push({ index, error: item })
        return undefined
      }
    }
    return average(parts)
  })
  failures.sort((a, b) => a.index - b.index)
  const usage = usageOf(outcome, pricePerMillionTokens)
  return { vectors, failures, adjustments, usage }
}

/** Usage with its cost, as far as both are known. */
export function usageOf(
  { calls, tokens }: { readonly calls: number; readonly tokens?: number | undefined },
  pricePerMillionTokens: number | undefined,
): EmbedAllUsage {
  if (tokens === undefined) return { calls }
  if (pricePerMillionTokens === undefined) return { calls, tokens }
  return { calls, tokens, cost: (tokens * pricePerMillionTokens) / 1e6 }
}

/** Inputs to embed, equal texts once. Their sizes are 0 where no limit asks for them. */
class DistinctPieces<I> {
  readonly inputs: I[] = []
  readonly sizes: { tokens: number; bytes: number }[] = []
  readonly #known = new Map<I, number>()
  readonly #sized: boolean

  constructor(sized: boolean) {
    this.#sized = sized
  }

  add(input: I, tokens: number | undefined): number {
    const known = this.#known.get(input)
    if (known !== undefined) return known
    const bytes = this.#sized && typeof input === 'string' ? utf8Length(input) : 0
    this.#known.set(input, this.inputs.length)
    this.sizes.push({ bytes, tokens: tokens ?? Math.ceil(bytes / 2) })
    return this.inputs.push(input) - 1
  }
}

function prepare<I>(
  index: number,
  input: I,
  embedder: Embedder<I>,
  options: EmbedAllOptions<I>,
):
  | { readonly pieces: readonly { text: I; tokens: number | undefined }[]; readonly changes: PreparedInput['changes'] }
  | GroundlineError {
  const { countTokens, onOverlong = 'refuse' } = options
  if (typeof input !== 'string') return { pieces: [{ text: input, tokens: countTokens?.(input) }], changes: [] }
  const count = countTokens as ((text: string) => number) | undefined
  const { inputTokens, cutsOverlong } = embedder.limits ?? {}
  const prepared = prepareInput(index, input, { inputTokens, countTokens: count, onOverlong, cutsOverlong })
  // I is string here; the compiler cannot narrow a type parameter by one of its values.
  return prepared as ReturnType<typeof prepare<I>>
}

async function embedPieces<I>(
  embedder: Embedder<I>,
  pieces: DistinctPieces<I>,
  run: RunOptions,
  cache: EmbeddingCache | undefined,
): Promise<Awaited<ReturnType<typeof runBatches>>> {
  const { inputs, sizes } = pieces
  if (!cache || !inputs.every((input) => typeof input === 'string'))
    return runBatches(embedder, inputs, [...planBatches(sizes, embedder.limits)], run)

  const items = new Array<Float32Array | GroundlineError>(inputs.length)
  let calls = 0
  let tokens: number | undefined = 0
  const keys = inputs.map((text) => embeddingKey(embedder.space, run.role ?? 'document', text))
  const found = await cache.resolve(
    keys,
    async (missing, keep) => {
      const outcome = await runBatches(
        embedder,
        missing.map((index) => inputs[index] as I),
        [
          ...planBatches(
            missing.map((index) => sizes[index] ?? { tokens: 0, bytes: 0 }),
            embedder.limits,
          ),
        ],
        {
          ...run,
          onFinished: (finished) => keep(finished.map(({ index, vector }) => ({ index: missing[index] ?? 0, vector }))),
        },
      )
      calls += outcome.calls
      tokens = tokens === undefined || outcome.tokens === undefined ? undefined : tokens + outcome.tokens
      for (const [position, item] of outcome.items.entries()) items[missing[position] ?? 0] = item
    },
    run.signal,
  )
  for (const [index, vector] of found.entries()) if (vector) items[index] = vector
  return { items, calls, tokens }
}

/** The mean of the pieces' vectors by tokens, of the same length as they have; the vector itself where there is one. */
function average(
  parts: readonly { readonly vector: Float32Array; readonly tokens: number }[],
): Float32Array | undefined {
  const [first] = parts
  if (first === undefined || parts.length === 1) return first?.vector
  const sums = new Float64Array(first.vector.length)
  let weight = 0
  for (const { vector, tokens } of parts) {
    weight += tokens
    for (const [index, component] of vector.entries()) sums[index] = (sums[index] ?? 0) + component * tokens
  }
  const wanted = Math.sqrt(squares(first.vector))
  const scale = Math.sqrt(squares(sums))
  return Float32Array.from(sums, (sum) => (scale === 0 ? sum / weight : (sum * wanted) / scale))
}

function squares(vector: Float32Array | Float64Array): number {
  let sum = 0
  for (const component of vector) sum += component * component
  return sum
}

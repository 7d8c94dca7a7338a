import pLimit from 'p-limit'
import type { GroundlineError } from '../errors.ts'
import { requireInteger } from '../internal/argument.ts'
import { type EmbedAllOptions, type EmbedAllResult, type EmbedAllUsage, embedInputs, usageOf } from './embed-inputs.ts'
import type { Embedder } from './embedder.ts'
import type { EmbedAdjustment } from './prepare-input.ts'

/** Options of {@link embedStream}. */
export interface EmbedStreamOptions<I = string> extends EmbedAllOptions<I> {
  /**
   * Inputs that are read and embedded together, from 1 to 100,000; two windows are under way at once. Default twice what
   * `concurrency` calls take, at least 64.
   */
  readonly windowItems?: number
}

/** What became of one input of a stream. */
export interface EmbeddedItem<I = string> {
  /** Position of the input, counted from 0. */
  readonly index: number
  /** The input as it was given. */
  readonly input: I
  /** Its vector; absent when it failed. */
  readonly vector?: Float32Array
  /** Why it has none. */
  readonly error?: GroundlineError
  /** What was changed in it before it was embedded. */
  readonly changes: readonly EmbedAdjustment['change'][]
}

/** Text of one window, in UTF-16 units: a few long documents fill it as well as many short ones. */
const WINDOW_UNITS = 4 << 20
const DEFAULT_ITEMS = 64

/**
 * Embeds a stream of inputs as `embedAll` does and yields one item an input, in order, each when its window is done and the
 * next one is read. Reads ahead by at most two windows, so memory does not grow with the stream. Equal texts within a window are
 * embedded once; give a `cache` for those further apart. Returns the usage of all calls. Ending the loop early cancels the
 * calls under way and ends the source. Throws on abort, invalid arguments, a failing cache and what the source throws.
 *
 * @example
 * for await (const { input, vector } of embedStream(lexicalHashEmbedder(), ['one text', 'another']))
 *   console.log(input, vector?.length)
 */
export async function* embedStream<I = string>(
  embedder: Embedder<I>,
  inputs: Iterable<I> | AsyncIterable<I>,
  options: EmbedStreamOptions<I> = {},
): AsyncGenerator<EmbeddedItem<I>, EmbedAllUsage, undefined> {
  const { concurrency = 4, signal } = options
  requireInteger('concurrency', concurrency, 1, 1000)
  const perCall = Math.min(embedder.limits?.items ?? DEFAULT_ITEMS, 1024)
  const { windowItems = Math.max(DEFAULT_ITEMS, 2 * concurrency * perCall) } = options
  requireInteger('windowItems', windowItems, 1, 100_000)
  signal?.throwIfAborted()

  const left = new AbortController()
  // Both windows draw on one limit, so that calls stay as many as asked for across their seam.
  const shared = {
    ...options,
    limit: pLimit(concurrency),
    signal: signal ? AbortSignal.any([signal, left.signal]) : left.signal,
  }
  let read = 0
  let index = 0
  const start = (texts: readonly I[]): Window<I> => {
    const result = embedInputs(embedder, texts, { ...shared, first: read })
    // Awaited later, or never when the loop is left.
    result.catch(() => {})
    read += texts.length
    return { texts, result }
  }
  const usage: { calls: number; tokens: number | undefined } = { calls: 0, tokens: 0 }
  const finish = async ({ texts, result }: Window<I>): Promise<Iterable<EmbeddedItem<I>>> => {
    const done = await result
    const { calls, tokens } = done.usage
    usage.calls += calls
    usage.tokens = usage.tokens === undefined || tokens === undefined ? undefined : usage.tokens + tokens
    index += texts.length
    return itemsOf(texts, done, index - texts.length)
  }
  try {
    let current: Window<I> | undefined
    for await (const texts of windowsOf(inputs, windowItems, signal)) {
      const next = start(texts)
      if (current) yield* await finish(current)
      current = next
    }
    if (current) yield* await finish(current)
    return usageOf(usage, options.pricePerMillionTokens)
  } finally {
    left.abort(new Error('the stream was left'))
  }
}

interface Window<I> {
  readonly texts: readonly I[]
  readonly result: Promise<EmbedAllResult>
}

async function* windowsOf<I>(
  inputs: Iterable<I> | AsyncIterable<I>,
  items: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly I[]> {
  const iterator = Symbol.asyncIterator in inputs ? inputs[Symbol.asyncIterator]() : inputs[Symbol.iterator]()
  let window: I[] = []
  let units = 0
  let ended = false
  try {
    for (;;) {
      const step = await nextOrAbort(iterator, signal)
      ended = step.done === true
      if (step.done) break
      window.push(step.value)
      units += typeof step.value === 'string' ? step.value.length : 0
      if (window.length < items && units < WINDOW_UNITS) continue
      yield window
      window = []
      units = 0
    }
    if (window.length > 0) yield window
  } catch (error) {
    ended = !signal?.aborted
    throw error
  } finally {
    // Not awaited: a source that hangs would keep the abort from being seen.
    if (!ended) void Promise.resolve(iterator.return?.()).catch(() => {})
  }
}

/** The next step of a source, unless the signal is aborted first. Leaves nothing behind on a signal that lives longer. */
function nextOrAbort<I>(
  iterator: Iterator<I> | AsyncIterator<I>,
  signal: AbortSignal | undefined,
): Promise<IteratorResult<I>> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const onAbort = () => reject(signal?.reason)
    signal?.addEventListener('abort', onAbort, { once: true })
    Promise.resolve(iterator.next())
      .then(resolve, reject)
      .finally(() => signal?.removeEventListener('abort', onAbort))
  })
}

function* itemsOf<I>(texts: readonly I[], result: EmbedAllResult, first: number): Generator<EmbeddedItem<I>> {
  const errors = new Map(result.failures.map(({ index, error }) => [index, error]))
  const changes = new Map<number, EmbedAdjustment['change'][]>()
  for (const { index, change } of result.adjustments) changes.set(index, [...(changes.get(index) ?? []), change])
  for (const [at, input] of texts.entries()) {
    const vector = result.vectors[at]
    const error = errors.get(at)
    yield {
      index: first + at,
      input,
      ...(vector && { vector }),
      ...(error && { error }),
      changes: changes.get(at) ?? [],
    }
  }
}

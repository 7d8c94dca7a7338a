import type { LimitFunction } from 'p-limit'
import { type GroundlineError, isGroundlineError, isProviderError, ProviderError } from '../errors.ts'
import { checkReply, type PartialReply, partialReply } from '../internal/embedding-reply.ts'
import { mapConcurrent } from '../internal/map-concurrent.ts'
import { invalidResponse } from '../internal/provider-error.ts'
import { callWithRetry, type RetryPolicy } from '../internal/retry.ts'
import type { Embedder, EmbedOptions } from './embedder.ts'

/** What calls gave: a vector or an error for each input, and what they cost. */
export interface BatchesOutcome {
  /** One entry an input, in order. */
  readonly items: readonly (Float32Array | GroundlineError)[]
  /** Calls that were answered. */
  readonly calls: number
  /** Tokens billed; undefined as soon as one answer did not say. */
  readonly tokens: number | undefined
}

/** How batches are run. */
export interface RunOptions extends EmbedOptions {
  /** Calls under way at once. */
  readonly concurrency: number
  /** Takes the place of `concurrency` where several runs share it. */
  readonly limit?: LimitFunction | undefined
  /** How failed calls are repeated. */
  readonly retry: RetryPolicy
  /** Takes finished vectors before their batch counts as done. */
  readonly onFinished?:
    | ((finished: readonly { readonly index: number; readonly vector: Float32Array }[]) => Promise<void>)
    | undefined
}

/** So many single inputs refused, and none accepted yet, mean that it is not the inputs. */
const SYSTEMATIC = 8
/** Statuses that no other input would change: the key, the plan, the model or the address is wrong. */
const HOPELESS_STATUS = new Set([401, 402, 403, 404, 405, 410])
const HOPELESS_CODE = new Set(['MISSING_DEPENDENCY', 'INSECURE_TRANSPORT', 'CLOSED', 'UNKNOWN_MODEL'])
/** Statuses with which servers refuse a batch because of one input; some answer 500. */
const REFUSING_STATUS = new Set([400, 413, 422, 500])

/**
 * Runs batches of inputs, several at once. A batch that is refused is cut in two, and again, until the inputs at fault
 * are alone; each of the others is accepted, and so billed, once. Rejects only on abort, or when `onFinished` does.
 */
export async function runBatches<I>(
  embedder: Embedder<I>,
  inputs: readonly I[],
  ranges: readonly { readonly start: number; readonly end: number }[],
  options: RunOptions,
): Promise<BatchesOutcome> {
  const { signal, role, retry, onFinished } = options
  const name = embedder.space.model
  const items = new Array<Float32Array | GroundlineError>(inputs.length)
  let calls = 0
  let tokens: number | undefined = 0
  let refused = 0
  let hopeless: GroundlineError | undefined

  const call = async (batch: readonly I[]) => {
    const request = async (inner: AbortSignal) => {
      try {
        const reply = await embedder.embed(batch, { signal: inner, ...(role && { role }) })
        return checkReply(name, reply, batch.length, embedder.dimensions)
      } catch (error) {
        throw batch.length === 1 ? worthAnotherTry(error) : error
      }
    }
    try {
      return await callWithRetry(name, request, retry, signal)
    } catch (error) {
      const partial = partialReply(error)
      if (partial) return partial
      throw error
    }
  }
  const accept = async (start: number, reply: Omit<PartialReply, 'faults'> & Partial<PartialReply>) => {
    calls++
    tokens = tokens === undefined || reply.usage.tokens === undefined ? undefined : tokens + reply.usage.tokens
    const finished: { index: number; vector: Float32Array }[] = []
    for (const [offset, vector] of reply.vectors.entries()) {
      if (vector) finished.push({ index: start + offset, vector })
      const fault = reply.faults?.get(offset)
      items[start + offset] = vector ?? invalidResponse(name, 'a usable vector', `one that ${fault}`)
    }
    await onFinished?.(finished)
  }
  const run = async (start: number, end: number): Promise<void> => {
    const failure = hopeless ?? (await attempt(start, end))
    if (failure === undefined) return
    if (end - start === 1 || hopeless === failure || !isRefusal(failure)) {
      items.fill(failure, start, end)
      if (isHopeless(failure)) hopeless ??= failure
      else if (isRefusal(failure) && ++refused >= SYSTEMATIC && calls === 0) hopeless ??= failure
      return
    }
    const middle = (start + end) >> 1
    await run(start, middle)
    await run(middle, end)
  }
  const attempt = async (start: number, end: number): Promise<GroundlineError | undefined> => {
    let reply: Awaited<ReturnType<typeof call>>
    try {
      reply = await call(inputs.slice(start, end))
    } catch (error) {
      signal?.throwIfAborted()
      if (!isGroundlineError(error)) throw error
      return error
    }
    await accept(start, reply)
    return undefined
  }
  await mapConcurrent(ranges, options.limit ?? options.concurrency, ({ start, end }) => run(start, end), signal)
  return { items, calls, tokens }
}

function isHopeless(error: GroundlineError): boolean {
  return isProviderError(error) && error.status !== undefined
    ? HOPELESS_STATUS.has(error.status)
    : HOPELESS_CODE.has(error.code)
}

/** Whether a part of the inputs may be accepted although all together were not. */
function isRefusal(error: GroundlineError): boolean {
  if (isHopeless(error)) return false
  if (!isProviderError(error)) return true
  return error.status === undefined ? !error.retryable : REFUSING_STATUS.has(error.status) || isMalformed(error)
}

/**
 * An answer of the wrong shape gave its inputs nothing. A batch is cut in two, which is another try; a single input gets
 * the tries of the policy. One vector that is unusable would come again.
 */
function worthAnotherTry(error: unknown): unknown {
  if (!isProviderError(error) || !isMalformed(error) || error.retryable || partialReply(error)) return error
  const { provider, status, details, cause } = error
  return new ProviderError(error.message, {
    provider,
    status,
    retryable: true,
    code: 'INVALID_RESPONSE',
    cause,
    details,
  })
}

function isMalformed(error: GroundlineError): boolean {
  return error.code === 'INVALID_RESPONSE'
}

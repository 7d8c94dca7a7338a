import { ProviderError } from '../errors.ts'
import { type Clock, systemClock } from './clock.ts'
import { connectWatch } from './connect-watch.ts'

/** How long the parts of a call to a provider may take, in milliseconds. `Infinity` switches one off. */
export interface Deadlines {
  /**
   * From the call to a connection: name, socket, TLS. Default 10,000. It counts with Node's own `fetch`, which tells when
   * it is connected; elsewhere and with a `fetch` of the caller's own, `headMs` bounds it.
   */
  readonly connectMs?: number | undefined
  /** From the call to the head of the answer: connection, request, the provider's work. Default 60,000. */
  readonly headMs?: number | undefined
  /** From the head to the first byte of the body. Default 30,000. */
  readonly firstByteMs?: number | undefined
  /** Between two pieces of the body. Default 30,000. */
  readonly idleMs?: number | undefined
  /** The whole call. Default 300,000. */
  readonly totalMs?: number | undefined
}

/** A `fetch` of the platform or of a test. */
export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>

/**
 * A `fetch` that gives up when the connection, the head, the first byte or the next piece of the body is late; the SDKs' own timeouts
 * end when the head arrives, so a stalled body would hang. Redirects are refused: a provider's address does not move,
 * and texts must not follow one. The error is a retryable `ProviderError` that `providerFailure` finds through the
 * SDK's wrapping.
 */
export function deadlineFetch(
  provider: string,
  deadlines: Deadlines = {},
  fetch: Fetch = globalThis.fetch,
  clock: Clock = systemClock,
): Fetch {
  const { connectMs = 10_000, headMs = 60_000, firstByteMs = 30_000, idleMs = 30_000 } = deadlines
  return async (input, init = {}) => {
    const late = new AbortController()
    const outer = init.signal ?? (input instanceof Request ? input.signal : undefined)
    const signal = outer ? AbortSignal.any([outer, late.signal]) : late.signal
    const watch = (ms: number, part: string) =>
      ms === Number.POSITIVE_INFINITY
        ? () => {}
        : clock.schedule(ms, () => late.abort(deadlineError(provider, part, ms)))

    const tooLate = rejection(late.signal)
    const stop = watch(headMs, 'no answer')
    // Only the platform's fetch is known to take a dispatcher; one of the caller's may have its own.
    const own = fetch === globalThis.fetch && connectMs !== Number.POSITIVE_INFINITY
    let stopConnect = () => {}
    const told = own ? connectWatch(() => stopConnect()) : undefined
    if (told) stopConnect = watch(connectMs, 'no connection')
    let response: Response
    try {
      response = await Promise.race([fetch(input, { ...told, ...init, redirect: 'error', signal }), tooLate])
    } finally {
      stop()
      stopConnect()
    }
    if (response.body === null) return response
    return new Response(watchBody(response.body, tooLate, watch, firstByteMs, idleMs), {
      status: response.status,
      statusText: response.statusText,
      headers: response.headers,
    })
  }
}

/**
 * Settles with `call`, with the signal's reason as soon as it is aborted, or with a retryable `ProviderError` after
 * `totalMs`, whether or not the call listens to the signal that it is given.
 */
export async function withDeadline<T>(
  provider: string,
  call: (signal: AbortSignal) => Promise<T>,
  signal?: AbortSignal,
  totalMs: number = 300_000,
  clock: Clock = systemClock,
): Promise<T> {
  signal?.throwIfAborted()
  const late = new AbortController()
  const inner = signal ? AbortSignal.any([signal, late.signal]) : late.signal
  const stop =
    totalMs === Number.POSITIVE_INFINITY
      ? () => {}
      : clock.schedule(totalMs, () => late.abort(deadlineError(provider, 'no end of the answer', totalMs)))
  try {
    return await Promise.race([call(inner), rejection(inner)])
  } finally {
    stop()
  }
}

/** A promise that only ever rejects: with the signal's reason. Never unhandled. */
function rejection(signal: AbortSignal): Promise<never> {
  const rejected = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
  rejected.catch(() => {})
  return rejected
}

/** The body, failing when a piece of it is late. */
function watchBody(
  body: ReadableStream<Uint8Array>,
  tooLate: Promise<never>,
  watch: (ms: number, part: string) => () => void,
  firstByteMs: number,
  idleMs: number,
): ReadableStream<Uint8Array> {
  const reader = body.getReader()
  let first = true
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const stop = watch(first ? firstByteMs : idleMs, first ? 'no first byte' : 'no further byte')
        first = false
        try {
          const { done, value } = await Promise.race([reader.read(), tooLate])
          if (done) controller.close()
          else controller.enqueue(value)
        } catch (error) {
          reader.cancel(error).catch(() => {})
          throw error
        } finally {
          stop()
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  )
}

function deadlineError(provider: string, part: string, ms: number): ProviderError {
  return new ProviderError(`${provider}: ${part} within ${ms} ms. Retry, or raise the deadline`, {
    provider,
    retryable: true,
    details: { deadlineMs: ms, part },
  })
}

import { GroundlineError } from '../errors.ts'
import { requireInteger } from './argument.ts'
import { type Clock, systemClock } from './clock.ts'

/** What a provider allows in any window of time. Absent limits are none. */
export interface RateLimits {
  /** Requests in a window. */
  readonly requests?: number
  /** Tokens in a window. */
  readonly tokens?: number
  /** Length of the window in milliseconds. Default 60,000. */
  readonly windowMs?: number
}

/** Leave to make one request. */
export interface Reservation {
  /** The request has ended. Tokens it really took replace the estimate; unknown ones leave it. Later calls are ignored. */
  settle(tokens?: number): void
}

/** Shares a provider's limits among all calls that use one key. */
export interface RateLimiter {
  /**
   * Waits, in order of the calls, until a request of so many tokens at the most fits. Rejects with the signal's reason
   * on abort, with `LIMIT_EXCEEDED` when it could never fit.
   */
  acquire(tokens: number, signal?: AbortSignal): Promise<Reservation>
  /** Lets nothing start for a while, because the provider asked to wait. */
  pause(ms: number): void
}

interface Entry {
  tokens: number
  /** When the request ended; it counts until a window after that. Undefined while it is under way. */
  ended: number | undefined
}

interface Waiter {
  readonly tokens: number
  readonly admit: (reservation: Reservation) => void
}

/**
 * A limiter over a sliding window. A request counts from the moment it starts until a whole window after it ended: the
 * provider counted it somewhere in between, so its own window never sees more than the limit, whatever the latency.
 * Amortised O(1) a request.
 *
 * @example
 * const limiter = rateLimiter({ requests: 3000, tokens: 1_000_000 })
 */
export function rateLimiter(limits: RateLimits, clock: Clock = systemClock): RateLimiter {
  const { windowMs = 60_000 } = limits
  const most = {
    requests: limits.requests ?? Number.POSITIVE_INFINITY,
    tokens: limits.tokens ?? Number.POSITIVE_INFINITY,
  }
  if (limits.requests !== undefined) requireInteger('requests', limits.requests, 1)
  if (limits.tokens !== undefined) requireInteger('tokens', limits.tokens, 1)
  requireInteger('windowMs', windowMs, 1)

  const ended = fifo<Entry>()
  const waiting = fifo<Waiter>()
  let requests = 0
  let tokens = 0
  let pausedUntil = Number.NEGATIVE_INFINITY
  let cancelTimer: (() => void) | undefined

  const expire = (now: number) => {
    for (let first = ended.peek(); first && (first.ended ?? now) + windowMs <= now; first = ended.peek()) {
      requests--
      tokens -= first.tokens
      ended.take()
    }
  }
  const start = (estimate: number): Reservation => {
    const entry: Entry = { tokens: estimate, ended: undefined }
    requests++
    tokens += estimate
    return {
      settle(actual) {
        if (entry.ended !== undefined) return
        if (actual !== undefined && Number.isFinite(actual)) {
          tokens += actual - entry.tokens
          entry.tokens = actual
        }
        entry.ended = clock.now()
        ended.put(entry)
        admitWaiting()
      },
    }
  }
  const admitWaiting = () => {
    cancelTimer?.()
    cancelTimer = undefined
    const now = clock.now()
    expire(now)
    for (let next = waiting.peek(); next; next = waiting.peek()) {
      const fits = requests < most.requests && tokens + next.tokens <= most.tokens
      if (!fits || now < pausedUntil) break
      waiting.take()
      next.admit(start(next.tokens))
    }
    if (waiting.peek() === undefined) return
    const oldest = ended.peek()?.ended
    const free = oldest === undefined ? undefined : oldest + windowMs
    // Without an ended request and without a pause, the next settle wakes the queue.
    const wake = now < pausedUntil ? pausedUntil : free
    if (wake !== undefined) cancelTimer = clock.schedule(Math.max(wake - now, 0), admitWaiting)
  }

  return {
    acquire: (estimate, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        if (estimate > most.tokens) {
          const message = `a request of up to ${estimate} tokens can never fit a limit of ${most.tokens}. Send smaller batches`
          return reject(new GroundlineError('LIMIT_EXCEEDED', message, { details: { estimate, limit: most.tokens } }))
        }
        const waiter: Waiter = {
          tokens: estimate,
          admit(reservation) {
            signal?.removeEventListener('abort', onAbort)
            resolve(reservation)
          },
        }
        const onAbort = () => {
          waiting.remove(waiter)
          reject(signal?.reason)
          admitWaiting()
        }
        signal?.addEventListener('abort', onAbort, { once: true })
        waiting.put(waiter)
        if (cancelTimer === undefined || waiting.peek() === waiter) admitWaiting()
      }),
    pause(ms) {
      pausedUntil = Math.max(pausedUntil, clock.now() + ms)
      if (waiting.peek()) admitWaiting()
    },
  }
}

/** A queue: Set keeps the order of insertion and removes from anywhere in O(1). */
function fifo<T>(): { put(item: T): void; peek(): T | undefined; take(): void; remove(item: T): void } {
  const items = new Set<T>()
  return {
    put: (item) => items.add(item),
    peek: () => items.values().next().value,
    take() {
      const [first] = items
      if (first !== undefined) items.delete(first)
    },
    remove: (item) => items.delete(item),
  }
}

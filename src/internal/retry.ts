import { type GroundlineError, isGroundlineError, isProviderError, ProviderError } from '../errors.ts'
import { requireInteger } from './argument.ts'
import type { CircuitBreaker } from './circuit-breaker.ts'
import { type Clock, sleep, systemClock } from './clock.ts'
import { withDeadline } from './deadline.ts'
import { providerFailure } from './provider-error.ts'
import type { RetryBudget } from './retry-budget.ts'

/** How calls to a provider are repeated. */
export interface RetryPolicy {
  /** Attempts a call, the first included, from 1 to 10. Default 3. */
  readonly attempts?: number
  /** The longest pause before the first retry, in milliseconds; it doubles with each. Default 500. */
  readonly baseMs?: number
  /** The longest pause, in milliseconds. Default 20,000. */
  readonly capMs?: number
  /** The most of a Retry-After that is waited for, in milliseconds. Default 60,000. */
  readonly maxRetryAfterMs?: number
  /** When a call must have settled, pauses and all attempts included, in milliseconds. Default 300,000. */
  readonly deadlineMs?: number
  /** Bounds retries to a share of the calls. Default none. */
  readonly budget?: RetryBudget
  /** Stops calls to a provider that is down. Default none. */
  readonly breaker?: CircuitBreaker
  /** Where time comes from. Default the platform's. */
  readonly clock?: Clock
  /** Numbers from 0 to 1 for the jitter. Default `Math.random`. */
  readonly random?: () => number
}

/** Throws `INVALID_ARGUMENT` unless the policy can be followed. */
export function requireRetryPolicy(policy: RetryPolicy): void {
  requireInteger('attempts', policy.attempts ?? 3, 1, 10)
}

/**
 * Calls until an answer arrives, the attempts are used up, or an error comes that waiting does not cure. Pauses with full
 * jitter (a random part of a doubling bound; Brooker, "Exponential Backoff And Jitter", 2015), or for as long as the
 * provider asked, up to a cap and with at most 5 % added. Settles by the deadline even when a call ignores its signal.
 * The error that remains carries `details.attempts`, and is never retried again by an outer policy.
 */
export async function callWithRetry<T>(
  provider: string,
  call: (signal: AbortSignal) => Promise<T>,
  policy: RetryPolicy = {},
  signal?: AbortSignal,
): Promise<T> {
  const { attempts = 3, budget, breaker, clock = systemClock, deadlineMs = 300_000 } = policy
  const deadline = clock.now() + deadlineMs
  budget?.deposit()
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted()
    const report = breaker?.admit(provider)
    try {
      const answer = await withDeadline(provider, call, signal, deadline - clock.now(), clock)
      report?.('answered')
      return answer
    } catch (caught) {
      if (signal?.aborted) report?.('ignored')
      signal?.throwIfAborted()
      const error = failureOf(provider, caught)
      report?.(healthOf(error))
      const pause = pauseBefore(attempt, error, policy)
      const lasting = pause === undefined || attempt >= attempts || clock.now() + pause >= deadline
      if (lasting || budget?.withdraw() === false) throw withAttempts(error, attempt)
      await sleep(pause, clock, signal)
    }
  }
}

function failureOf(provider: string, caught: unknown): GroundlineError {
  const failure = providerFailure(provider, caught)
  return isGroundlineError(failure) ? failure : new ProviderError(String(failure), { provider, retryable: false })
}

/** What a failed call says of the provider's health: refusing one request, or one too many, is an answer. */
function healthOf(error: GroundlineError): 'answered' | 'failed' {
  return isProviderError(error) && error.retryable && error.status !== 429 ? 'failed' : 'answered'
}

/** How long to wait before trying again; undefined when trying again is of no use. */
function pauseBefore(attempt: number, error: GroundlineError, policy: RetryPolicy): number | undefined {
  if (!isProviderError(error) || !error.retryable || error.details.attempts !== undefined) return undefined
  const { baseMs = 500, capMs = 20_000, maxRetryAfterMs = 60_000, random = Math.random } = policy
  if (error.retryAfterMs !== undefined) return Math.min(error.retryAfterMs * (1 + 0.05 * random()), maxRetryAfterMs)
  return random() * Math.min(capMs, baseMs * 2 ** (attempt - 1))
}

function withAttempts(error: GroundlineError, attempts: number): GroundlineError {
  if (!isProviderError(error) || error.details.attempts !== undefined) return error
  const { provider, status, retryable, retryAfterMs } = error
  return new ProviderError(attempts > 1 ? `${error.message} (${attempts} attempts)` : error.message, {
    provider,
    status,
    retryable,
    retryAfterMs,
    code: error.code === 'INVALID_RESPONSE' ? 'INVALID_RESPONSE' : 'PROVIDER_FAILED',
    cause: error.cause,
    details: { ...error.details, attempts },
  })
}

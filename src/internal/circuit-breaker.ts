import { ProviderError } from '../errors.ts'
import { type Clock, systemClock } from './clock.ts'

/** How an admitted call ended. `ignored`: it says nothing of the provider's health (an abort). */
export type CallOutcome = 'answered' | 'failed' | 'ignored'

/** Stops calling a provider that is down, and tries again after a pause with a single call. */
export interface CircuitBreaker {
  /** Leave to make a call: the function reports how it ended. Throws a retryable `ProviderError` while it is open. */
  admit(provider: string): (outcome: CallOutcome) => void
}

/** Options of {@link circuitBreaker}. */
export interface CircuitBreakerOptions {
  /** Share of failed calls among the latest ones that opens the circuit, from 0 to 1. Default 0.8. */
  readonly threshold?: number
  /** How many of the latest calls count; it never opens before that many were made. Default 20. */
  readonly window?: number
  /** How long it stays open, in milliseconds. Default 10,000. */
  readonly pauseMs?: number
  /** Where time comes from. Default the platform's. */
  readonly clock?: Clock
}

/**
 * A circuit breaker to share among all calls to one provider.
 *
 * @example
 * const breaker = circuitBreaker({ pauseMs: 30_000 })
 */
export function circuitBreaker(options: CircuitBreakerOptions = {}): CircuitBreaker {
  const { threshold = 0.8, window = 20, pauseMs = 10_000, clock = systemClock } = options
  let outcomes: boolean[] = []
  let openUntil: number | undefined
  let probing = false

  const reportCall = (outcome: CallOutcome) => {
    // Calls admitted before it opened say nothing new.
    if (outcome === 'ignored' || openUntil !== undefined) return
    outcomes.push(outcome === 'failed')
    if (outcomes.length > window) outcomes.shift()
    const failed = outcomes.filter(Boolean).length
    if (outcomes.length === window && failed >= threshold * window) openUntil = clock.now() + pauseMs
  }
  const reportProbe = (outcome: CallOutcome) => {
    probing = false
    if (outcome === 'ignored') return
    openUntil = outcome === 'answered' ? undefined : clock.now() + pauseMs
    outcomes = []
  }
  return {
    admit(provider) {
      if (openUntil === undefined) return reportCall
      const wait = openUntil - clock.now()
      if (wait <= 0 && !probing) {
        probing = true
        return reportProbe
      }
      throw new ProviderError(`${provider} is not called: most of its latest ${window} calls failed`, {
        provider,
        retryable: true,
        retryAfterMs: Math.max(wait, 0),
        details: { circuit: 'open' },
      })
    },
  }
}

/** Keeps retries a fraction of calls, so that retrying never multiplies the load on a provider that is down. */
export interface RetryBudget {
  /** A call was made: earns a fraction of a retry. */
  deposit(): void
  /** Whether a retry may be made now; if so, it is paid. */
  withdraw(): boolean
}

/** Options of {@link retryBudget}. */
export interface RetryBudgetOptions {
  /** Retries earned by each call, from 0 to 1. Default 0.5. */
  readonly ratio?: number
  /** Retries available before any call was made, and the most that can be saved up. Default 50. */
  readonly reserve?: number
}

/**
 * A retry budget to share among all calls to one provider.
 *
 * @example
 * const budget = retryBudget({ ratio: 0.2 })
 */
export function retryBudget(options: RetryBudgetOptions = {}): RetryBudget {
  const { ratio = 0.5, reserve = 50 } = options
  let balance = reserve
  return {
    deposit() {
      balance = Math.min(reserve, balance + ratio)
    },
    withdraw() {
      if (balance < 1) return false
      balance -= 1
      return true
    },
  }
}

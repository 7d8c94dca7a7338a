import { circuitBreaker } from '../internal/circuit-breaker.ts'
import { callWithRetry, type RetryPolicy, requireRetryPolicy } from '../internal/retry.ts'
import { retryBudget } from '../internal/retry-budget.ts'
import type { Embedder } from './embedder.ts'

/**
 * Repeats failed calls, for embedders that are called without `embedAll`: queries, mostly. All calls share a retry budget
 * and a circuit breaker, made here unless the policy brings its own. What fails in the end is not repeated again by
 * `embedAll`, so wrapping costs no extra attempts.
 *
 * @example
 * const embedder = withRetry(withRateLimit(openaiEmbedder({ apiKey, model }), limiter), { attempts: 3 })
 */
export function withRetry<I>(embedder: Embedder<I>, policy: RetryPolicy = {}): Embedder<I> {
  requireRetryPolicy(policy)
  const { clock } = policy
  const shared = { budget: retryBudget(), breaker: circuitBreaker(clock ? { clock } : {}), ...policy }
  return {
    ...embedder,
    embed: (inputs, options) =>
      callWithRetry(
        embedder.space.model,
        (signal) => embedder.embed(inputs, { ...options, signal }),
        shared,
        options?.signal,
      ),
  }
}

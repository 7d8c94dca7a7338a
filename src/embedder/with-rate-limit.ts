import { isProviderError } from '../errors.ts'
import type { RateLimiter } from '../internal/rate-limiter.ts'
import { utf8Length } from './batches.ts'
import type { Embedder } from './embedder.ts'

/** Options of {@link withRateLimit}. */
export interface WithRateLimitOptions<I> {
  /** Tokens of an input, never too few. Default half of its UTF-8 bytes, more than natural language needs. */
  readonly countTokens?: (input: I) => number
}

/**
 * Makes each call wait for its place within a provider's limits: reserves the tokens it may take, then settles with those
 * billed. A `Retry-After` holds back every call that shares the limiter. Put it inside `withRetry` and `embedAll`, so
 * that every attempt counts.
 *
 * @example
 * const limiter = rateLimiter({ requests: 3000, tokens: 1_000_000 })
 * const embedder = withRateLimit(openaiEmbedder({ apiKey, model }), limiter)
 */
export function withRateLimit<I = string>(
  embedder: Embedder<I>,
  limiter: RateLimiter,
  options: WithRateLimitOptions<I> = {},
): Embedder<I> {
  const { countTokens = (input) => (typeof input === 'string' ? Math.ceil(utf8Length(input) / 2) : 1) } = options
  return {
    ...embedder,
    async embed(inputs, call) {
      const estimate = inputs.reduce((sum, input) => sum + countTokens(input), 0)
      const reservation = await limiter.acquire(estimate, call?.signal)
      try {
        const reply = await embedder.embed(inputs, call)
        reservation.settle(reply.usage.tokens)
        return reply
      } catch (error) {
        if (isProviderError(error) && error.status === 429) limiter.pause(error.retryAfterMs ?? 0)
        throw error
      } finally {
        reservation.settle()
      }
    },
  }
}

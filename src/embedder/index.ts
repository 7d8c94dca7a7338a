export {
  type CallOutcome,
  type CircuitBreaker,
  type CircuitBreakerOptions,
  circuitBreaker,
} from '../internal/circuit-breaker.ts'
export type { Clock } from '../internal/clock.ts'
export { requireSameSpace, type SpaceLike, spaceFingerprint } from '../internal/embedding-space.ts'
export { type RateLimiter, type RateLimits, type Reservation, rateLimiter } from '../internal/rate-limiter.ts'
export type { RetryPolicy } from '../internal/retry.ts'
export { type RetryBudget, type RetryBudgetOptions, retryBudget } from '../internal/retry-budget.ts'
export { embedAll, everyVector } from './embed-all.ts'
export type { EmbedAllOptions, EmbedAllResult, EmbedAllUsage, EmbedFailure } from './embed-inputs.ts'
export { type EmbeddedItem, type EmbedStreamOptions, embedStream } from './embed-stream.ts'
export type { Embedder, Embedding, EmbeddingSpace, EmbedLimits, EmbedOptions, EmbedUsage } from './embedder.ts'
export {
  type EmbeddingCache,
  type EmbeddingCacheStats,
  embeddingCache,
  embeddingKey,
  type KeepVectors,
  type VectorStore,
  type VectorStoreStats,
} from './embedding-cache.ts'
export { type LexicalHashEmbedderOptions, lexicalHashEmbedder } from './lexical-hash-embedder.ts'
export { type MemoryVectorStoreOptions, memoryVectorStore } from './memory-vector-store.ts'
export type { EmbedAdjustment, OverlongPolicy } from './prepare-input.ts'
export { type EmbeddingPrompts, promptsFor } from './prompt-families.ts'
export { type StaticDimensions, type StaticEmbedderOptions, staticEmbedder } from './static-embedder.ts'
export { type StorageVectorStoreOptions, storageVectorStore } from './storage-vector-store.ts'
export { withCache } from './with-cache.ts'
export { withDimensions } from './with-dimensions.ts'
export { withPrompts } from './with-prompts.ts'
export { type WithRateLimitOptions, withRateLimit } from './with-rate-limit.ts'
export { withRetry } from './with-retry.ts'
export { type EmbedEvent, withTelemetry } from './with-telemetry.ts'

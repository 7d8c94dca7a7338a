import { isGroundlineError, isProviderError } from '../errors.ts'
import { type Clock, systemClock } from '../internal/clock.ts'
import type { Embedder } from './embedder.ts'

/** What one call to an embedder was. Holds no text, no vector and no message of a provider. */
export interface EmbedEvent {
  /** The model, as in the space. */
  readonly model: string
  /** Length of the vectors. */
  readonly dimensions: number
  /** What the inputs were for. */
  readonly role: 'query' | 'document'
  /** How many inputs it had. */
  readonly inputs: number
  /** How long it took, in milliseconds. */
  readonly durationMs: number
  /** Tokens billed, when the provider said. */
  readonly tokens?: number
  /** `ok`, `aborted`, a code of this library's errors, or `unknown`. */
  readonly outcome: string
  /** The HTTP status of a failed call. */
  readonly status?: number
}

/**
 * Reports each call when it ends. `observe` runs before the result is returned and must not throw.
 *
 * @example
 * const embedder = withTelemetry(openaiEmbedder({ apiKey, model }), (event) => histogram.record(event.durationMs))
 */
export function withTelemetry<I>(
  embedder: Embedder<I>,
  observe: (event: EmbedEvent) => void,
  clock: Clock = systemClock,
): Embedder<I> {
  const { space, dimensions } = embedder
  return {
    ...embedder,
    async embed(inputs, options) {
      const started = clock.now()
      const end = (outcome: string, extra: { tokens?: number; status?: number } = {}) =>
        observe({
          model: space.model,
          dimensions,
          role: options?.role ?? 'document',
          inputs: inputs.length,
          durationMs: clock.now() - started,
          ...extra,
          outcome,
        })
      try {
        const reply = await embedder.embed(inputs, options)
        end('ok', reply.usage)
        return reply
      } catch (error) {
        const status = isProviderError(error) ? error.status : undefined
        const code = isGroundlineError(error) ? error.code : 'unknown'
        end(options?.signal?.aborted ? 'aborted' : code, status === undefined ? {} : { status })
        throw error
      }
    },
  }
}

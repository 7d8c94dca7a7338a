import { GroundlineError } from '../errors.ts'
import { describe } from '../internal/argument.ts'

/**
 * Shortest prefix that a provider caches, by the beginning of the model's name; the longest beginning counts. From Anthropic's
 * and Google's documentation of prompt and context caching and OpenAI's prompt caching guide, 2026. Where a vendor's page
 * and what users measured differ (Sonnet 4.6), the larger number.
 */
const MINIMA: readonly (readonly [prefix: string, tokens: number])[] = [
  ['claude-opus-5', 512],
  ['claude-fable-5', 512],
  ['claude-sonnet-5', 1024],
  ['claude-opus-4-7', 4096],
  ['claude-opus-4-6', 4096],
  ['claude-opus-4-5', 4096],
  ['claude-opus-4', 1024],
  ['claude-sonnet-4-6', 2048],
  ['claude-sonnet-4', 1024],
  ['claude-3-7-sonnet', 1024],
  ['claude-haiku-4-5', 4096],
  ['claude-3-5-sonnet', 1024],
  ['claude-3-opus', 1024],
  ['claude-3-5-haiku', 2048],
  ['claude-3-haiku', 2048],
  ['gpt-4o', 1024],
  ['gpt-4.1', 1024],
  ['gpt-5', 1024],
  ['o1', 1024],
  ['o3', 1024],
  ['o4', 1024],
  ['gemini-2.5', 2048],
  ['gemini-3', 4096],
]

/**
 * Tokens below which a model's provider caches no prefix: what `promptCaching({ model })` asks for. Throws `UNKNOWN_MODEL`, with
 * the `details` given, for a model without a published number; look it up and pass it as `minimum`.
 *
 * @example
 * ```ts
 * const caching = promptCaching({ minimum: Math.max(cacheMinimumOf('claude-opus-4-6'), cacheMinimumOf('gemini-3-pro')) })
 * ```
 */
export function cacheMinimumOf(model: string, details: Readonly<Record<string, unknown>> = {}): number {
  const name = model.slice(model.lastIndexOf('/') + 1)
  let best: readonly [string, number] | undefined
  for (const entry of MINIMA) if (name.startsWith(entry[0]) && entry[0].length > (best?.[0].length ?? 0)) best = entry
  if (best !== undefined) return best[1]
  throw new GroundlineError(
    'UNKNOWN_MODEL',
    `no shortest cached prefix is known for ${describe(model)}; pass promptCaching its minimum as a number`,
    {
      details: { ...details, model },
    },
  )
}

import { requireInteger } from '../internal/argument.ts'
import { cacheMinimumOf } from './cache-minimum.ts'
import { planCache } from './cache-plan.ts'
import type { Composition } from './compose.ts'
import type { PreparedParts } from './prepare-parts.ts'
import type { CachePlan, Ledger, PromptWarning } from './prompt-assembler.ts'

/** Options of {@link promptCaching}. */
export interface PromptCachingOptions {
  /** The model, for the shortest prefix that its provider caches. The assembler throws `UNKNOWN_MODEL` for one without a published number. */
  readonly model?: string
  /** Tokens below which the provider caches no prefix, in place of what is known of the model. Default 1,024. */
  readonly minimum?: number
}

/** Keeps prompts such that a provider's cache takes hold. Its members are the assembler's own business. */
export interface PromptCaching {
  /** Called once, with the account to put into errors. */
  check(ledger: Ledger): void
  /** Where breakpoints go. */
  plan(composition: Composition): CachePlan
  /** What changes from call to call in static parts. */
  warn(parts: PreparedParts): readonly PromptWarning[]
  /** Whether a history may be cut to a rest: see {@link lasting}. */
  readonly lasting: typeof lasting
}

/** Dates, times, UUIDs and long numbers: what changes from call to call. */
const VOLATILE =
  /\b\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2})?|\b\d{1,2}:\d{2}:\d{2}\b|\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b|\b\d{10,13}\b/i

/**
 * What an assembler needs to make prompts of which a provider can cache the beginning: breakpoints above the model's shortest
 * prefix (`Prompt.cachePlan`), warnings of dates, times and ids in static parts, and, where `historyFrom` is passed on from
 * prompt to prompt, cuts of the history that last. A bundle without them does without it.
 *
 * @example
 * ```ts
 * const assembler = promptAssembler({ counter, contextWindow, outputReserve, cache: promptCaching({ model: 'claude-opus-4-6' }) })
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function promptCaching(options: PromptCachingOptions = {}): PromptCaching {
  const { model, minimum } = options
  if (minimum !== undefined) requireInteger('minimum', minimum, 0)
  let least = minimum ?? 1024
  return {
    check(ledger) {
      if (minimum === undefined && model !== undefined) least = cacheMinimumOf(model, { ledger })
    },
    plan: (composition) => planCache(composition, least),
    warn({ instructions, tools, examples }) {
      return [...instructions, ...tools, ...examples].flatMap(({ id, stability, forms: [full] }): PromptWarning[] => {
        if (stability !== 'static') return []
        const match = VOLATILE.exec(typeof full === 'string' ? full : JSON.stringify(full))
        return match ? [{ id, kind: 'volatile', at: match.index, found: match[0] }] : []
      })
    },
    lasting,
  }
}

/**
 * Whether a history of `whole` tokens that no longer fits may be cut to `rest`. What is kept is sent anew once, behind the cut;
 * until the history has grown to `whole` again, prompts begin alike. With turns of the usual length that is `n` prompts with
 * `stable` and, on average, half of `rest` and `whole` each, of which `rest` may be a twentieth.
 */
function lasting(rest: number, whole: number, turns: number, stable: number): boolean {
  const prompts = ((whole - rest) / whole) * turns
  return rest * 20 <= prompts * (stable + (whole + rest) / 2)
}

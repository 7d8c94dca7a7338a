import { GroundlineError } from '../errors.ts'
import { describe, requireInteger, requireString } from '../internal/argument.ts'
import type { LocalTokenCounter } from './tokenizer.ts'

/** What an estimate learned, to be kept and given back. */
export interface LearnedRatios {
  /** Reported tokens divided by the base's count, the latest last. */
  readonly ratios: readonly number[]
}

/** An estimate for a model whose vocabulary is not public, which learns from what its provider reports. */
export interface LearningCounter extends LocalTokenCounter {
  /** Always `estimate`. */
  readonly kind: 'estimate'
  /** What the base's count is multiplied by: the quantile of what was learned, or the starting margin. */
  readonly factor: number
  /** How many reports it has learned from. */
  readonly reports: number
  /** Learns: `text` was reported as `tokens`. Reports of texts that the base counts as 0 are ignored. */
  report(text: string, tokens: number): void
  /** What was learned, for {@link LearningCounterOptions.learned} of the next process. */
  toJSON(): LearnedRatios
}

/** How a {@link learningCounter} estimates. */
export interface LearningCounterOptions {
  /** Names the model it estimates. */
  readonly id: string
  /** Counts roughly: a tokenizer of another model, or a bound. */
  readonly base: Pick<LocalTokenCounter, 'count'>
  /**
   * The factor until {@link LearningCounterOptions.after} reports came. Default 1.35, a choice and no bound: `o200k_base` and
   * `cl100k_base` differ by less on each of this repository's Markdown files, yet `r50k_base` counts over 3 times as many
   * tokens as they do where tables are padded with spaces (`test/tokenizer/counters.test.ts`).
   */
  readonly margin?: number
  /** Which quantile of the reported ratios the factor is, 0.5 to 1. Default 0.99. */
  readonly quantile?: number
  /** Reports it waits for before it trusts them. Default 20. */
  readonly after?: number
  /** Reports it remembers; the oldest go first. Default 500. */
  readonly window?: number
  /** What an earlier one learned. */
  readonly learned?: LearnedRatios
}

/**
 * Multiplies another counter's count by a factor that starts at a stated margin and becomes a high quantile of what the
 * provider reported, so that at most about one in a hundred of the remembered reports exceeds its estimate. It stays an estimate: text unlike any reported may
 * exceed it.
 *
 * @example
 * ```ts
 * import { learningCounter } from 'groundline/tokenizer'
 * import { o200kBase } from 'groundline/tokenizer/o200k-base'
 *
 * const counter = learningCounter({ id: 'claude-opus-5', base: o200kBase() })
 * counter.report('a prompt that was sent', 7)
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function learningCounter(options: LearningCounterOptions): LearningCounter {
  const { id, base, margin = 1.35, quantile = 0.99, after = 20, window = 500, learned } = options
  requireString('id', id)
  requireInteger('after', after, 1)
  requireInteger('window', window, after)
  if (!(margin > 0) || !(quantile >= 0.5 && quantile <= 1)) {
    throw new GroundlineError(
      'INVALID_ARGUMENT',
      `margin must be above 0 and quantile from 0.5 to 1, got ${describe(margin)} and ${describe(quantile)}`,
    )
  }
  const given = learned?.ratios ?? []
  const ratios = Array.from(given)
    .filter((ratio) => Number.isFinite(ratio) && ratio > 0)
    .slice(-window)
  const factorOf = (): number => {
    if (ratios.length < after) return margin
    const sorted = Float64Array.from(ratios).sort()
    return sorted[Math.min(sorted.length - 1, Math.ceil(quantile * sorted.length) - 1)]!
  }
  let factor = factorOf()

  return {
    id,
    kind: 'estimate',
    get factor() {
      return factor
    },
    get reports() {
      return ratios.length
    },
    count: (text) => Math.ceil(base.count(text) * factor),
    report(text, tokens) {
      requireInteger('tokens', tokens, 0)
      const counted = base.count(text)
      if (counted === 0 || tokens === 0) return
      ratios.push(tokens / counted)
      if (ratios.length > window) ratios.shift()
      factor = factorOf()
    },
    toJSON: () => ({ ratios: [...ratios] }),
  }
}

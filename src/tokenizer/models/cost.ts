import { GroundlineError } from '../../errors.ts'
import { describe, requireInteger } from '../../internal/argument.ts'
import type { ModelInfo, ModelPrices, ModelPricing } from './model-info.ts'

/** Tokens of one call. What a `finish` event of a language model reports fits. */
export interface TokenUsage {
  /** Input, cached and newly cached included. Default 0. */
  readonly inputTokens?: number
  /** Part of the input that was read from the cache. Default 0. */
  readonly cachedInputTokens?: number
  /** Part of the input that was written to the cache. Default 0. */
  readonly cacheWriteTokens?: number
  /** Part of the input that was written to the cache for an hour. Default 0. */
  readonly cacheWriteLongTokens?: number
  /** Output, reasoning included. Default 0. */
  readonly outputTokens?: number
}

/** What a call cost, in micro-units of the currency: integers, and the parts add up to the total. */
export interface Cost {
  /** Input at the full price. */
  readonly input: number
  /** Input read from the cache. */
  readonly cacheRead: number
  /** Input written to the cache, both kinds. */
  readonly cacheWrite: number
  /** Output. */
  readonly output: number
  /** The sum of the parts. */
  readonly total: number
  /** ISO 4217 code. */
  readonly currency: string
}

/** When a call was made, for prices that change. */
export interface CostOptions {
  /** Time of the call. Default now. */
  readonly at?: Date
}

/**
 * What a call cost. Each part is rounded to the nearest micro-unit, halves up. Above a tier's size the whole request is
 * charged at the tier's prices. Throws `UNKNOWN_MODEL` when the row has no price for a part that was used, and
 * `INVALID_ARGUMENT` when parts of the input exceed it.
 *
 * @example
 * ```ts
 * import { cost, modelTable } from 'groundline/tokenizer/models'
 *
 * const { total } = cost({ inputTokens: 12_000, outputTokens: 300 }, modelTable().get('gpt-4o'))
 * console.log(`${total / 1e6} USD`)
 * ```
 */
export function cost(usage: TokenUsage, model: ModelInfo, options: CostOptions = {}): Cost {
  if (typeof usage !== 'object' || usage === null) throw invalid('usage must be an object', usage)
  if (!Array.isArray(model?.pricing)) throw invalid('model must be a row of the table of models', model)
  const at = options.at ?? new Date()
  if (!(at instanceof Date) || Number.isNaN(at.getTime())) throw invalid('at must be a valid date', at)
  const {
    inputTokens = 0,
    cachedInputTokens = 0,
    cacheWriteTokens = 0,
    cacheWriteLongTokens = 0,
    outputTokens = 0,
  } = usage
  const counts = { inputTokens, cachedInputTokens, cacheWriteTokens, cacheWriteLongTokens, outputTokens }
  for (const [name, count] of Object.entries(counts)) requireInteger(name, count, 0)
  const plain = inputTokens - cachedInputTokens - cacheWriteTokens - cacheWriteLongTokens
  if (plain < 0) {
    throw new GroundlineError(
      'INVALID_ARGUMENT',
      `inputTokens is ${inputTokens}, less than the ${inputTokens - plain} read from and written to the cache; it must include them`,
      { details: counts },
    )
  }
  const prices = pricesAt(model, inputTokens, at)
  const write = prices.cacheWrite ?? prices.input
  const parts = {
    input: charge(plain, prices.input),
    cacheRead: charge(cachedInputTokens, prices.cacheRead ?? prices.input),
    cacheWrite: charge(cacheWriteTokens, write) + charge(cacheWriteLongTokens, prices.cacheWriteLong ?? write),
    output: charge(outputTokens, outputTokens > 0 ? (prices.output ?? unpriced(model, 'output')) : 0),
  }
  const total = parts.input + parts.cacheRead + parts.cacheWrite + parts.output
  return { ...parts, total, currency: model.currency }
}

/** Tokens × price for a million, in integers of any size. */
function charge(tokens: number, price: number): number {
  return Number((BigInt(tokens) * BigInt(price) + 500_000n) / 1_000_000n)
}

function pricesAt(model: ModelInfo, inputTokens: number, at: Date): ModelPrices {
  const iso = at.toISOString()
  const [day, time] = [iso.slice(0, 10), iso.slice(11, 16)]
  const applies = ({ from, between }: ModelPricing) =>
    (from === undefined || day >= from) && (between === undefined || isBetween(time, between[0], between[1]))
  const pricing = model.pricing.findLast(applies) ?? unpriced(model, 'input')
  return pricing.tiers?.findLast((tier) => inputTokens > tier.above) ?? pricing
}

function isBetween(time: string, start: string, end: string): boolean {
  return start <= end ? time >= start && time < end : time >= start || time < end
}

function unpriced(model: ModelInfo, part: string): never {
  throw new GroundlineError('UNKNOWN_MODEL', `The row of ${model.provider}:${model.id} has no price for ${part}.`, {
    details: { model: model.id, provider: model.provider, part },
  })
}

function invalid(expected: string, actual: unknown): GroundlineError {
  return new GroundlineError('INVALID_ARGUMENT', `${expected}, got ${describe(actual)}`)
}

/** Prices in micro-units of `currency` for a million tokens, so that every published price is an integer. */
export interface ModelPrices {
  /** Input that was not read from a cache. */
  readonly input: number
  /** Input read from the provider's cache. Absent: as `input`. */
  readonly cacheRead?: number
  /** Input written to the cache, for five minutes where the provider tells lifetimes apart. Absent: as `input`. */
  readonly cacheWrite?: number
  /** Input written to the cache for an hour. Absent: as `cacheWrite`. */
  readonly cacheWriteLong?: number
  /** Output, reasoning included. Absent for models without, such as embedding models. */
  readonly output?: number
}

/** Prices that hold for requests of more than a number of input tokens; they replace the others for the whole request. */
export interface ModelPriceTier extends ModelPrices {
  /** The tier holds above this many input tokens, cached ones included. */
  readonly above: number
}

/** What a model costs, from a day on. */
export interface ModelPricing extends ModelPrices {
  /** First day, as `YYYY-MM-DD` in UTC. Absent: always. */
  readonly from?: string
  /** Hours of the day in which it holds, `HH:MM` in UTC. Absent: all day. */
  readonly between?: readonly [start: string, end: string]
  /** Tiers by the size of the request, ascending. */
  readonly tiers?: readonly ModelPriceTier[]
}

/** What is known about a model. Absent members are unknown, never assumed. */
export interface ModelInfo {
  /** Who serves it: `openai`, `anthropic`, … */
  readonly provider: string
  /** Its name, as the provider spells it. */
  readonly id: string
  /** The vocabulary it counts with: a tokenizer's `id`. */
  readonly vocabulary?: string
  /** Tokens of input and output together. */
  readonly contextWindow?: number
  /** The most tokens of an answer. */
  readonly maxOutputTokens?: number
  /** The shortest prefix that the provider caches, in tokens. */
  readonly cacheMinimumTokens?: number
  /** Prices, the latest that applies last. Empty where unknown. */
  readonly pricing: readonly ModelPricing[]
  /** ISO 4217 code of the prices. */
  readonly currency: 'USD' | (string & {})
  /** The day of the price data, as `YYYY-MM-DD`. */
  readonly asOf: string
  /** What was read for each value, separated by `; `. */
  readonly source: string
}

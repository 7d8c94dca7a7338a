import type { LocalTokenCounter } from '../tokenizer/tokenizer.ts'

/** A counter that adds up a fixed weight per character, so that a chunker needs no tokenizer at all. */
export interface UnitCounter extends LocalTokenCounter {
  /** What is counted: UTF-16 code units, or bytes of UTF-8. */
  readonly unit: 'utf-16' | 'utf-8'
  /** How many of them make one token. Counts are rounded up. */
  readonly unitsPerToken: number
}

/**
 * Counts UTF-16 code units: a chunker with it takes `maxTokens` as a number of characters.
 *
 * @example
 * ```ts
 * const chunker = recursiveChunker({ maxTokens: 1000, counter: characterCounter() })
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function characterCounter(): UnitCounter {
  return { id: 'characters', kind: 'exact', unit: 'utf-16', unitsPerToken: 1, count: (text) => text.length }
}

/**
 * Estimates tokens as bytes of UTF-8 divided by four: within about a third of the GPT vocabularies for prose in most
 * languages, and without a vocabulary to load. The default of every chunker.
 *
 * @example
 * ```ts
 * approximateCounter().count('Hello, world') // 3
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function approximateCounter(): UnitCounter {
  return {
    id: 'approximate',
    kind: 'estimate',
    unit: 'utf-8',
    unitsPerToken: 4,
    count: (text) => Math.ceil(utf8Length(text, 0, text.length) / 4),
  }
}

/** Bytes that a UTF-16 unit adds to the UTF-8 form: a surrogate adds two, so that a pair makes four. */
export function utf8Weight(code: number): number {
  if (code < 0x80) return 1
  if (code < 0x800) return 2
  return code >= 0xd800 && code <= 0xdfff ? 2 : 3
}

/** Bytes of UTF-8 of a slice. */
export function utf8Length(text: string, start: number, end: number): number {
  let bytes = 0
  for (let at = start; at < end; at += 1) bytes += utf8Weight(text.charCodeAt(at))
  return bytes
}

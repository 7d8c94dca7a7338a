import { GroundlineError } from '../errors.ts'
import { describe, requireInteger, requireString } from '../internal/argument.ts'
import { createBytePairEncoder } from './byte-pair-encoder.ts'
import type { RankTable } from './rank-table.ts'
import { createSpanCounter } from './span-counter.ts'
import { cutAtSpecialTokens, type SpecialTokenOptions } from './special-tokens.ts'
import type { Splitter } from './splitter.ts'
import { createTokenDecoder, type TokenDecoder } from './token-decoder.ts'
import type { OffsetOptions, SpanCounter, SpanTokenizer } from './tokenizer.ts'
import { type TruncateOptions, truncate } from './truncate.ts'
import { utf8Width } from './unit-bytes.ts'

/** What {@link BytePairTokenizer.decode} does with bytes that are not UTF-8. */
export interface DecodeOptions {
  /** `replace` (default) puts U+FFFD; `throw` throws `INVALID_TOKEN`. */
  readonly invalid?: 'replace' | 'throw' | undefined
}

/** A tokenizer over a byte-level vocabulary: every text can be encoded, and what is encoded decodes to itself. */
export interface BytePairTokenizer extends SpanTokenizer {
  /** Special tokens and their ids. Ordinary text never yields one. */
  readonly specialTokens: ReadonlyMap<string, number>
  /** The token ids of a text. */
  encode(text: string, options?: SpecialTokenOptions): Uint32Array
  /** The text of token ids, special tokens included. Throws `INVALID_TOKEN` for an id that is not in the vocabulary. */
  decode(tokens: ArrayLike<number>, options?: DecodeOptions): string
  /** `encode(text, options).length`, without building the ids. */
  count(text: string, options?: SpecialTokenOptions): number
  /** `min(count(text, options), limit + 1)`; `limit` is an integer of at least 0. */
  countUpTo(text: string, limit: number, options?: SpecialTokenOptions): number
  /** Where each token of `encode(text, options)` ends, in UTF-16 units. */
  offsets(text: string, options?: SpecialTokenOptions & OffsetOptions): Uint32Array
  /** The longest part of a text that counts at most `maxTokens`, cut at grapheme boundaries: {@link truncate}. */
  truncate(text: string, maxTokens: number, options?: TruncateOptions): string
  /** Exact counts of slices of a text, after one pass over it and 8 bytes a word. */
  spans(text: string): SpanCounter
  /** Decodes a stream of tokens; it never emits half a character. */
  decoder(): TokenDecoder
  /** The bytes of one token; a copy. Throws `INVALID_TOKEN` for an id that is not in the vocabulary. */
  tokenBytes(token: number): Uint8Array
}

/** What a byte-pair vocabulary is made of. */
export interface BytePairParts {
  /** Names the vocabulary. */
  readonly id: string
  /** Token bytes and ranks. */
  readonly table: RankTable
  /** Cuts text into words. */
  readonly split: Splitter
  /** Special tokens and their ids. */
  readonly specialTokens: ReadonlyMap<string, number>
  /** Whether a word never goes on behind a line feed unless with white space or a slash, as the splitter's rules have it. */
  readonly additiveAtLines?: boolean | undefined
}

/** Puts a tokenizer together from a vocabulary's parts. Its buffers and word cache take 4 MB at most between calls. */
// @__NO_SIDE_EFFECTS__
export function createBytePairTokenizer(parts: BytePairParts): BytePairTokenizer {
  const { id, table, split, specialTokens } = parts
  const encoder = createBytePairEncoder(table, split)
  const specialNames = new Map(Array.from(specialTokens, ([name, token]) => [token, new TextEncoder().encode(name)]))

  const bytesOf = (token: number): Uint8Array => {
    const special = specialNames.get(token)
    if (special) return special
    if (Number.isInteger(token) && token >= 0 && token < table.size && table.lengthOf(token) > 0) {
      return table.bytesOf(token)
    }
    throw new GroundlineError(
      'INVALID_TOKEN',
      `${describe(token)} is not a token of ${id}, whose ids go from 0 to ${table.size - 1}, with special tokens above`,
      { details: { token: String(token), vocabulary: id } },
    )
  }

  const tokenizer: BytePairTokenizer = {
    id,
    specialTokens,
    additiveAtLines: parts.additiveAtLines,
    encode(text, options) {
      requireString('text', text)
      const ids = growing(text.length)
      for (const piece of cutAtSpecialTokens(text, specialTokens, options?.allowedSpecial)) {
        if (piece.id !== undefined) ids.push(piece.id)
        else {
          encoder.visit(text.slice(piece.start, piece.end), (_start, _end, tokens, count) => {
            for (let index = 0; index < count; index++) ids.push(tokens[index]!)
            return true
          })
        }
      }
      return ids.done()
    },
    count(text, options) {
      requireString('text', text)
      return countPieces(text, Number.POSITIVE_INFINITY, options)
    },
    countUpTo(text, limit, options) {
      requireString('text', text)
      requireInteger('limit', limit, 0)
      return Math.min(countPieces(text, limit, options), limit + 1)
    },
    offsets(text, options) {
      requireString('text', text)
      const limit = options?.limit ?? Number.MAX_SAFE_INTEGER
      requireInteger('limit', limit, 0)
      const ends = growing(Math.min(text.length, limit * 4))
      for (const piece of cutAtSpecialTokens(text, specialTokens, options?.allowedSpecial)) {
        if (ends.size() >= limit) break
        if (piece.id !== undefined) {
          ends.push(piece.end)
          continue
        }
        encoder.visit(text.slice(piece.start, piece.end), (start, end, tokens, count) => {
          let unit = piece.start + start
          let unread = 0
          for (let index = 0; index < count - 1 && ends.size() < limit; index++) {
            unread += table.lengthOf(tokens[index]!)
            for (let width = utf8Width(text, unit); width <= unread; width = utf8Width(text, unit)) {
              unread -= width
              unit += width === 4 ? 2 : 1
            }
            ends.push(unit)
          }
          if (ends.size() < limit) ends.push(piece.start + end)
          return ends.size() < limit
        })
      }
      return ends.done()
    },
    decode(tokens, options) {
      if (typeof tokens !== 'object' || tokens === null || !Number.isInteger(tokens.length)) {
        throw new GroundlineError('INVALID_ARGUMENT', `tokens must be an array of ids, got ${describe(tokens)}`)
      }
      let length = 0
      for (let index = 0; index < tokens.length; index++) length += bytesOf(tokens[index]!).length
      const joined = new Uint8Array(length)
      for (let index = 0, at = 0; index < tokens.length; index++) {
        const bytes = bytesOf(tokens[index]!)
        joined.set(bytes, at)
        at += bytes.length
      }
      const fatal = options?.invalid === 'throw'
      try {
        return new TextDecoder('utf-8', { fatal, ignoreBOM: true }).decode(joined)
      } catch (cause) {
        throw new GroundlineError(
          'INVALID_TOKEN',
          `The ${tokens.length} tokens do not make whole characters. Pass { invalid: 'replace' } to read them anyway.`,
          { cause, details: { tokens: tokens.length, vocabulary: id } },
        )
      }
    },
    truncate: (text, maxTokens, options) => truncate(tokenizer, text, maxTokens, options),
    spans(text) {
      requireString('text', text)
      return createSpanCounter(text, encoder)
    },
    decoder: () => createTokenDecoder(bytesOf),
    tokenBytes: (token) => bytesOf(token).slice(),
  }
  return tokenizer

  function countPieces(text: string, limit: number, options: SpecialTokenOptions | undefined): number {
    if (options?.allowedSpecial === undefined) return encoder.count(text, limit)
    let total = 0
    for (const piece of cutAtSpecialTokens(text, specialTokens, options.allowedSpecial)) {
      total += piece.id === undefined ? encoder.count(text.slice(piece.start, piece.end), limit - total) : 1
      if (total > limit) break
    }
    return total
  }
}

/** An array of ids that grows. */
function growing(units: number): { push(value: number): void; size(): number; done(): Uint32Array } {
  let values = new Uint32Array((units >> 2) + 16)
  let size = 0
  return {
    push(value) {
      if (size === values.length) {
        const larger = new Uint32Array(size * 2)
        larger.set(values)
        values = larger
      }
      values[size++] = value
    },
    size: () => size,
    done: () => values.slice(0, size),
  }
}

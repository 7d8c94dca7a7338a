import { GroundlineError } from '../errors.ts'
import { longMerge } from './merge-long.ts'
import { type Merge, SHORT_WORD, shortMerge } from './merge-short.ts'
import { extendHash, finishHash, type RankTable } from './rank-table.ts'
import type { Splitter } from './splitter.ts'
import { writeUtf8 } from './unit-bytes.ts'
import { END_OF_TEXT } from './word-automaton.ts'
import { createWordCache, type WordCache } from './word-cache.ts'

const PIECE = 1 << 15
const MAX_PIECE = 1 << 27
const CACHED_WORD = 512
const KEPT_UNITS = 1 << 20

/**
 * Gets each word of a text in turn: where it lies in the text, and its tokens in `tokens[0, count)`, valid during the call
 * only. Returns whether to go on.
 */
export type WordVisitor = (start: number, end: number, tokens: Int32Array, count: number) => boolean

/** Cuts text into words and each word into tokens; knows nothing of special tokens. */
export interface BytePairEncoder {
  /** Tokens of a text; stops early once they are more than `limit`. */
  count(text: string, limit: number): number
  /** Shows each word to the visitor. */
  visit(text: string, visitor: WordVisitor): void
}

/**
 * The engine under every tiktoken-style vocabulary.
 *
 * ```text
 *   text ─► pieces ─► UTF-16 buffer ─► words (splitter) ─► seen?   word cache, by the word's units
 *                                                          else its UTF-8:
 *                                                          token?  one lookup
 *                                                          short?  quadratic merge
 *                                                          long?   linear merge
 * ```
 *
 * Almost every word of a text has been met before. So text is split and looked up in the units that strings are made of,
 * and only a new word becomes UTF-8, which is what vocabularies are made of.
 *
 * A piece is about 32,768 units long and ends between an ASCII letter and ASCII white space, where every splitter ends
 * a word and across which none looks; so pieces are independent, and the buffers stay in the processor's cache. A text
 * without such a place is one piece.
 */
// @__NO_SIDE_EFFECTS__
export function createBytePairEncoder(table: RankTable, split: Splitter): BytePairEncoder {
  let units = new Uint16Array(PIECE + 1)
  let bytes = new Uint8Array(CACHED_WORD * 3)
  let tokens = new Int32Array(1024)
  let cache: WordCache | undefined
  let mergeShort: Merge | undefined
  let mergeLong: Merge | undefined

  const load = (text: string, start: number, end: number): number => {
    const length = end - start
    if (units.length <= length) units = new Uint16Array(length + 1)
    for (let index = 0; index < length; index++) units[index] = text.charCodeAt(start + index)
    units[length] = END_OF_TEXT
    return length
  }

  /** Tokens of a word; they lie in `tokens` unless `onlyCount`. */
  const encodeWord = (start: number, end: number, onlyCount: boolean): number => {
    const length = end - start
    if (length === 1 && units[start]! < 0x80) {
      tokens[0] = table.byteRank[units[start]!]!
      return 1
    }
    if (length > CACHED_WORD) return mergeWord(start, end)
    const hash = hashOf(units, start, end)
    cache ??= createWordCache()
    const known = cache.find(units, start, end, hash)
    if (known >= 0) {
      if (!onlyCount) cache.copy(known, tokens, 0)
      return cache.countOf(known)
    }
    const count = mergeWord(start, end)
    cache.add(units, start, end, hash, tokens, 0, count)
    return count
  }

  const mergeWord = (start: number, end: number): number => {
    if (bytes.length < (end - start) * 3) bytes = new Uint8Array((end - start) * 3)
    const length = writeUtf8(units, start, end, bytes)
    const rank = rankOf(length)
    if (rank >= 0) {
      tokens[0] = rank
      return 1
    }
    if (tokens.length < length) tokens = new Int32Array(length)
    if (length <= SHORT_WORD) {
      mergeShort ??= shortMerge(table)
      return mergeShort(bytes, 0, length, tokens, 0)
    }
    mergeLong ??= longMerge(table)
    return mergeLong(bytes, 0, length, tokens, 0)
  }

  /** Rank of the whole of `bytes[0, length)`, or −1. */
  const rankOf = (length: number): number => {
    if (length > table.longest) return -1
    let polynomial = 0
    for (let index = 0; index < length; index++) polynomial = extendHash(polynomial, bytes[index]!)
    return table.find(bytes, 0, length, finishHash(polynomial, length))
  }

  /** Gives back what one huge word took. */
  const release = (): void => {
    if (units.length > KEPT_UNITS) units = new Uint16Array(PIECE + 1)
    if (bytes.length > KEPT_UNITS) bytes = new Uint8Array(CACHED_WORD * 3)
    if (tokens.length > KEPT_UNITS) tokens = new Int32Array(1024)
  }

  return {
    count(text, limit) {
      let total = 0
      for (let start = 0; start < text.length && total <= limit; ) {
        const stop = pieceEnd(text, start)
        const length = load(text, start, stop)
        for (let index = 0; index < length && total <= limit; ) {
          const end = split(units, index, length)
          total += encodeWord(index, end, true)
          index = end
        }
        start = stop
      }
      release()
      return total
    },
    visit(text, visitor) {
      visiting: for (let start = 0; start < text.length; ) {
        const stop = pieceEnd(text, start)
        const length = load(text, start, stop)
        for (let index = 0; index < length; ) {
          const end = split(units, index, length)
          const count = encodeWord(index, end, false)
          if (!visitor(start + index, start + end, tokens, count)) break visiting
          index = end
        }
        start = stop
      }
      release()
    },
  }
}

/** Hash of a word's units for the cache. */
function hashOf(units: Uint16Array, start: number, end: number): number {
  let hash = end - start
  for (let index = start; index < end; index++) hash = Math.imul(hash ^ units[index]!, 0x2c1b3c6d)
  return Math.imul(hash ^ (hash >>> 15), 0x297a2d39)
}

/** Where the piece that starts at `start` ends: the first letter-to-white-space border after {@link PIECE} units. */
function pieceEnd(text: string, start: number): number {
  let end = start + PIECE
  if (end >= text.length) return text.length
  while (end < text.length && !(isAsciiLetter(text.charCodeAt(end - 1)) && isAsciiSpace(text.charCodeAt(end)))) end++
  if (end - start > MAX_PIECE) {
    throw new GroundlineError(
      'LIMIT_EXCEEDED',
      `A stretch of ${end - start} UTF-16 units has no word end between an ASCII letter and white space; at most ${MAX_PIECE} are tokenized in one piece. Split the text.`,
      { details: { start, units: end - start, limit: MAX_PIECE } },
    )
  }
  return end
}

function isAsciiLetter(unit: number): boolean {
  return (unit | 32) >= 97 && (unit | 32) <= 122
}

function isAsciiSpace(unit: number): boolean {
  return unit === 32 || (unit >= 9 && unit <= 13)
}

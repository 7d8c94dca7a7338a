import { GroundlineError } from '../errors.ts'
import { longMerge } from './merge-long.ts'
import { type Merge, SHORT_WORD, shortMerge } from './merge-short.ts'
import { extendHash, finishHash, type RankTable } from './rank-table.ts'
import type { Splitter } from './splitter.ts'
import { createWordCache, type WordCache } from './word-cache.ts'

const PIECE = 1 << 15
const MAX_PIECE = 1 << 27
const CACHED_WORD = 512
const KEPT_BYTES = 1 << 20

/**
 * Gets each word of a text in turn, its UTF-8 in `bytes[start, end)` and its tokens in `tokens[0, count)`, both valid
 * during the call only. Returns whether to go on.
 */
export type WordVisitor = (bytes: Uint8Array, start: number, end: number, tokens: Int32Array, count: number) => boolean

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
 *   text ─► pieces ─► UTF-8 buffer ─► words (splitter) ─► token?  one lookup
 *                                                        seen?   word cache
 *                                                        short?  quadratic merge
 *                                                        long?   linear merge
 * ```
 *
 * A piece is about 32,768 units long and ends between an ASCII letter and ASCII white space, where every splitter ends
 * a word and across which none looks; so pieces are independent, and the buffers stay in the processor's cache. A text
 * without such a place is one piece.
 */
// @__NO_SIDE_EFFECTS__
export function createBytePairEncoder(table: RankTable, split: Splitter): BytePairEncoder {
  const utf8 = new TextEncoder()
  let bytes = new Uint8Array(PIECE * 3 + 8)
  let tokens = new Int32Array(1024)
  let cache: WordCache | undefined
  let mergeShort: Merge | undefined
  let mergeLong: Merge | undefined

  const load = (text: string, start: number, end: number): number => {
    const needed = (end - start) * 3 + 8
    if (bytes.length < needed) bytes = new Uint8Array(needed)
    return utf8.encodeInto(start === 0 && end === text.length ? text : text.slice(start, end), bytes).written
  }

  /** Tokens of a word; they lie in `tokens` unless `onlyCount`. */
  const encodeWord = (start: number, end: number, onlyCount: boolean): number => {
    const length = end - start
    if (length === 1) {
      tokens[0] = table.byteRank[bytes[start]!]!
      return 1
    }
    if (length > CACHED_WORD) return mergeWord(start, end)
    let polynomial = 0
    for (let index = start; index < end; index++) polynomial = extendHash(polynomial, bytes[index]!)
    const hash = finishHash(polynomial, length)
    const rank = length <= table.longest ? table.find(bytes, start, end, hash) : -1
    if (rank >= 0) {
      tokens[0] = rank
      return 1
    }
    cache ??= createWordCache()
    const known = cache.find(bytes, start, end, hash)
    if (known >= 0) {
      if (!onlyCount) cache.copy(known, tokens, 0)
      return cache.countOf(known)
    }
    const count = mergeWord(start, end)
    cache.add(bytes, start, end, hash, tokens, 0, count)
    return count
  }

  const mergeWord = (start: number, end: number): number => {
    const length = end - start
    if (tokens.length < length) tokens = new Int32Array(length)
    if (length <= SHORT_WORD) {
      mergeShort ??= shortMerge(table)
      return mergeShort(bytes, start, end, tokens, 0)
    }
    mergeLong ??= longMerge(table)
    return mergeLong(bytes, start, end, tokens, 0)
  }

  /** Gives back what one huge word took. */
  const release = (): void => {
    if (bytes.length > KEPT_BYTES) bytes = new Uint8Array(PIECE * 3 + 8)
    if (tokens.length > KEPT_BYTES) tokens = new Int32Array(1024)
  }

  return {
    count(text, limit) {
      let total = 0
      for (let start = 0; start < text.length && total <= limit; ) {
        const stop = pieceEnd(text, start)
        const length = load(text, start, stop)
        for (let index = 0; index < length; ) {
          const end = split(bytes, index, length)
          total += encodeWord(index, end, true)
          index = end
          if (total > limit) break
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
          const end = split(bytes, index, length)
          const count = encodeWord(index, end, false)
          if (!visitor(bytes, index, end, tokens, count)) break visiting
          index = end
        }
        start = stop
      }
      release()
    },
  }
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

import { type Merge, shortMerge } from './merge-short.ts'
import { extendHash, finishHash, hashPowers, type RankTable } from './rank-table.ts'

const UNREACHABLE = 0xffff
const NO_LIMIT = 0x7fffffff
const VERDICTS = 1 << 14

/**
 * Byte-pair merging of long words in linear time, by backtracking over longest matches (after the Rust crate `bpe`).
 *
 * Two facts carry it. A sequence of tokens is the result of merging exactly when each two neighbours, merged alone,
 * stay apart ("are compatible"). And a prefix of a text has one result only, so a position reached by compatible
 * tokens is reached in the only way possible. Hence: from each position take the longest token that is compatible with
 * the one before; where there is none, the position is a dead end for good.
 *
 * ```text
 *   …[ last ][ longest match     ]      compatible, and its end no dead end: take it
 *   …[ last ][ shorter ]                else the next shorter token at the same place
 *   …✗                                  none left: mark the place, drop `last`, try what is shorter than it
 * ```
 *
 * Each position dies at most once, and a token is a few dozen bytes at most. Where a token lies is always known here,
 * so "the next shorter token" and "is this pair a token" are lookups by hash; only the two halves each token was last
 * merged from are remembered, worked out when first asked for. Memory: 9 bytes for each byte of the word.
 */
// @__NO_SIDE_EFFECTS__
export function longMerge(table: RankTable): Merge {
  const short = shortMerge(table)
  const powers = hashPowers(table.longest)
  const { byteRank, pairRank } = table
  const nextShorter = widthsByPair(table)
  /** Bytes of the left half of a token's last merge: 0 unknown, {@link UNREACHABLE} where no merge makes the token. */
  const splits = new Uint16Array(table.size)
  const lefts = new Int32Array(table.size)
  const rights = new Int32Array(table.size)
  const halves = new Int32Array(table.longest + 1)
  /** Verdicts on pairs of tokens, direct-mapped: repetitive words ask for the same few over and over. */
  const askedLeft = new Int32Array(VERDICTS).fill(-1)
  const askedRight = new Int32Array(VERDICTS)
  const verdicts = new Uint8Array(VERDICTS)

  /** A token that merging its own bytes does not yield stands for whole words only, never for a part of one. */
  const splitOf = (rank: number): number => {
    if (splits[rank] !== 0) return splits[rank]!
    const bytes = table.bytesOf(rank)
    const reachable = short(bytes, 0, bytes.length, halves, 0) === 2
    splits[rank] = reachable ? table.lengthOf(halves[0]!) : UNREACHABLE
    lefts[rank] = halves[0]!
    rights[rank] = halves[1]!
    return splits[rank]!
  }

  return (bytes, start, end, out, at) => {
    const length = end - start
    const prefix = new Int32Array(length + 1)
    for (let index = 0; index < length; index++) {
      prefix[index + 1] = extendHash(prefix[index]!, bytes[start + index]!)
    }
    const dead = new Uint8Array(length + 1)

    const rankOf = (from: number, to: number): number => {
      const width = to - from
      if (width === 1) return byteRank[bytes[start + from]!]!
      if (width === 2) return pairRank[(bytes[start + from]! << 8) | bytes[start + from + 1]!]!
      if (width > table.longest) return -1
      const hash = finishHash((prefix[to]! - Math.imul(prefix[from]!, powers[width]!)) | 0, width)
      return table.find(bytes, start + from, start + to, hash)
    }

    /**
     * Replays the merges backwards from the border of two tokens: undoes the younger (higher-ranked) of the last
     * merges on either side, and asks whether the pair across the border would have been joined before that merge.
     */
    const compatible = (first: number, from: number, border: number, second: number, to: number): boolean => {
      let left = first
      let right = second
      let low = from
      let high = to
      let limit = NO_LIMIT
      for (;;) {
        const joined = rankOf(low, high)
        if (joined >= 0 && joined < limit) return false
        const leftIsByte = border - low === 1
        const rightIsByte = high - border === 1
        if (leftIsByte && rightIsByte) return true
        if (rightIsByte || (!leftIsByte && left > right)) {
          limit = left
          low += splitOf(left)
          left = rights[left]!
        } else {
          // Of equal ranks the left pair is joined first, hence a pair across the border before an equal one here.
          limit = right + 1
          high = border + splitOf(right)
          right = lefts[right]!
        }
      }
    }

    let count = 0
    let position = 0
    let width = nextShorter(bytes, start, end, length + 1)
    while (position < length) {
      const last = count > 0 ? out[at + count - 1]! : -1
      const lastStart = count > 0 ? position - table.lengthOf(last) : 0
      let token = -1
      for (; width > 0; width = nextShorter(bytes, start + position, end, width)) {
        if (dead[position + width] !== 0) continue
        token = rankOf(position, position + width)
        if (token < 0 || (width > 1 && splitOf(token) === UNREACHABLE)) continue
        if (last < 0) break
        const slot = (Math.imul(last, 0x9e3779b1) ^ Math.imul(token, 0x85ebca6b)) >>> 18
        if (askedLeft[slot] !== last || askedRight[slot] !== token) {
          verdicts[slot] = compatible(last, lastStart, position, token, position + width) ? 1 : 0
          askedLeft[slot] = last
          askedRight[slot] = token
        }
        if (verdicts[slot] === 1) break
      }
      if (width > 0) {
        out[at + count++] = token
        position += width
        width = nextShorter(bytes, start + position, end, length + 1)
      } else {
        dead[position] = 1
        count--
        width = nextShorter(bytes, start + lastStart, end, position - lastStart)
        position = lastStart
      }
    }
    return count
  }
}

/**
 * Which lengths tokens have, by their first two bytes: the greatest below `below` that a token starting at `start` can
 * have, or 0. Bits of 65,536 sets, so that a run of one sign asks for the few lengths that exist and not for all.
 */
function widthsByPair(table: RankTable): (bytes: Uint8Array, start: number, end: number, below: number) => number {
  const words = (table.longest >> 5) + 1
  const sets = new Uint32Array(65536 * words)
  for (let rank = 0; rank < table.size; rank++) {
    const length = table.lengthOf(rank)
    if (length < 2) continue
    const bytes = table.bytesOf(rank)
    const at = ((bytes[0]! << 8) | bytes[1]!) * words + (length >> 5)
    sets[at] = sets[at]! | (1 << (length & 31))
  }
  return (bytes, start, end, below) => {
    const most = Math.min(below - 1, end - start, table.longest)
    if (most < 2) return Math.min(most, 1)
    const at = ((bytes[start]! << 8) | bytes[start + 1]!) * words
    let word = most >> 5
    let bits = sets[at + word]! & (0xffffffff >>> (31 - (most & 31)))
    for (;;) {
      if (bits !== 0) return (word << 5) + 31 - Math.clz32(bits)
      if (word === 0) return 1
      bits = sets[at + --word]!
    }
  }
}

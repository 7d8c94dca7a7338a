import { extendHash, finishHash, hashPowers, type RankTable } from './rank-table.ts'

/** Above this many bytes the quadratic scan loses to {@link mergeLong}. */
export const SHORT_WORD = 80

const NONE = 0x7fffffff

/**
 * Merges a word of two or more bytes; writes its tokens to `out` from `at` and returns how many there are. The whole
 * word is never taken for a token: callers look that up first, and {@link longMerge} asks what a token was made from.
 */
export type Merge = (bytes: Uint8Array, start: number, end: number, out: Int32Array, at: number) => number

/**
 * Byte-pair merging as it is defined: as long as two neighbours together are a token, join the pair of the lowest rank,
 * the leftmost of equals. Each round scans all pairs, so this is for words of up to {@link SHORT_WORD} bytes.
 */
// @__NO_SIDE_EFFECTS__
export function shortMerge(table: RankTable): Merge {
  const capacity = Math.max(SHORT_WORD, table.longest) + 2
  const starts = new Int32Array(capacity)
  const pairs = new Int32Array(capacity)
  const prefix = new Int32Array(capacity)
  const powers = hashPowers(capacity)

  return (bytes, start, end, out, at) => {
    const length = end - start
    let polynomial = 0
    for (let index = 0; index < length; index++) {
      polynomial = extendHash(polynomial, bytes[start + index]!)
      prefix[index + 1] = polynomial
      starts[index] = index
      const rank =
        index + 1 < length && length > 2
          ? table.pairRank[(bytes[start + index]! << 8) | bytes[start + index + 1]!]!
          : -1
      pairs[index] = rank < 0 ? NONE : rank
    }
    starts[length] = length

    const rankOf = (from: number, to: number): number => {
      if (to - from === 2) return table.pairRank[(bytes[start + from]! << 8) | bytes[start + from + 1]!]!
      if (to - from > table.longest || to - from === length) return -1
      const hash = finishHash((prefix[to]! - Math.imul(prefix[from]!, powers[to - from]!)) | 0, to - from)
      return table.find(bytes, start + from, start + to, hash)
    }

    let parts = length
    for (;;) {
      let lowest = NONE
      let chosen = -1
      for (let index = 0; index < parts - 1; index++) {
        if (pairs[index]! < lowest) {
          lowest = pairs[index]!
          chosen = index
        }
      }
      if (chosen < 0) break
      parts--
      for (let index = chosen + 1; index <= parts; index++) {
        starts[index] = starts[index + 1]!
        pairs[index] = pairs[index + 1]!
      }
      const following = chosen + 1 < parts ? rankOf(starts[chosen]!, starts[chosen + 2]!) : -1
      pairs[chosen] = following < 0 ? NONE : following
      if (chosen > 0) {
        const preceding = rankOf(starts[chosen - 1]!, starts[chosen + 1]!)
        pairs[chosen - 1] = preceding < 0 ? NONE : preceding
      }
    }
    for (let index = 0; index < parts; index++) {
      const [from, to] = [starts[index]!, starts[index + 1]!]
      out[at + index] = to - from === 1 ? table.byteRank[bytes[start + from]!]! : rankOf(from, to)
    }
    return parts
  }
}

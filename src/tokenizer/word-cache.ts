const SLOTS = 1 << 16
const MAX_WORDS = 40_000
const MAX_PROBES = 32

/** Remembers the tokens of words met before, in bounded memory (3 MB): when it is full, it starts anew. */
export interface WordCache {
  /** Handle of the word `bytes[start, end)` with that hash; −1 when it is not remembered. */
  find(bytes: Uint8Array, start: number, end: number, hash: number): number
  /** How many tokens a remembered word has. */
  countOf(handle: number): number
  /** Copies a remembered word's tokens to `out` from `at`. */
  copy(handle: number, out: Int32Array, at: number): void
  /** Remembers a word that {@link find} did not find, with its tokens `out[at, at + count)`. */
  add(bytes: Uint8Array, start: number, end: number, hash: number, out: Int32Array, at: number, count: number): void
}

/** Open addressing over a byte arena and a token arena; the memory is taken at the first word. */
// @__NO_SIDE_EFFECTS__
export function createWordCache(): WordCache {
  const hashes = new Int32Array(SLOTS)
  const wordAt = new Int32Array(SLOTS).fill(-1)
  const lengths = new Uint16Array(SLOTS)
  const tokensAt = new Int32Array(SLOTS)
  const counts = new Uint16Array(SLOTS)
  const words = new Uint8Array(1 << 20)
  const tokens = new Int32Array(1 << 18)
  let wordsUsed = 0
  let tokensUsed = 0
  let size = 0

  return {
    find(bytes, start, end, hash) {
      const length = end - start
      for (let probe = 0, slot = hash & (SLOTS - 1); probe < MAX_PROBES; probe++, slot = (slot + 1) & (SLOTS - 1)) {
        const at = wordAt[slot]!
        if (at < 0) return -1
        if (hashes[slot] !== hash || lengths[slot] !== length) continue
        let index = 0
        while (index < length && words[at + index] === bytes[start + index]) index++
        if (index === length) return slot
      }
      return -1
    },
    countOf: (handle) => counts[handle]!,
    copy(handle, out, at) {
      const from = tokensAt[handle]!
      for (let index = 0; index < counts[handle]!; index++) out[at + index] = tokens[from + index]!
    },
    add(bytes, start, end, hash, out, at, count) {
      const length = end - start
      if (size >= MAX_WORDS || wordsUsed + length > words.length || tokensUsed + count > tokens.length) {
        wordAt.fill(-1)
        wordsUsed = tokensUsed = size = 0
      }
      let slot = hash & (SLOTS - 1)
      for (let probe = 0; wordAt[slot]! >= 0; slot = (slot + 1) & (SLOTS - 1)) if (++probe >= MAX_PROBES) return
      hashes[slot] = hash
      lengths[slot] = length
      counts[slot] = count
      wordAt[slot] = wordsUsed
      tokensAt[slot] = tokensUsed
      words.set(bytes.subarray(start, end), wordsUsed)
      for (let index = 0; index < count; index++) tokens[tokensUsed + index] = out[at + index]!
      wordsUsed += length
      tokensUsed += count
      size++
    },
  }
}

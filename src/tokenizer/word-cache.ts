const SLOTS = 1 << 16
const MAX_WORDS = 40_000
const MAX_PROBES = 32
const FIELDS = 4

/**
 * Remembers the tokens of words met before, in bounded memory (3 MB): when it is full, it starts anew. A word is known by
 * its UTF-16 units, so that a word met again is never turned into UTF-8.
 */
export interface WordCache {
  /** Handle of the word `units[start, end)` with that hash; −1 when it is not remembered. */
  find(units: Uint16Array, start: number, end: number, hash: number): number
  /** How many tokens a remembered word has. */
  countOf(handle: number): number
  /** Copies a remembered word's tokens to `out` from `at`. */
  copy(handle: number, out: Int32Array, at: number): void
  /** Remembers a word that {@link find} did not find, with its tokens `out[at, at + count)`. */
  add(units: Uint16Array, start: number, end: number, hash: number, out: Int32Array, at: number, count: number): void
}

/**
 * Open addressing over an arena of units and one of tokens; the memory is taken at the first word. The four fields of a slot
 * lie side by side, so that a lookup reads two lines of the processor's cache: the slot's and the word's.
 *
 * ```text
 *   slot   │ hash │ length << 16 | count │ where its units lie + 1, 0: empty │ where its tokens lie │
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function createWordCache(): WordCache {
  const slots = new Int32Array(SLOTS * FIELDS)
  const words = new Uint16Array(1 << 19)
  const tokens = new Int32Array(1 << 18)
  let wordsUsed = 0
  let tokensUsed = 0
  let size = 0
  const slotOf = (hash: number): number => (hash >>> 16) * FIELDS
  const following = (slot: number): number => (slot + FIELDS) & (SLOTS * FIELDS - 1)

  return {
    find(units, start, end, hash) {
      const length = end - start
      for (let probe = 0, slot = slotOf(hash); probe < MAX_PROBES; probe++, slot = following(slot)) {
        const at = slots[slot + 2]! - 1
        if (at < 0) return -1
        if (slots[slot] !== hash || slots[slot + 1]! >> 16 !== length) continue
        let index = 0
        while (index < length && words[at + index] === units[start + index]) index++
        if (index === length) return slot
      }
      return -1
    },
    countOf: (handle) => slots[handle + 1]! & 0xffff,
    copy(handle, out, at) {
      const from = slots[handle + 3]!
      const count = slots[handle + 1]! & 0xffff
      for (let index = 0; index < count; index++) out[at + index] = tokens[from + index]!
    },
    add(units, start, end, hash, out, at, count) {
      const length = end - start
      if (size >= MAX_WORDS || wordsUsed + length > words.length || tokensUsed + count > tokens.length) {
        slots.fill(0)
        wordsUsed = tokensUsed = size = 0
      }
      let slot = slotOf(hash)
      for (let probe = 0; slots[slot + 2] !== 0; slot = following(slot)) if (++probe >= MAX_PROBES) return
      slots[slot] = hash
      slots[slot + 1] = (length << 16) | count
      slots[slot + 2] = wordsUsed + 1
      slots[slot + 3] = tokensUsed
      for (let index = 0; index < length; index++) words[wordsUsed + index] = units[start + index]!
      for (let index = 0; index < count; index++) tokens[tokensUsed + index] = out[at + index]!
      wordsUsed += length
      tokensUsed += count
      size++
    },
  }
}

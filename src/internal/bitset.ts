/** Bits by slot, 32 a word. A set is a plain `Uint32Array`; bits beyond it are zero. */
export function bitsetWords(slots: number): number {
  return (slots + 31) >>> 5
}

/** Whether a slot is in the set. */
export function hasBit(words: Uint32Array, slot: number): boolean {
  return ((words[slot >>> 5] ?? 0) & (1 << (slot & 31))) !== 0
}

/** Puts a slot into the set, which must be long enough. */
export function setBit(words: Uint32Array, slot: number): void {
  words[slot >>> 5]! |= 1 << (slot & 31)
}

/** Takes a slot out of the set. */
export function clearBit(words: Uint32Array, slot: number): void {
  words[slot >>> 5]! &= ~(1 << (slot & 31))
}

/** How many slots are in the set. */
export function countBits(words: Uint32Array): number {
  let count = 0
  for (let i = 0; i < words.length; i++) {
    let word = words[i]!
    if (word === 0) continue
    word -= (word >>> 1) & 0x55555555
    word = (word & 0x33333333) + ((word >>> 2) & 0x33333333)
    count += Math.imul((word + (word >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
  }
  return count
}

/** The slots of the set in ascending order; `count` is their number. */
export function listBits(words: Uint32Array, count: number): Uint32Array {
  const slots = new Uint32Array(count)
  let n = 0
  for (let i = 0; i < words.length; i++) {
    let word = words[i]!
    while (word !== 0) {
      slots[n++] = (i << 5) + 31 - Math.clz32(word & -word)
      word &= word - 1
    }
  }
  return slots
}

/** A copy of the set with room for more slots. */
export function growBits(words: Uint32Array, slots: number): Uint32Array {
  if (bitsetWords(slots) <= words.length) return words
  const grown = new Uint32Array(Math.max(bitsetWords(slots), words.length * 2))
  grown.set(words)
  return grown
}

/** Where the hash of a word begins (FNV-1a). */
export const FNV_BASIS: number = 0x811c9dc5 | 0
/** What it is multiplied with for each unit. */
export const FNV_PRIME = 0x01000193

/** Longer words are not in the table. */
const LONGEST = 0xff
const BEYOND_ASCII = /[^\0-\x7f]/
/** Numbers a place of the table: id + 1, hash, where the letters begin, how many they are. */
const PLACE = 4

/** Words found without making a string. */
export interface AsciiWords {
  /** The id of the word that stands between two places, in either case, whose lower-cased units hash to `hash`; −1 where it is not in the table. */
  find(hash: number, units: Uint8Array, start: number, end: number): number
}

/** The words of ASCII among `ids`, by the hash of their lower-cased units. */
export function asciiWords(ids: ReadonlyMap<string, number>): AsciiWords {
  const mask = (1 << (32 - Math.clz32(ids.size * 2))) - 1
  // One line of the processor's cache a look-up.
  const table = new Int32Array((mask + 1) * PLACE)
  const names: number[] = []
  for (const [word, id] of ids) {
    if (BEYOND_ASCII.test(word) || word.length > LONGEST) continue
    const start = names.length
    let hash = FNV_BASIS
    for (let at = 0; at < word.length; at++) {
      hash = Math.imul(hash ^ word.charCodeAt(at), FNV_PRIME)
      names.push(word.charCodeAt(at))
    }
    let slot = (hash ^ (hash >>> 15)) & mask
    while (table[slot * PLACE] !== 0) slot = (slot + 1) & mask
    table.set([id + 1, hash, start, word.length], slot * PLACE)
  }
  const letters = Uint8Array.from(names)
  return {
    find(hash, units, start, end) {
      for (let slot = (hash ^ (hash >>> 15)) & mask; ; slot = (slot + 1) & mask) {
        const place = slot * PLACE
        const found = table[place] as number
        if (found === 0) return -1
        if (table[place + 1] !== hash || table[place + 3] !== end - start) continue
        const name = (table[place + 2] as number) - start
        let at = start
        for (; at < end; at++) {
          const code = units[at] as number
          if ((code >= 65 && code <= 90 ? code | 32 : code) !== letters[name + at]) break
        }
        if (at === end) return found - 1
      }
    },
  }
}

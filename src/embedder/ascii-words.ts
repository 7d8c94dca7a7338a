import { FNV_BASIS, FNV_PRIME } from '../internal/string-hash.ts'
import { goesOn } from './piece-trees.ts'

/** Longer words are not in the table. */
const LONGEST = 0xff
/** Numbers a place of the table: id + 1, hash, where the letters begin, how many they are. */
const PLACE = 4

/** Words found without making a string. */
export interface AsciiWords {
  /** The id of the word that stands between two places, in either case, whose lower-cased units hash to `hash`; −1 where it is not in the table. */
  find(hash: number, units: Uint8Array, start: number, end: number): number
}

/** The words of ASCII of a vocabulary, by the hash of their lower-cased units. */
export function asciiWords(vocabulary: readonly string[]): AsciiWords {
  const mask = (1 << (32 - Math.clz32(vocabulary.length * 2))) - 1
  // One line of the processor's cache a look-up.
  const table = new Int32Array((mask + 1) * PLACE)
  let size = 0
  for (const word of vocabulary) size += word.length
  const letters = new Uint8Array(size)
  let start = 0
  for (let id = 0; id < vocabulary.length; id++) {
    const word = vocabulary[id] as string
    const { length } = word
    if (goesOn(word)) continue
    let hash = FNV_BASIS
    let all = 0
    for (let at = 0; at < length; at++) {
      const code = word.charCodeAt(at)
      all |= code
      hash = Math.imul(hash ^ code, FNV_PRIME)
      letters[start + at] = code
    }
    // What is not kept is written over by the next.
    if (all > 0x7f || length > LONGEST) continue
    let slot = (hash ^ (hash >>> 15)) & mask
    while (table[slot * PLACE] !== 0) slot = (slot + 1) & mask
    const place = slot * PLACE
    table[place] = id + 1
    table[place + 1] = hash
    table[place + 2] = start
    table[place + 3] = length
    start += length
  }
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

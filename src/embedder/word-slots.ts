import { fnv1a, mixBits } from '../internal/string-hash.ts'

/** Components of a block of word slots. */
export const SLOT_BLOCK = 256

/** How often each word is written into one block; more would not lower the noise, fewer would raise the worst case. */
const SLOTS = 4
const BLOCKS = 2
const PLACES = BLOCKS * SLOTS
/** Which of the hash functions; chosen among four on development texts. Another one is another embedding space. */
const SEED = 3
/** Zipf's law for English: the word of rank r is about one in 11 r words, and log2 11 is about 3.5. */
const COMMONNESS = 3.5
/** Rank of words that the vocabulary does not hold. */
const UNRANKED = 30_000

/** Writes words into the hashed part of a text's vector. */
export interface WordSlots {
  /** Adds the vocabulary's word `id`, found `count` times, to the blocks in `sums` from `from` on. */
  addKnown(sums: Float64Array, from: number, id: number, count: number): void
  /** Adds a word that the vocabulary does not hold. */
  addUnknown(sums: Float64Array, from: number, word: string, count: number): void
}

/**
 * Word identity as signed hashing (Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", 2009): the
 * stem of a word is added to four components of each block, at a weight that grows with the square of the logarithm of
 * its rank, times √count. The vocabulary is in the order of frequency, so that ranks need no data of their own. The
 * logarithm is interpolated between powers of two, which is exact on every runtime. scripts/model/words.py is the
 * same in Python.
 */
export function createWordSlots(vocabulary: readonly string[]): WordSlots {
  let ranks: Map<string, number> | undefined
  const places = new Uint8Array(vocabulary.length * PLACES)
  const signs = new Uint8Array(vocabulary.length)
  const weights = new Float64Array(vocabulary.length)

  /** The rank of the commonest form that the word's stem suggests. */
  const weightOf = (word: string, stem: string): number => {
    ranks ??= new Map(vocabulary.map((token, rank) => [token, rank]))
    let rank = UNRANKED
    for (const form of [word, stem, `${stem}e`, `${stem}s`, `${stem}ed`])
      rank = Math.min(rank, ranks.get(form) ?? UNRANKED)
    return ((COMMONNESS + binaryLogarithm(rank + 1)) / (COMMONNESS + binaryLogarithm(UNRANKED + 1))) ** 2
  }
  const write = (sums: Float64Array, from: number, table: Uint8Array, base: number, sign: number, amount: number) => {
    for (let slot = 0; slot < PLACES; slot++) {
      const index = from + SLOT_BLOCK * Math.trunc(slot / SLOTS) + (table[base + slot] as number)
      if (index < sums.length) sums[index] = (sums[index] as number) + ((sign >>> slot) & 1 ? amount : -amount)
    }
  }

  return {
    addKnown(sums, from, id, count) {
      if (weights[id] === 0) {
        const word = vocabulary[id] as string
        const stem = stemOf(word)
        const found = slotsOf(stem)
        places.set(found.places, id * PLACES)
        signs[id] = found.signs
        weights[id] = weightOf(word, stem)
      }
      const amount = (weights[id] as number) * Math.sqrt(count)
      write(sums, from, places, id * PLACES, signs[id] as number, amount)
    },
    addUnknown(sums, from, word, count) {
      const stem = stemOf(word)
      const found = slotsOf(stem)
      const amount = weightOf(word, stem) * Math.sqrt(count)
      write(sums, from, found.places, 0, found.signs, amount)
    },
  }
}

function slotsOf(stem: string): { readonly places: Uint8Array; readonly signs: number } {
  const hash = fnv1a(stem)
  const places = new Uint8Array(PLACES)
  for (let block = 0; block < BLOCKS; block++) {
    const mixed = mixBits((hash + Math.imul(0x85ebca77, block + 1) + Math.imul(0xc2b2ae3d, SEED)) | 0)
    for (let slot = 0; slot < SLOTS; slot++) places[block * SLOTS + slot] = (mixed >>> (8 * slot)) & 0xff
  }
  return { places, signs: mixBits(hash ^ Math.imul(0x9e3779b9, SEED + 1)) & 0xff }
}

/** log2 at powers of two, linear in between. */
function binaryLogarithm(value: number): number {
  const power = 31 - Math.clz32(value)
  return power + (value / 2 ** power - 1)
}

/** Suffix, the shortest word that loses it, and what takes its place. */
const SUFFIXES: readonly (readonly [string, number, string])[] = [
  ['ies', 5, 'y'],
  ['sses', 6, 'ss'],
  ['ing', 6, ''],
  ['edly', 7, ''],
  ['ed', 5, ''],
  ['ly', 5, ''],
  ['es', 5, ''],
  ['s', 4, ''],
]

const ENDS_IN_LETTER = /[a-z]$/

/** A light stemmer for English: plurals, -ed, -ing, -ly, a last e, a doubled last consonant. Other words stay. */
export function stemOf(word: string): string {
  // The last digits of a number are no suffix.
  if (!ENDS_IN_LETTER.test(word)) return word
  let stem = word
  for (const [suffix, least, put] of SUFFIXES)
    if (word.length >= least && word.endsWith(suffix) && !(put === '' && word.endsWith('ss'))) {
      stem = word.slice(0, -suffix.length) + put
      break
    }
  if (stem.length > 4 && stem.endsWith('e')) stem = stem.slice(0, -1)
  const last = stem.at(-1)
  return stem.length > 4 && last === stem.at(-2) && last !== 'l' && last !== 's' ? stem.slice(0, -1) : stem
}

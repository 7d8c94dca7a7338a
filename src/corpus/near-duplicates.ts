import { GroundlineError } from '../errors.ts'
import type { DuplicateFinder } from './sync-options.ts'

/** How alike two texts must be. */
export interface NearDuplicateOptions {
  /** Share of their shingles of five words that both texts must have, as MinHash estimates it: 0.5 to 1. Default 0.8. */
  readonly threshold?: number
}

const HASHES = 128
const SHINGLE_WORDS = 5

/**
 * Finds texts that say nearly the same: MinHash over shingles of five words (Broder, 1997), candidates by bands of
 * equal hashes (locality-sensitive hashing), verified by the share of equal hashes. Remembers 512 bytes a text; exact for
 * equal texts. The first of several alike is the one that the others duplicate; an id that comes again with another text
 * is that text from then on.
 *
 * Useful for pages with other dates or menus. Not useful for texts under about twenty words, where one word changes
 * most shingles.
 *
 * @example
 * ```ts
 * import { nearDuplicates } from 'groundline/corpus'
 *
 * const duplicates = { finder: nearDuplicates({ threshold: 0.85 }), policy: 'skip' as const }
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function nearDuplicates({ threshold = 0.8 }: NearDuplicateOptions = {}): DuplicateFinder {
  if (!(threshold >= 0.5 && threshold <= 1)) {
    throw new GroundlineError('INVALID_ARGUMENT', `threshold must be from 0.5 to 1, got ${threshold}`)
  }
  const rows = rowsFor(threshold)
  const signatures = new Map<string, Uint32Array>()
  const buckets = new Map<string, string[]>()
  const forget = (id: string, signature: Uint32Array): void => {
    signatures.delete(id)
    for (const key of bandKeys(signature, rows)) {
      const left = buckets.get(key)!.filter((other) => other !== id)
      if (left.length > 0) buckets.set(key, left)
      else buckets.delete(key)
    }
  }
  return {
    add: (id, text) => {
      const signature = minHash(text)
      const keys = bandKeys(signature, rows)
      const before = signatures.get(id)
      if (before && equalShare(before, signature) < 1) forget(id, before)
      let best: string | undefined
      let bestShare = threshold
      for (const candidate of new Set(keys.flatMap((key) => buckets.get(key) ?? []))) {
        if (candidate === id) continue
        const share = equalShare(signature, signatures.get(candidate)!)
        if (share < bestShare || (share === bestShare && best !== undefined)) continue
        best = candidate
        bestShare = share
      }
      // A duplicate stands for nothing: what is like it is like the first one.
      if (best !== undefined || signatures.has(id)) return best
      signatures.set(id, signature)
      for (const key of keys) {
        const bucket = buckets.get(key)
        if (bucket) bucket.push(id)
        else buckets.set(key, [id])
      }
      return undefined
    },
  }
}

/** Hashes a band: bands of r hashes find a pair of similarity s with 1 − (1 − sʳ)^(128/r); at the threshold at least 99 %. */
function rowsFor(threshold: number): number {
  for (const rows of [16, 8, 4, 2]) if (1 - (1 - threshold ** rows) ** (HASHES / rows) >= 0.99) return rows
  return 1
}

/** The smallest value of each of 128 hash functions over the text's shingles. */
function minHash(text: string): Uint32Array {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []
  const signature = new Uint32Array(HASHES).fill(0xffffffff)
  const last = Math.max(1, words.length - SHINGLE_WORDS + 1)
  for (let at = 0; at < last; at++) {
    let hash = 0x811c9dc5
    for (let index = at; index < Math.min(words.length, at + SHINGLE_WORDS); index++) {
      const word = words[index]!
      for (let unit = 0; unit < word.length; unit++) hash = Math.imul(hash ^ word.charCodeAt(unit), 0x01000193)
      hash = Math.imul(hash ^ 0x20, 0x01000193)
    }
    // One strong mix a shingle, then an odd multiplier and a shift for each function: a family of permutations.
    let mixed = hash ^ (hash >>> 16)
    mixed = Math.imul(mixed, 0x85ebca6b)
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
    for (let index = 0; index < HASHES; index++) {
      let value = Math.imul(mixed ^ Math.imul(index, 0x9e3779b1), (0x5bd1e995 + 2 * index) | 1)
      value = (value ^ (value >>> 15)) >>> 0
      if (value < signature[index]!) signature[index] = value
    }
  }
  return signature
}

function bandKeys(signature: Uint32Array, rows: number): string[] {
  const keys: string[] = []
  for (let at = 0; at < HASHES; at += rows) keys.push(`${at}:${signature.subarray(at, at + rows).join()}`)
  return keys
}

function equalShare(a: Uint32Array, b: Uint32Array): number {
  let equal = 0
  for (let index = 0; index < HASHES; index++) if (a[index] === b[index]) equal++
  return equal / HASHES
}

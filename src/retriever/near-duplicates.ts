import type { Metadata, Passage } from '../document.ts'

/** Words of a shingle. */
const SHINGLE = 4
/** Hashes that stand for a passage: enough to tell 0.9 from 0.7 most of the time. */
const SKETCH = 64

/**
 * Drops passages that say what a better one already says: the same text but for case, spaces and punctuation, or at
 * least `threshold` of word 4-grams in common (Jaccard, estimated from 64 smallest hashes; Broder, 1997). The first of a
 * group stays. Stops when `limit` passages are kept: about 50 µs a passage of 200 words.
 */
export function dropNearDuplicates<M extends Metadata>(
  passages: readonly Passage<M>[],
  threshold: number,
  limit: number,
): readonly Passage<M>[] {
  const kept: { readonly passage: Passage<M>; readonly sketch: readonly number[] }[] = []
  for (const passage of passages) {
    if (kept.length === limit) break
    const sketch = sketchOf(passage.text)
    if (kept.every((other) => similarity(sketch, other.sketch) < threshold)) kept.push({ passage, sketch })
  }
  return kept.map(({ passage }) => passage)
}

/** How much two texts have in common, 0–1, by the same estimate. */
export function textSimilarity(a: string, b: string): number {
  return similarity(sketchOf(a), sketchOf(b))
}

/** The smallest distinct hashes of a text's shingles, ascending. */
function sketchOf(text: string): readonly number[] {
  const words = wordHashes(text)
  if (words.length < SHINGLE) return [words.length === 0 ? mixed(hashOf(text)) : words.reduce(joined, 0)]
  const hashes = new Uint32Array(words.length - SHINGLE + 1)
  for (let i = 0; i < hashes.length; i++) {
    let hash = 0
    for (let j = i; j < i + SHINGLE; j++) hash = joined(hash, words[j]!)
    hashes[i] = hash
  }
  hashes.sort()
  const smallest: number[] = []
  for (let i = 0; i < hashes.length && smallest.length < SKETCH; i++)
    if (i === 0 || hashes[i] !== hashes[i - 1]) smallest.push(hashes[i]!)
  return smallest
}

/** Hashes of the words, in lower case, of at most 64 units each. */
function wordHashes(text: string): readonly number[] {
  const hashes: number[] = []
  let hash = OFFSET
  let units = 0
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit > 0x7f) return (text.toLowerCase().match(/[\p{L}\p{N}]{1,64}/gu) ?? []).map(hashOf)
    const lower = unit | 0x20
    const isWord = (lower >= 0x61 && lower <= 0x7a) || (unit >= 0x30 && unit <= 0x39)
    if (isWord && units < 64) {
      hash = Math.imul(hash ^ lower, PRIME)
      units++
      continue
    }
    if (units > 0) hashes.push(hash)
    hash = isWord ? Math.imul(OFFSET ^ lower, PRIME) : OFFSET
    units = isWord ? 1 : 0
  }
  if (units > 0) hashes.push(hash)
  return hashes
}

function similarity(a: readonly number[], b: readonly number[]): number {
  let [i, j, common, seen] = [0, 0, 0, 0]
  const size = Math.min(SKETCH, Math.max(a.length, b.length))
  while (seen < size && i < a.length && j < b.length) {
    if (a[i] === b[j]) {
      common++
      i++
      j++
    } else if (a[i]! < b[j]!) i++
    else j++
    seen++
  }
  return common / Math.max(1, Math.min(SKETCH, seen + Math.max(a.length - i, 0) + Math.max(b.length - j, 0)))
}

/** Of FNV-1a, over UTF-16 units. */
const [OFFSET, PRIME] = [0x811c9dc5, 0x01000193]

function hashOf(text: string): number {
  let hash = OFFSET
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), PRIME)
  return hash
}

/** A hash with another behind it. */
function joined(hash: number, next: number): number {
  return mixed(Math.imul(hash ^ next, PRIME) + 0x9e3779b9)
}

function mixed(value: number): number {
  const hash = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  return (hash ^ (hash >>> 13)) >>> 0
}

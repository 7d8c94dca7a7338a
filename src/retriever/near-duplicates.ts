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
  const words = text.toLowerCase().match(/[\p{L}\p{N}]{1,64}/gu) ?? []
  const hashes = new Set<number>()
  if (words.length < SHINGLE) hashes.add(hashOf(words.join(' ') || text))
  for (let i = 0; i + SHINGLE <= words.length; i++) hashes.add(hashOf(words.slice(i, i + SHINGLE).join(' ')))
  return Array.from(hashes)
    .sort((a, b) => a - b)
    .slice(0, SKETCH)
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

/** FNV-1a over UTF-16 units. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  return (hash ^ (hash >>> 13)) >>> 0
}

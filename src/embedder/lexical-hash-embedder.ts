import { requireInteger } from '../internal/argument.ts'
import { fnv1a, mixBits } from '../internal/string-hash.ts'
import { wordWeight } from './background-frequency.ts'
import type { Embedder, Embedding, EmbedOptions } from './embedder.ts'

/** Options of {@link lexicalHashEmbedder}. */
export interface LexicalHashEmbedderOptions {
  /** Length of the vectors, from 64 to 65,536. Default 1024: shorter ones lose more to collisions. */
  readonly dimensions?: number
}

/** How many inputs are embedded between two looks at the signal. */
const ABORT_EVERY = 32

const WORD = /[\p{L}\p{N}\p{M}]+/gu
/** The whole word counts this much beside the sum of its parts. */
const WORD_SHARE = 1
const PART_SHARE = 0.6

/**
 * Vectors from spelling alone: each word and each run of 3 to 5 of its letters is hashed to a component, weighted by
 * how rare the word is in general English. It needs no data, no model and no corpus, and finds texts that share words,
 * inflections or spellings. It knows no meaning: "car" and "automobile" are as far apart as any two words. Use it where
 * a model cannot be shipped, with a small weight beside a lexical index.
 *
 * Vectors are of unit length and the same on every runtime; a text without a letter or digit gets the vector of the
 * empty word. About 1 µs a character.
 * Feature hashing with signs: Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", 2009.
 *
 * @example
 * const embedder = lexicalHashEmbedder({ dimensions: 1024 })
 */
export function lexicalHashEmbedder(options: LexicalHashEmbedderOptions = {}): Embedder {
  const { dimensions = 1024 } = options
  requireInteger('dimensions', dimensions, 64, 65_536)
  return {
    space: { model: 'groundline-lexical-hash', revision: '1', dimensions, normalized: true },
    dimensions,
    async embed(inputs: readonly string[], { signal }: EmbedOptions = {}): Promise<Embedding> {
      const vectors: Float32Array[] = []
      for (const [index, input] of inputs.entries()) {
        if (index % ABORT_EVERY === 0) signal?.throwIfAborted()
        vectors.push(embedText(input, dimensions))
      }
      signal?.throwIfAborted()
      return { vectors, usage: { tokens: 0 } }
    },
  }
}

function embedText(text: string, dimensions: number): Float32Array {
  const counts = new Map<string, number>()
  for (const [word] of text.normalize('NFKC').toLowerCase().matchAll(WORD))
    counts.set(word, (counts.get(word) ?? 0) + 1)
  if (counts.size === 0) counts.set('', 1)

  const sums = new Float64Array(dimensions)
  const add = (feature: string, weight: number) => {
    const hash = mixBits(fnv1a(feature))
    const slot = (hash >>> 1) % dimensions
    sums[slot] = (sums[slot] ?? 0) + (hash & 1 ? weight : -weight)
  }
  for (const [word, count] of counts) {
    const weight = wordWeight(word) * (1 + Math.log(count))
    add(word, weight * WORD_SHARE)
    const parts = letterRuns(word)
    const share = (weight * PART_SHARE) / Math.sqrt(parts.length)
    for (const part of parts) add(part, share)
  }
  return unitLength(sums)
}

/** Runs of 3 to 5 letters of a word with its ends marked; of long words only the first 64 letters. */
function letterRuns(word: string): readonly string[] {
  const letters = [...`<${word.slice(0, 128)}>`].slice(0, 66)
  const runs: string[] = []
  for (let length = 3; length <= 5; length++)
    for (let start = 0; start + length <= letters.length; start++)
      runs.push(`#${letters.slice(start, start + length).join('')}`)
  return runs
}

function unitLength(sums: Float64Array): Float32Array {
  let squares = 0
  for (const sum of sums) squares += sum * sum
  // Signed features can cancel out entirely; a text still needs a vector.
  if (squares === 0) sums[0] = squares = 1
  const length = Math.sqrt(squares)
  return Float32Array.from(sums, (sum) => sum / length)
}

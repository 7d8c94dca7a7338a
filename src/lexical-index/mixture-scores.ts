import { type Bm25Parameters, inverseDocumentFrequency, type QueryTerm, saturate } from './bm25.ts'
import type { InvertedIndex } from './inverted-index.ts'
import type { LexicalMixture } from './lexical-index.ts'

/**
 * BM25 of texts that are made of documents: the frequencies of all are added, weighted, before they saturate, as BM25F
 * does with the fields of one (Robertson, Zaragoza and Taylor, "Simple BM25 extension to multiple weighted fields", 2004).
 */
export class MixtureScorer {
  /** One more than the row of each document in the table of frequencies; all 0 between two calls. */
  #rowAt = new Uint32Array(0)

  /**
   * The scores of mixtures. `slots` are the documents that members name by their places. Linear in the postings of the
   * terms and in the members.
   */
  scores(
    index: InvertedIndex,
    terms: readonly QueryTerm[],
    parameters: Bm25Parameters,
    slots: readonly (number | undefined)[],
    mixtures: readonly LexicalMixture[],
  ): Float64Array {
    if (terms.length === 0) return new Float64Array(mixtures.length)
    const { bound } = index
    if (this.#rowAt.length < bound) this.#rowAt = new Uint32Array(Math.ceil(bound * 1.25))
    const rowAt = this.#rowAt
    try {
      // A document has one row, however often it is named.
      for (let row = 0; row < slots.length; row++) if (slots[row] !== undefined) rowAt[slots[row]!] = row + 1
      return scoresOf(index, terms, parameters, slots, mixtures, rowAt)
    } finally {
      for (const slot of slots) if (slot !== undefined) rowAt[slot] = 0
    }
  }
}

function scoresOf(
  index: InvertedIndex,
  terms: readonly QueryTerm[],
  parameters: Bm25Parameters,
  slots: readonly (number | undefined)[],
  mixtures: readonly LexicalMixture[],
  rowAt: Uint32Array,
): Float64Array {
  const scores = new Float64Array(mixtures.length)
  const width = terms.length
  const { frequencies, holds } = frequenciesOf(terms, rowAt, slots.length)
  const idfs = terms.map(
    ({ weight, documentFrequency }) => weight * inverseDocumentFrequency(index.size, documentFrequency),
  )
  const { lengths, averageLength } = index
  const sums = new Float64Array(width)
  for (let at = 0; at < mixtures.length; at++) {
    const { members, weights } = mixtures[at]!
    sums.fill(0)
    let [length, total] = [0, 0]
    for (let i = 0; i < members.length; i++) {
      const slot = slots[members[i]!]
      const weight = weights[i]!
      if (slot === undefined) continue
      length += weight * lengths[slot]!
      total += weight
      const row = rowAt[slot]! - 1
      // Most neighbours hold no word of the query: they only count for the length.
      if (holds[row] === 0) continue
      const from = row * width
      for (let term = 0; term < width; term++) sums[term]! += weight * frequencies[from + term]!
    }
    let score = 0
    for (let term = 0; term < width; term++)
      if (sums[term]! > 0) score += idfs[term]! * saturate(parameters, sums[term]!, length / total / averageLength)
    scores[at] = score
  }
  return scores
}

/** How often each term occurs in each document that has a row, and which rows hold any. */
function frequenciesOf(
  terms: readonly QueryTerm[],
  rowAt: Uint32Array,
  rows: number,
): { frequencies: Float64Array; holds: Uint8Array } {
  const frequencies = new Float64Array(rows * terms.length)
  const holds = new Uint8Array(rows)
  for (const [term, { postings }] of terms.entries()) {
    const { documents, frequencies: counts, count } = postings
    for (let i = 0; i < count; i++) {
      const row = rowAt[documents[i]!]!
      if (row === 0) continue
      frequencies[(row - 1) * terms.length + term] = counts[i]!
      holds[row - 1] = 1
    }
  }
  return { frequencies, holds }
}

import { type Bm25Parameters, inverseDocumentFrequency, type QueryTerm, saturate } from './bm25.ts'
import type { InvertedIndex } from './inverted-index.ts'
import type { LexicalMixture } from './lexical-index.ts'

/**
 * BM25 of texts that are made of documents: the frequencies of all are added, weighted, before they saturate, as BM25F
 * does with the fields of one (Robertson, Zaragoza and Taylor, "Simple BM25 extension to multiple weighted fields", 2004).
 * `slots` are the documents that members name by their places. Linear in the postings of the terms and in the members.
 */
export function mixtureScores(
  index: InvertedIndex,
  terms: readonly QueryTerm[],
  parameters: Bm25Parameters,
  slots: readonly (number | undefined)[],
  mixtures: readonly LexicalMixture[],
): Float64Array {
  const scores = new Float64Array(mixtures.length)
  if (terms.length === 0) return scores
  const rowAt = rowsOf(index, slots)
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

/** One more than the row of each document in the table of frequencies; a document has one, however often it is named. */
function rowsOf(index: InvertedIndex, slots: readonly (number | undefined)[]): Uint32Array {
  const rowAt = new Uint32Array(index.bound)
  for (let row = 0; row < slots.length; row++) {
    const slot = slots[row]
    if (slot !== undefined) rowAt[slot] = row + 1
  }
  return rowAt
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

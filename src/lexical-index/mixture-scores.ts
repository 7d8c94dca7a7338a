import { type Bm25Parameters, inverseDocumentFrequency, type QueryTerm, saturate } from './bm25.ts'
import type { InvertedIndex } from './inverted-index.ts'
import type { LexicalMixture } from './lexical-index.ts'

/**
 * BM25 of texts that are made of documents: the frequencies of all are added, weighted, before they saturate, as BM25F
 * does with the fields of one (Robertson, Zaragoza and Taylor, "Simple BM25 extension to multiple weighted fields", 2004).
 * Linear in the postings of the terms and in the ids of the mixtures.
 */
export function mixtureScores(
  index: InvertedIndex,
  terms: readonly QueryTerm[],
  parameters: Bm25Parameters,
  mixtures: readonly LexicalMixture[],
  slotOf: (id: string) => number | undefined,
): Float64Array {
  const scores = new Float64Array(mixtures.length)
  if (terms.length === 0) return scores
  const { slots, rowAt, members } = rowsOf(index, mixtures, slotOf)
  const width = terms.length
  const frequencies = frequenciesOf(terms, rowAt, slots.length)
  const idfs = terms.map(
    ({ weight, documentFrequency }) => weight * inverseDocumentFrequency(index.size, documentFrequency),
  )
  const { lengths, averageLength } = index
  const sums = new Float64Array(width)
  let member = 0
  for (let at = 0; at < mixtures.length; at++) {
    const { ids, weights } = mixtures[at]!
    sums.fill(0)
    let [length, total] = [0, 0]
    for (let i = 0; i < ids.length; i++) {
      const row = members[member++]!
      const weight = weights[i]!
      if (row === -1) continue
      length += weight * lengths[slots[row]!]!
      total += weight
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

/** Numbers the documents that the mixtures name, so that each id is looked up once. */
function rowsOf(
  index: InvertedIndex,
  mixtures: readonly LexicalMixture[],
  slotOf: (id: string) => number | undefined,
): { slots: readonly number[]; rowAt: Uint32Array; members: Int32Array } {
  const rows = new Map<string, number>()
  const slots: number[] = []
  // One more than the row of a document in `frequencies`.
  const rowAt = new Uint32Array(index.bound)
  const members = new Int32Array(mixtures.reduce((sum, { ids }) => sum + ids.length, 0))
  let member = 0
  for (const { ids } of mixtures)
    for (const id of ids) {
      let row = rows.get(id)
      if (row === undefined) {
        const slot = slotOf(id)
        row = slot === undefined ? -1 : slots.length
        rows.set(id, row)
        if (slot !== undefined) rowAt[slot] = slots.push(slot)
      }
      members[member++] = row
    }
  return { slots, rowAt, members }
}

/** How often each term occurs in each document that has a row. */
function frequenciesOf(terms: readonly QueryTerm[], rowAt: Uint32Array, rows: number): Float64Array {
  const frequencies = new Float64Array(rows * terms.length)
  for (const [term, { postings }] of terms.entries()) {
    const { documents, frequencies: counts, count } = postings
    for (let i = 0; i < count; i++) {
      const row = rowAt[documents[i]!]!
      if (row > 0) frequencies[(row - 1) * terms.length + term] = counts[i]!
    }
  }
  return frequencies
}

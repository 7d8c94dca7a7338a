import { fnv1a, mixBits } from '../internal/string-hash.ts'
import { FIELD_END, type Postings } from './inverted-index.ts'

/** The parts of a saved index, in the order they are stored: first those of 32-bit numbers, then those of bytes. */
export interface SavedSections {
  /** Weighted lengths by document. */
  readonly lengths: Float32Array
  /** Where each document's terms start in `sequences`; one more for the end. */
  readonly sequenceOffsets: Uint32Array
  /** Where each document's id starts in `ids`. */
  readonly idOffsets: Uint32Array
  /** Which of the `metadata` each document has. */
  readonly metadataOf: Uint32Array
  /** Where each term starts in `terms`. */
  readonly termOffsets: Uint32Array
  /** How many documents hold each term. */
  readonly counts: Uint32Array
  /** Where each term's list starts in `postings`. */
  readonly postingOffsets: Uint32Array
  /** Open addressing by {@link termHash}: a term's number + 1, or 0. A power of two long. */
  readonly table: Uint32Array
  /** Term numbers + 1 as varints, 0 for {@link FIELD_END}. */
  readonly sequences: Uint8Array
  /** UTF-8. */
  readonly ids: Uint8Array
  /** The different metadata as one JSON array. */
  readonly metadata: Uint8Array
  /** {@link storedTerm} as UTF-8. */
  readonly terms: Uint8Array
  /** By term: how frequencies are stored, gaps between documents as varints, frequencies as bytes (0) or floats (1). */
  readonly postings: Uint8Array
}

/** A term as it is stored: UTF-8 has no lone surrogates, JSON has. */
export function storedTerm(term: string): string {
  return term.isWellFormed() && !term.startsWith('\u0000') ? term : `\u0000${JSON.stringify(term)}`
}

/** The place of a term where the table begins to be searched. */
export function termHash(term: string): number {
  return mixBits(fnv1a(term))
}

/** What an index was saved with, to be asked term by term. */
export interface StoredTerms {
  /** One past the largest number of a term. */
  readonly size: number
  /** Weighted lengths by document, as many as there are. */
  readonly lengths: Float32Array
  /** The number of a term. */
  find(term: string): number | undefined
  /** A term by its number; empty for a number that no term has. */
  term(number: number): string
  /** How many documents hold a term. */
  count(number: number): number
  /** The documents of a term, ascending. */
  postings(number: number): Postings
  /** The terms of a document as the index gives them. */
  sequence(document: number): Uint32Array
}

/** The terms of a saved index. A list is decoded when it is asked for, so that opening costs nothing by term. */
export class SavedTerms implements StoredTerms {
  /** How many terms there are. */
  readonly size: number
  /** Weighted lengths by document, as many as there are. */
  readonly lengths: Float32Array
  readonly #sections: SavedSections
  readonly #decoder: TextDecoder = new TextDecoder('utf-8', { ignoreBOM: true })

  constructor(sections: SavedSections) {
    this.#sections = sections
    this.size = sections.counts.length
    this.lengths = sections.lengths
  }

  /** The number of a term. */
  find(term: string): number | undefined {
    const { table } = this.#sections
    const mask = table.length - 1
    const first = termHash(term)
    for (let step = 0; step <= mask; step++) {
      const entry = table[(first + step) & mask]!
      if (entry === 0) return undefined
      if (this.term(entry - 1) === term) return entry - 1
    }
    return undefined
  }

  /** A term by its number. */
  term(number: number): string {
    const { terms, termOffsets } = this.#sections
    const text = this.#decoder.decode(terms.subarray(termOffsets[number], termOffsets[number + 1]))
    return text.startsWith('\u0000') ? (JSON.parse(text.slice(1)) as string) : text
  }

  /** How many documents hold a term. */
  count(number: number): number {
    return this.#sections.counts[number]!
  }

  /** The documents of a term, ascending. */
  postings(number: number): Postings {
    const { postings: bytes, postingOffsets, lengths } = this.#sections
    const count = this.count(number)
    const room = Math.max(2, count)
    const [documents, frequencies] = [new Uint32Array(room), new Float32Array(room)]
    let at = postingOffsets[number]!
    const areFloats = bytes[at++] === 1
    let document = 0
    let minLength = Number.POSITIVE_INFINITY
    for (let i = 0; i < count; i++) {
      let byte = bytes[at++]!
      let gap = byte & 127
      for (let shift = 7; byte > 127; shift += 7) {
        byte = bytes[at++]!
        gap |= (byte & 127) << shift
      }
      document += gap >>> 0
      documents[i] = document
      const length = lengths[document]!
      if (length < minLength) minLength = length
    }
    let maxFrequency = 0
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    for (let i = 0; i < count; i++) {
      const frequency = areFloats ? view.getFloat32(at + 4 * i, true) : bytes[at + i]!
      frequencies[i] = frequency
      if (frequency > maxFrequency) maxFrequency = frequency
    }
    return { documents, frequencies, count, sorted: count, maxFrequency, minLength }
  }

  /** The terms of a document as the index gives them. */
  sequence(document: number): Uint32Array {
    const { sequences: bytes, sequenceOffsets } = this.#sections
    const end = sequenceOffsets[document + 1]!
    let at = sequenceOffsets[document]!
    // No term takes less than a byte.
    const found = new Uint32Array(end - at)
    let count = 0
    while (at < end) {
      let byte = bytes[at++]!
      let value = byte & 127
      for (let shift = 7; byte > 127; shift += 7) {
        byte = bytes[at++]!
        value |= (byte & 127) << shift
      }
      found[count++] = value === 0 ? FIELD_END : (value >>> 0) - 1
    }
    return found.slice(0, count)
  }
}

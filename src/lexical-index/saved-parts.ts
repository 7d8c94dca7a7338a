import { lastAtMost } from '../internal/last-at-most.ts'
import { FIELD_END, type Postings } from './inverted-index.ts'
import type { StoredTerms } from './saved-terms.ts'

/** One saved index among others. */
interface Part {
  readonly saved: StoredTerms
  /** What is added to its numbers of terms and of documents. */
  readonly firstTerm: number
  readonly firstDocument: number
  /** The number + 1 of each of its terms, 0 where it was not needed yet. */
  readonly numbers: Uint32Array
}

/**
 * Saved indexes of different documents as one: those of each follow those of the one before. A term goes by its number in
 * the first that holds it; its numbers in others stand for nothing. So joining them costs nothing by term.
 */
export class SavedParts implements StoredTerms {
  readonly size: number
  readonly lengths: Float32Array
  readonly #parts: readonly Part[]

  constructor(saved: readonly StoredTerms[]) {
    const parts: Part[] = []
    let firstTerm = 0
    let firstDocument = 0
    for (const one of saved) {
      parts.push({ saved: one, firstTerm, firstDocument, numbers: new Uint32Array(one.size) })
      firstTerm += one.size
      firstDocument += one.lengths.length
    }
    this.#parts = parts
    this.size = firstTerm
    this.lengths = new Float32Array(firstDocument)
    for (const part of parts) this.lengths.set(part.saved.lengths, part.firstDocument)
  }

  find(term: string): number | undefined {
    return this.#findBefore(this.#parts.length, term)
  }

  term(number: number): string {
    const at = this.#partOf(number)
    const { saved, firstTerm } = this.#parts[at]!
    const term = saved.term(number - firstTerm)
    return this.#findBefore(at, term) === undefined ? term : ''
  }

  count(number: number): number {
    let count = 0
    for (const { part, own } of this.#holders(number)) count += part.saved.count(own)
    return count
  }

  postings(number: number): Postings {
    const lists = Array.from(this.#holders(number), ({ part, own }) => ({ part, list: part.saved.postings(own) }))
    const count = lists.reduce((sum, { list }) => sum + list.count, 0)
    const room = Math.max(2, count)
    const [documents, frequencies] = [new Uint32Array(room), new Float32Array(room)]
    let [filled, maxFrequency, minLength] = [0, 0, Number.POSITIVE_INFINITY]
    for (const { part, list } of lists) {
      frequencies.set(list.frequencies.subarray(0, list.count), filled)
      for (let i = 0; i < list.count; i++) documents[filled + i] = list.documents[i]! + part.firstDocument
      filled += list.count
      maxFrequency = Math.max(maxFrequency, list.maxFrequency)
      minLength = Math.min(minLength, list.minLength)
    }
    return { documents, frequencies, count, sorted: count, maxFrequency, minLength }
  }

  sequence(document: number): Uint32Array {
    const at = lastAtMost(this.#parts, document, ({ firstDocument }) => firstDocument)
    const { saved, firstDocument } = this.#parts[at]!
    const sequence = saved.sequence(document - firstDocument)
    if (at === 0) return sequence
    for (let i = 0; i < sequence.length; i++)
      if (sequence[i] !== FIELD_END) sequence[i] = this.#number(at, sequence[i]!)
    return sequence
  }

  /** The number of a term of a part. */
  #number(at: number, own: number): number {
    const { saved, firstTerm, numbers } = this.#parts[at]!
    const known = numbers[own]!
    if (known > 0) return known - 1
    const number = this.#findBefore(at, saved.term(own)) ?? firstTerm + own
    numbers[own] = number + 1
    return number
  }

  #findBefore(end: number, term: string): number | undefined {
    for (let at = 0; at < end; at++) {
      const { saved, firstTerm } = this.#parts[at]!
      const own = saved.find(term)
      if (own !== undefined) return firstTerm + own
    }
    return undefined
  }

  /** The part that gave a number. */
  #partOf(number: number): number {
    return lastAtMost(this.#parts, number, ({ firstTerm }) => firstTerm)
  }

  /** The parts that hold a term, with its number in each. */
  *#holders(number: number): Generator<{ part: Part; own: number }> {
    const first = this.#partOf(number)
    const { saved, firstTerm } = this.#parts[first]!
    yield { part: this.#parts[first]!, own: number - firstTerm }
    if (first === this.#parts.length - 1) return
    const term = saved.term(number - firstTerm)
    for (const part of this.#parts.slice(first + 1)) {
      const own = part.saved.find(term)
      if (own !== undefined) yield { part, own }
    }
  }
}

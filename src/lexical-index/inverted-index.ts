import { hasBit, setBit } from '../internal/bitset.ts'

/** Where a term occurs. */
export interface Postings {
  /** Documents; `count` of them, each once. The first `sorted` are in ascending order. */
  documents: Uint32Array
  /** The term's weighted frequency in each. */
  frequencies: Float32Array
  /** How many documents hold the term. */
  count: number
  /** How many at the front are in order: all of them but for documents under numbers used again. */
  sorted: number
  /** No frequency is larger. */
  maxFrequency: number
  /** No document of the list is shorter. */
  minLength: number
}

/** Closes a field in a document's sequence, so that no phrase crosses from one field into the next. */
export const FIELD_END = 0xffffffff

/** Terms of one field of a document, with the field's weight. */
export interface WeightedTerms {
  /** In text order. */
  readonly terms: readonly string[]
  /** How much one occurrence counts. */
  readonly weight: number
}

/** An inverted index as arrays, with its documents counted from 0. */
export interface FlatTerms {
  /** Where each document's terms start in `sequences`, and where the last one's end. */
  readonly bounds: Uint32Array
  /** Term ids of the documents, one after the other, as {@link InvertedIndex.sequence} gives them. */
  readonly sequences: Uint32Array
  /** Weighted lengths by document. */
  readonly lengths: Float32Array
  /** How many documents hold each term. */
  readonly counts: Uint32Array
  /** By term. */
  readonly maxFrequencies: Float32Array
  /** By term. */
  readonly minLengths: Float32Array
  /** The documents of each term, one term after the other. */
  readonly documents: Uint32Array
  /** The term's weighted frequency in each. */
  readonly frequencies: Float32Array
}

/**
 * Which documents hold which terms. Documents are numbers below some bound, used again after removal. A document's term
 * sequence is kept too: removal and phrases need it.
 */
export class InvertedIndex {
  readonly #termIds: Map<string, number> = new Map()
  readonly #terms: string[] = []
  readonly #postings: Postings[] = []
  readonly #sequences: (Uint32Array | undefined)[] = []
  #lengths: Float32Array = new Float32Array(64)
  #scores: Float64Array = new Float64Array(0)
  #found: Uint32Array = new Uint32Array(0)
  #totalLength = 0
  #size = 0

  /** How many documents there are. */
  get size(): number {
    return this.#size
  }

  /** Mean weighted length; 0 when empty. */
  get averageLength(): number {
    return this.#size === 0 ? 0 : this.#totalLength / this.#size
  }

  /** Weighted lengths by document. */
  get lengths(): Float32Array {
    return this.#lengths
  }

  /** Room for a search: a score a document, all 0, and a list. A search puts the zeros back, and awaits nothing in between. */
  scratch(): { readonly scores: Float64Array; readonly documents: Uint32Array } {
    if (this.#scores.length < this.bound) {
      const room = Math.max(this.bound, this.#scores.length * 2)
      this.#scores = new Float64Array(room)
      this.#found = new Uint32Array(room)
    }
    return { scores: this.#scores, documents: this.#found }
  }

  /** One past the largest document number that ever was. */
  get bound(): number {
    return this.#sequences.length
  }

  /** The postings of a term that some document holds. */
  postings(term: string): Postings | undefined {
    const id = this.#termIds.get(term)
    const postings = id === undefined ? undefined : this.#postings[id]
    return postings?.count ? postings : undefined
  }

  /** Every term by id, those that no document holds any more among them. */
  get terms(): readonly string[] {
    return this.#terms
  }

  /** The id by which sequences name a term. */
  termId(term: string): number | undefined {
    return this.#termIds.get(term)
  }

  /** Term ids of a document in text order, each field closed by {@link FIELD_END}. */
  sequence(document: number): Uint32Array | undefined {
    return this.#sequences[document]
  }

  /** Adds a document under a number that is free. */
  add(document: number, fields: readonly WeightedTerms[]): void {
    const sequence = new Uint32Array(fields.reduce((sum, { terms }) => sum + terms.length + 1, 0))
    let at = 0
    for (const { terms } of fields) {
      for (const term of terms) sequence[at++] = this.idOf(term)
      sequence[at++] = FIELD_END
    }
    this.addSequence(
      document,
      sequence,
      fields.map(({ weight }) => weight),
    )
  }

  /** Adds a document whose terms are already ids, each field closed by {@link FIELD_END}; one weight a field. */
  addSequence(document: number, sequence: Uint32Array, weights: readonly number[]): void {
    const frequencies = new Map<number, number>()
    let length = 0
    let field = 0
    for (const id of sequence) {
      if (id === FIELD_END) {
        field++
        continue
      }
      const weight = weights[field]!
      if (weight === 0) continue
      length += weight
      frequencies.set(id, (frequencies.get(id) ?? 0) + weight)
    }
    this.#sequences[document] = sequence
    this.#setLength(document, length)
    this.#size++
    for (const [id, frequency] of frequencies) append(this.#postings[id]!, document, frequency, length)
  }

  /** Removes documents: each list they occur in is rewritten once. */
  remove(documents: readonly number[]): void {
    const gone = new Uint32Array((this.#sequences.length + 31) >>> 5)
    const affected = new Set<number>()
    for (const document of documents) {
      const sequence = this.#sequences[document]
      if (sequence === undefined) continue
      setBit(gone, document)
      for (const id of sequence) if (id !== FIELD_END) affected.add(id)
      this.#sequences[document] = undefined
      this.#totalLength -= this.#lengths[document]!
      this.#size--
    }
    for (const id of affected) purge(this.#postings[id]!, gone, this.#lengths)
    if (this.#size === 0) this.#totalLength = 0
  }

  /** The id of a term, new if need be. */
  idOf(term: string): number {
    let id = this.#termIds.get(term)
    if (id === undefined) {
      id = this.#terms.length
      this.#termIds.set(term, id)
      this.#terms.push(term)
      this.#postings.push({
        documents: new Uint32Array(2),
        frequencies: new Float32Array(2),
        count: 0,
        sorted: 0,
        maxFrequency: 0,
        minLength: Number.POSITIVE_INFINITY,
      })
    }
    return id
  }

  /** Everything as arrays; the documents are numbered by their place in `order`, which lists them all. */
  flatten(order: readonly number[]): FlatTerms {
    const numbers = new Uint32Array(this.#sequences.length)
    const bounds = new Uint32Array(order.length + 1)
    for (const [number, document] of order.entries()) {
      numbers[document] = number
      bounds[number + 1] = bounds[number]! + this.#sequences[document]!.length
    }
    const sequences = new Uint32Array(bounds[order.length]!)
    for (const [number, document] of order.entries()) sequences.set(this.#sequences[document]!, bounds[number])
    const total = this.#postings.reduce((sum, { count }) => sum + count, 0)
    const [documents, frequencies] = [new Uint32Array(total), new Float32Array(total)]
    let at = 0
    for (const postings of this.#postings) {
      frequencies.set(postings.frequencies.subarray(0, postings.count), at)
      for (let i = 0; i < postings.count; i++) documents[at++] = numbers[postings.documents[i]!]!
    }
    return {
      bounds,
      sequences,
      lengths: Float32Array.from(order, (document) => this.#lengths[document]!),
      counts: Uint32Array.from(this.#postings, ({ count }) => count),
      maxFrequencies: Float32Array.from(this.#postings, ({ maxFrequency }) => maxFrequency),
      minLengths: Float32Array.from(this.#postings, ({ minLength }) => minLength),
      documents,
      frequencies,
    }
  }

  /** Fills an empty index with what `flatten` gave; keeps the arrays. */
  restore(terms: readonly string[], flat: FlatTerms): void {
    const { bounds, sequences, lengths, counts, maxFrequencies, minLengths, documents, frequencies } = flat
    let at = 0
    for (const [id, term] of terms.entries()) {
      this.#termIds.set(term, id)
      this.#terms.push(term)
      const count = counts[id]!
      const end = at + count
      this.#postings.push({
        documents: count === 0 ? new Uint32Array(2) : documents.subarray(at, end),
        frequencies: count === 0 ? new Float32Array(2) : frequencies.subarray(at, end),
        count,
        sorted: orderedPrefix(documents, at, end),
        maxFrequency: maxFrequencies[id]!,
        minLength: minLengths[id]!,
      })
      at = end
    }
    for (let number = 0; number < lengths.length; number++) {
      this.#sequences.push(sequences.subarray(bounds[number], bounds[number + 1]))
      this.#totalLength += lengths[number]!
    }
    if (lengths.length > 0) this.#lengths = lengths
    this.#size = lengths.length
  }

  #setLength(document: number, length: number): void {
    if (document >= this.#lengths.length) {
      const grown = new Float32Array(Math.max(document + 1, this.#lengths.length * 2))
      grown.set(this.#lengths)
      this.#lengths = grown
    }
    this.#lengths[document] = length
    this.#totalLength += this.#lengths[document]!
  }
}

function append(postings: Postings, document: number, frequency: number, length: number): void {
  const { count } = postings
  if (count === postings.documents.length) {
    const documents = new Uint32Array(count * 2)
    documents.set(postings.documents)
    postings.documents = documents
    const frequencies = new Float32Array(count * 2)
    frequencies.set(postings.frequencies)
    postings.frequencies = frequencies
  }
  if (postings.sorted === count && (count === 0 || postings.documents[count - 1]! < document)) postings.sorted++
  postings.documents[count] = document
  postings.frequencies[count] = frequency
  postings.count++
  postings.maxFrequency = Math.max(postings.maxFrequency, postings.frequencies[count]!)
  postings.minLength = Math.min(postings.minLength, length)
}

/** Leaves a list as if the documents had never been in it, its bounds included: so the same content gives the same scores to the bit. */
function purge(postings: Postings, gone: Uint32Array, lengths: Float32Array): void {
  let kept = 0
  let sorted = 0
  postings.maxFrequency = 0
  postings.minLength = Number.POSITIVE_INFINITY
  for (let i = 0; i < postings.count; i++) {
    const document = postings.documents[i]!
    if (hasBit(gone, document)) continue
    const frequency = postings.frequencies[i]!
    postings.documents[kept] = document
    postings.frequencies[kept++] = frequency
    postings.maxFrequency = Math.max(postings.maxFrequency, frequency)
    postings.minLength = Math.min(postings.minLength, lengths[document]!)
    if (i < postings.sorted) sorted = kept
  }
  postings.count = kept
  postings.sorted = sorted
}

/** How many documents from `from` on are in ascending order. */
function orderedPrefix(documents: Uint32Array, from: number, end: number): number {
  let at = from
  while (at < end && (at === from || documents[at - 1]! < documents[at]!)) at++
  return at - from
}

/** Brings a list into ascending order: what came out of order is sorted and merged in from the back. */
export function sortPostings(postings: Postings): void {
  const { documents, frequencies, count, sorted } = postings
  if (sorted === count) return
  const tail = Array.from({ length: count - sorted }, (_, i) => sorted + i)
  const late = tail.sort((a, b) => documents[a]! - documents[b]!).map((i) => [documents[i]!, frequencies[i]!] as const)
  let from = sorted - 1
  let to = count - 1
  for (let i = late.length - 1; i >= 0; to--) {
    const [document, frequency] = late[i]!
    const larger = from >= 0 && documents[from]! > document
    documents[to] = larger ? documents[from]! : document
    frequencies[to] = larger ? frequencies[from]! : frequency
    if (larger) from--
    else i--
  }
  postings.sorted = count
}

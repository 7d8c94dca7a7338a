import { hasBit, setBit } from '../internal/bitset.ts'
import type { StoredTerms } from './saved-terms.ts'

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

/**
 * Which documents hold which terms. Documents are numbers below some bound, used again after removal. A document's term
 * sequence is kept too: removal and phrases need it. What was restored is decoded term by term, when it is first needed.
 */
export class InvertedIndex {
  /** Ids of terms that are not among the saved ones, and of saved ones that were looked for. */
  readonly #termIds: Map<string, number> = new Map()
  readonly #newTerms: string[] = []
  #allTerms: string[] = this.#newTerms
  /** Absent where a saved list was not needed yet. */
  readonly #postings: (Postings | undefined)[] = []
  /** What was added to saved lists that were not needed yet. */
  readonly #tails: (Postings | undefined)[] = []
  /** Null for a document that is gone; absent for one whose saved sequence holds. */
  readonly #sequences: (Uint32Array | null | undefined)[] = []
  #saved: StoredTerms | undefined
  /** By term, all 0 between two documents. */
  #counts: Float64Array = new Float64Array(1_024)
  #lengths: Float32Array = new Float32Array(64)
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

  /** One past the largest document number that ever was. */
  get bound(): number {
    return this.#sequences.length
  }

  /** The postings of a term that some document holds. */
  postings(term: string): Postings | undefined {
    const id = this.termId(term)
    const postings = id === undefined ? undefined : this.#listOf(id)
    return postings?.count ? postings : undefined
  }

  /** How many terms have an id, those that no document holds any more among them. */
  get termCount(): number {
    return this.#postings.length
  }

  /** Every term by id. */
  get terms(): readonly string[] {
    const saved = this.#saved
    if (saved !== undefined && this.#allTerms === this.#newTerms)
      this.#allTerms = Array.from({ length: saved.size }, (_, id) => saved.term(id))
    if (this.#allTerms !== this.#newTerms)
      for (let id = this.#allTerms.length; id < this.termCount; id++) this.#allTerms.push(this.termOf(id))
    return this.#allTerms
  }

  /** The term of an id. */
  termOf(id: number): string {
    const saved = this.#saved?.size ?? 0
    return id < saved ? this.#saved!.term(id) : this.#newTerms[id - saved]!
  }

  /** The id by which sequences name a term. */
  termId(term: string): number | undefined {
    const known = this.#termIds.get(term)
    if (known !== undefined) return known
    const saved = this.#saved?.find(term)
    // To find it again would cost a string each time.
    if (saved !== undefined) this.#termIds.set(term, saved)
    return saved
  }

  /** How many documents hold a term. */
  countOf(id: number): number {
    return this.#postings[id]?.count ?? this.#saved!.count(id) + (this.#tails[id]?.count ?? 0)
  }

  /** The list of a term, to be read once: a saved one is not kept decoded. */
  peek(id: number): Postings {
    return this.#postings[id] ?? this.#decoded(id)
  }

  /** Term ids of a document in text order, each field closed by {@link FIELD_END}. */
  sequence(document: number): Uint32Array | undefined {
    const sequence = this.#sequences[document]
    if (sequence !== undefined) return sequence ?? undefined
    const saved = this.#saved
    return saved !== undefined && document < saved.lengths.length ? saved.sequence(document) : undefined
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
    if (this.#counts.length < this.termCount) this.#counts = new Float64Array(2 * this.termCount)
    const frequencies = this.#counts
    let length = 0
    let field = 0
    for (let at = 0; at < sequence.length; at++) {
      const id = sequence[at]!
      const weight = id === FIELD_END ? 0 : weights[field]!
      if (id === FIELD_END) field++
      if (weight === 0) continue
      length += weight
      frequencies[id]! += weight
    }
    this.#sequences[document] = sequence
    this.#setLength(document, length)
    this.#size++
    for (let at = 0; at < sequence.length; at++) {
      const id = sequence[at]!
      const frequency = id === FIELD_END ? 0 : frequencies[id]!
      if (frequency === 0) continue
      frequencies[id] = 0
      append(this.#endOf(id), document, frequency, length)
    }
  }

  /** Removes documents: each list they occur in is rewritten once. */
  remove(documents: readonly number[]): void {
    const gone = new Uint32Array((this.#sequences.length + 31) >>> 5)
    const affected = new Set<number>()
    for (const document of documents) {
      const sequence = this.sequence(document)
      if (sequence === undefined) continue
      setBit(gone, document)
      for (const id of sequence) if (id !== FIELD_END) affected.add(id)
      this.#sequences[document] = null
      this.#totalLength -= this.#lengths[document]!
      this.#size--
    }
    for (const id of affected) purge(this.#listOf(id), gone, this.#lengths)
    if (this.#size === 0) this.#totalLength = 0
  }

  /** The id of a term, new if need be. */
  idOf(term: string): number {
    let id = this.termId(term)
    if (id === undefined) {
      id = this.#postings.length
      this.#termIds.set(term, id)
      this.#newTerms.push(term)
      this.#postings.push(emptyList())
    }
    return id
  }

  /** Fills an empty index with a saved one; its documents keep their numbers. */
  restore(saved: StoredTerms): void {
    this.#saved = saved
    this.#lengths = saved.lengths.length > 0 ? saved.lengths : this.#lengths
    this.#postings.length = saved.size
    this.#sequences.length = saved.lengths.length
    this.#size = saved.lengths.length
    for (let document = 0; document < saved.lengths.length; document++) this.#totalLength += saved.lengths[document]!
  }

  #listOf(id: number): Postings {
    let postings = this.#postings[id]
    if (postings === undefined) {
      postings = this.#decoded(id)
      this.#postings[id] = postings
      this.#tails[id] = undefined
    }
    return postings
  }

  /** The list to which a term's next document is added: a saved one need not be decoded for that. */
  #endOf(id: number): Postings {
    const known = this.#postings[id] ?? this.#tails[id]
    if (known !== undefined) return known
    const tail = emptyList()
    this.#tails[id] = tail
    return tail
  }

  #decoded(id: number): Postings {
    const postings = this.#saved!.postings(id)
    const tail = this.#tails[id]
    for (let i = 0; i < (tail?.count ?? 0); i++)
      append(postings, tail!.documents[i]!, tail!.frequencies[i]!, tail!.minLength)
    return postings
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

function emptyList(): Postings {
  return {
    documents: new Uint32Array(2),
    frequencies: new Float32Array(2),
    count: 0,
    sorted: 0,
    maxFrequency: 0,
    minLength: Number.POSITIVE_INFINITY,
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

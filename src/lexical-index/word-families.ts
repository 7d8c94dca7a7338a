import type { InvertedIndex, Postings } from './inverted-index.ts'

/** Words of one family share so many letters at the least, */
const SHARED_LETTERS = 6
/** and so large a part of the longer one. */
const SHARED_PART = 0.6
/** Where one document in so many is in a list, going through all of them in order is faster than sorting. */
const DENSE = 32

/**
 * Which words of an index begin alike: `recommend` and `recommendation`, `phylogeny` and `phylogenetic`. A stemmer that
 * joined them would join unlike ones too, at full weight. (Conflation by beginnings: Adamson and Boreham, "The use of an
 * association measure based on character structure", 1974.)
 */
export class WordFamilies {
  readonly #index: InvertedIndex
  /** Term ids by their first letters. */
  readonly #alike = new Map<string, number[]>()
  #known = 0
  /** By document, all 0 between two calls. */
  #sums = new Float64Array(0)

  constructor(index: InvertedIndex) {
    this.#index = index
  }

  /** The other words of a term's family that some document holds. */
  relatives(term: string): Postings[] {
    if (!isWord(term)) return []
    this.#learn()
    const found: Postings[] = []
    for (const id of this.#alike.get(term.slice(0, SHARED_LETTERS)) ?? []) {
      const other = this.#index.terms[id]!
      const postings = other === term || !areRelatives(term, other) ? undefined : this.#index.postings(other)
      if (postings !== undefined) found.push(postings)
    }
    return found
  }

  /**
   * The postings of a word together with its relatives, as if each occurrence of a relative were `share` of one of the
   * word. Linear in the lists, but for the sort of the documents where they are few.
   */
  join(own: Postings | undefined, relatives: readonly Postings[], share: number): Postings {
    const { bound } = this.#index
    if (this.#sums.length < bound) this.#sums = new Float64Array(Math.ceil(bound * 1.25))
    const sums = this.#sums
    const lists = own === undefined ? relatives : [own, ...relatives]
    const seen = new Uint32Array(lists.reduce((total, list) => total + list.count, 0))
    let count = 0
    for (const list of lists) {
      const weight = list === own ? 1 : share
      for (let i = 0; i < list.count; i++) {
        const document = list.documents[i]!
        if (sums[document] === 0) seen[count++] = document
        sums[document]! += weight * list.frequencies[i]!
      }
    }
    const documents = seen.subarray(0, count)
    if (count * DENSE < bound) documents.sort()
    else for (let document = 0, at = 0; at < count; document++) if (sums[document] !== 0) documents[at++] = document
    const frequencies = new Float32Array(count)
    let maxFrequency = 0
    for (let i = 0; i < count; i++) {
      frequencies[i] = sums[documents[i]!]!
      maxFrequency = Math.max(maxFrequency, frequencies[i]!)
      sums[documents[i]!] = 0
    }
    const minLength = lists.reduce((least, list) => Math.min(least, list.minLength), Number.POSITIVE_INFINITY)
    return { documents, frequencies, count, sorted: count, maxFrequency, minLength }
  }

  /** Terms are never forgotten, so that only new ones need a look. */
  #learn(): void {
    const { terms } = this.#index
    for (; this.#known < terms.length; this.#known++) {
      const term = terms[this.#known]!
      if (!isWord(term)) continue
      const letters = term.slice(0, SHARED_LETTERS)
      const ids = this.#alike.get(letters)
      if (ids === undefined) this.#alike.set(letters, [this.#known])
      else ids.push(this.#known)
    }
  }
}

function areRelatives(a: string, b: string): boolean {
  const least = Math.max(SHARED_LETTERS, Math.ceil(SHARED_PART * Math.max(a.length, b.length)))
  return a.length >= least && b.length >= least && a.startsWith(b.slice(0, least))
}

function isWord(term: string): boolean {
  return term.length >= SHARED_LETTERS && /^\p{L}+$/u.test(term)
}

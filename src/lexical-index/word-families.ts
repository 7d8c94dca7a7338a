import type { InvertedIndex, Postings } from './inverted-index.ts'

/** Words of one family share so many letters at the least, */
const SHARED_LETTERS = 6
/** and so large a part of the longer one. */
const SHARED_PART = 0.6

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

/**
 * The postings of a word together with its relatives, as if each occurrence of a relative were `share` of one of the
 * word. Linear in the lists, but for the sort of the documents.
 */
export function joinPostings(
  index: InvertedIndex,
  own: Postings | undefined,
  relatives: readonly Postings[],
  share: number,
): Postings {
  const sums = new Float64Array(index.bound)
  const seen = new Uint32Array(index.bound)
  let count = 0
  const add = ({ documents, frequencies, count: length }: Postings, weight: number) => {
    for (let i = 0; i < length; i++) {
      const document = documents[i]!
      if (sums[document] === 0) seen[count++] = document
      sums[document]! += weight * frequencies[i]!
    }
  }
  if (own !== undefined) add(own, 1)
  for (const relative of relatives) add(relative, share)
  const documents = seen.slice(0, count).sort()
  const frequencies = new Float32Array(count)
  let maxFrequency = 0
  for (let i = 0; i < count; i++) {
    frequencies[i] = sums[documents[i]!]!
    maxFrequency = Math.max(maxFrequency, frequencies[i]!)
  }
  const minLength = relatives.reduce(
    (least, relative) => Math.min(least, relative.minLength),
    own?.minLength ?? Number.POSITIVE_INFINITY,
  )
  return { documents, frequencies, count, sorted: count, maxFrequency, minLength }
}

function areRelatives(a: string, b: string): boolean {
  const least = Math.max(SHARED_LETTERS, Math.ceil(SHARED_PART * Math.max(a.length, b.length)))
  return a.length >= least && b.length >= least && a.startsWith(b.slice(0, least))
}

function isWord(term: string): boolean {
  return term.length >= SHARED_LETTERS && /^\p{L}+$/u.test(term)
}

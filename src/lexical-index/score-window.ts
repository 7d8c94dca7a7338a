import { hasBit } from '../internal/bitset.ts'
import type { AllowedSlots } from '../internal/entry-table.ts'
import type { TopK } from '../internal/top-k.ts'
import type { Bm25Parameters } from './bm25.ts'
import type { InvertedIndex, Postings } from './inverted-index.ts'

/** Documents are looked at in windows of so many, so that their scores and lengths stay in the nearest cache. */
export const WINDOW = 2_048

/** A list that windows are filled from, one window after the other. */
export interface PostingCursor {
  /** In order. */
  readonly postings: Postings
  /** The term's rarity times its weight. */
  readonly idf: number
  /** No document at an earlier place of the list is in the window. */
  at: number
}

/** The documents of a window that may be among the best, and their scores so far. */
export class ScoreWindow {
  readonly #scores = new Float64Array(WINDOW)
  readonly #found = new Uint32Array(WINDOW)
  readonly #lengths: Float32Array
  readonly #allowed: Uint32Array | undefined
  readonly #bound: number
  readonly #base: number
  readonly #slope: number
  readonly #above: number
  readonly #below: number
  readonly #extra: number
  #from = 0
  #count = 0

  /** Starts before the first document. */
  constructor(index: InvertedIndex, { k1, b, variant, delta }: Bm25Parameters, allowed: AllowedSlots | undefined) {
    this.#lengths = index.lengths
    this.#bound = index.bound
    this.#allowed = allowed?.words
    // All three are (tf + above · norm) / (tf + below · norm) + extra, where norm = 1 − b + b · length / averageLength.
    this.#base = 1 - b
    this.#slope = index.averageLength === 0 ? 0 : b / index.averageLength
    this.#above = variant === 'bm25l' ? delta : 0
    this.#below = variant === 'bm25l' ? k1 + delta : k1
    this.#extra = variant === 'bm25+' ? delta : 0
  }

  /** How many documents are in it. */
  get count(): number {
    return this.#count
  }

  /** Moves to the documents from `from` on, none of them in it. */
  open(from: number): void {
    this.#from = from
    this.#count = 0
  }

  /** Adds a term to every document of the window that holds it, and brings those in that are not. */
  bring(cursor: PostingCursor): void {
    const { documents, frequencies, count } = cursor.postings
    const { idf } = cursor
    const [from, to] = [this.#from, this.#from + WINDOW]
    const [scores, found, lengths, allowed] = [this.#scores, this.#found, this.#lengths, this.#allowed]
    const [base, slope, above, below, extra] = [this.#base, this.#slope, this.#above, this.#below, this.#extra]
    let known = this.#count
    let at = cursor.at
    for (; at < count; at++) {
      const document = documents[at]!
      if (document >= to) break
      const place = document - from
      const score = scores[place]!
      if (score === 0) {
        if (allowed !== undefined && !hasBit(allowed, document)) continue
        found[known++] = place
      }
      const frequency = frequencies[at]!
      const norm = base + slope * lengths[document]!
      scores[place] = score + idf * ((frequency + above * norm) / (frequency + below * norm) + extra)
    }
    cursor.at = at
    this.#count = known
  }

  /** Adds a term to the documents in the window only: by binary search where they are few, else along the list. */
  complete(cursor: PostingCursor): void {
    const { documents, frequencies, count } = cursor.postings
    const { idf } = cursor
    const [from, to] = [this.#from, this.#from + WINDOW]
    const [scores, found, lengths] = [this.#scores, this.#found, this.#lengths]
    const [base, slope, above, below, extra] = [this.#base, this.#slope, this.#above, this.#below, this.#extra]
    let at = firstFrom(documents, cursor.at, count, from)
    cursor.at = at
    if (this.#count * 8 > (count * WINDOW) / this.#bound) {
      for (; at < count; at++) {
        const document = documents[at]!
        if (document >= to) break
        const score = scores[document - from]!
        if (score === 0) continue
        const frequency = frequencies[at]!
        const norm = base + slope * lengths[document]!
        scores[document - from] = score + idf * ((frequency + above * norm) / (frequency + below * norm) + extra)
      }
      cursor.at = at
      return
    }
    for (let i = 0; i < this.#count; i++) {
      const place = found[i]!
      const document = from + place
      // A list holds a document once, so that it is no further from the window's first in the list than in the window.
      const held = firstIn(documents, at, Math.min(count, at + place + 1), document)
      if (held === count || documents[held] !== document) continue
      const frequency = frequencies[held]!
      const norm = base + slope * lengths[document]!
      scores[place]! += idf * ((frequency + above * norm) / (frequency + below * norm) + extra)
    }
  }

  /** Forgets the documents whose score is less. */
  keep(least: number): void {
    const [scores, found] = [this.#scores, this.#found]
    let kept = 0
    for (let i = 0; i < this.#count; i++) {
      const place = found[i]!
      if (scores[place]! >= least) found[kept++] = place
      else scores[place] = 0
    }
    this.#count = kept
  }

  /** Offers the documents to the best, and forgets them. */
  offer(best: TopK): void {
    const [scores, found] = [this.#scores, this.#found]
    let { threshold } = best
    for (let i = 0; i < this.#count; i++) {
      const place = found[i]!
      const score = scores[place]!
      scores[place] = 0
      if (score < threshold) continue
      best.offer(this.#from + place, score)
      threshold = best.threshold
    }
    this.#count = 0
  }
}

/** The first place from `at` on whose document is not before `document`, by steps that double. */
function firstFrom(documents: Uint32Array, at: number, count: number, document: number): number {
  if (at >= count || documents[at]! >= document) return at
  let step = 1
  while (at + step < count && documents[at + step]! < document) step *= 2
  return firstIn(documents, at + (step >>> 1) + 1, Math.min(count, at + step), document)
}

/** The first place of a stretch whose document is not before `document`; its end where there is none. */
function firstIn(documents: Uint32Array, from: number, end: number, document: number): number {
  let low = from
  let high = end
  while (low < high) {
    const middle = (low + high) >>> 1
    if (documents[middle]! < document) low = middle + 1
    else high = middle
  }
  return low
}

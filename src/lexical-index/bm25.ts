import { hasBit } from '../internal/bitset.ts'
import type { AllowedSlots } from '../internal/entry-table.ts'
import { TopK } from '../internal/top-k.ts'
import { type InvertedIndex, type Postings, sortPostings } from './inverted-index.ts'

/** Which member of the BM25 family scores. */
export type Bm25Variant = 'bm25' | 'bm25+' | 'bm25l'

/** The parameters of a score. */
export interface Bm25Parameters {
  /** How soon repetition stops counting. */
  readonly k1: number
  /** How much long documents are held back, 0–1. */
  readonly b: number
  /** Which member of the family. */
  readonly variant: Bm25Variant
  /** The lower bound that BM25+ and BM25L give to a match. */
  readonly delta: number
}

/** A term of a query. */
export interface QueryTerm {
  /** Where it occurs. */
  readonly postings: Postings
  /** How often the query holds it, or a boost. */
  readonly weight: number
  /** In how many documents it counts as occurring, for its rarity. */
  readonly documentFrequency: number
}

interface Plan extends QueryTerm {
  readonly idf: number
  readonly bound: number
}

/** The search looks again at what is within reach when the bounds left have fallen to this share. */
const LOOK_AGAIN = 0.85

/**
 * The best documents of a query. Terms are taken by falling upper bound, each list added to the scores of its documents,
 * until no unseen document can reach the `topK`-th score (MaxScore; Turtle and Flood, 1995). From then on documents that
 * can no longer reach it are dropped, and the terms left, which are the most frequent ones, are only looked up for the
 * others. The result is exact.
 */
export function bm25Search(
  index: InvertedIndex,
  terms: readonly QueryTerm[],
  parameters: Bm25Parameters,
  topK: number,
  allowed: AllowedSlots | undefined,
  isBefore: (a: number, b: number) => boolean,
): TopK {
  const plans = terms.map((term) => planOf(index, term, parameters)).sort((a, b) => b.bound - a.bound)
  const weigh = weigherOf(index, parameters)
  const { scores, documents: seen } = index.scratch()
  let count = 0
  let remaining = plans.reduce((sum, { bound }) => sum + bound, 0)
  let looked = remaining
  let closed = false
  for (const plan of plans) {
    if (remaining < LOOK_AGAIN * looked && count >= topK) {
      looked = remaining
      const least = kthBest(scores, seen, count, topK)
      closed ||= remaining < least
      if (closed) count = keepWithinReach(scores, seen, count, least - remaining)
    }
    if (closed) complete(plan, weigh, scores, seen, count)
    else count = accumulate(plan, weigh, allowed, scores, seen, count)
    remaining -= plan.bound
  }
  const best = new TopK(topK, isBefore)
  let threshold = Number.NEGATIVE_INFINITY
  for (let i = 0; i < count; i++) {
    const document = seen[i]!
    const score = scores[document]!
    scores[document] = 0
    if (score < threshold) continue
    best.offer(document, score)
    threshold = best.threshold
  }
  return best
}

/** Robertson and Spärck Jones weight as Lucene computes it: never negative. */
export function inverseDocumentFrequency(documents: number, documentFrequency: number): number {
  return Math.log(1 + (documents - documentFrequency + 0.5) / (documentFrequency + 0.5))
}

function planOf(index: InvertedIndex, term: QueryTerm, parameters: Bm25Parameters): Plan {
  const idf = term.weight * inverseDocumentFrequency(index.size, term.documentFrequency)
  const { maxFrequency, minLength } = term.postings
  // A little above, so that rounding never closes the list of candidates early.
  const bound = idf * saturate(parameters, maxFrequency, minLength / index.averageLength) * (1 + 1e-9)
  return { ...term, idf, bound }
}

/** What a word gives that occurs so often in a text so many times as long as the average, for an idf of 1. */
export function saturate({ k1, b, variant, delta }: Bm25Parameters, frequency: number, relativeLength: number): number {
  const norm = 1 - b + b * relativeLength
  if (variant === 'bm25l') {
    const normalized = frequency / norm
    return (normalized + delta) / (k1 + normalized + delta)
  }
  const score = frequency / (frequency + k1 * norm)
  return variant === 'bm25+' ? score + delta : score
}

/** What an occurrence is worth before its term's rarity. */
type Weigh = (frequency: number, document: number) => number

function weigherOf(index: InvertedIndex, parameters: Bm25Parameters): Weigh {
  const { lengths, averageLength } = index
  const { k1, b, variant } = parameters
  if (variant !== 'bm25')
    return (frequency, document) => saturate(parameters, frequency, lengths[document]! / averageLength)
  const base = k1 * (1 - b)
  const slope = averageLength === 0 ? 0 : (k1 * b) / averageLength
  return (frequency, document) => frequency / (frequency + base + slope * lengths[document]!)
}

/** Adds a term to every document that holds it; how many documents have been seen. */
function accumulate(
  { postings, idf }: Plan,
  weigh: Weigh,
  allowed: AllowedSlots | undefined,
  scores: Float64Array,
  seen: Uint32Array,
  before: number,
): number {
  const { documents, frequencies, count } = postings
  let known = before
  for (let i = 0; i < count; i++) {
    const document = documents[i]!
    const score = scores[document]!
    if (score === 0) {
      if (allowed !== undefined && !hasBit(allowed.words, document)) continue
      seen[known++] = document
    }
    scores[document] = score + idf * weigh(frequencies[i]!, document)
  }
  return known
}

/** Adds a term to the documents seen only: by binary search where they are few, else along the list. */
function complete({ postings, idf }: Plan, weigh: Weigh, scores: Float64Array, seen: Uint32Array, known: number): void {
  const { documents, frequencies, count } = postings
  if (known * Math.log2(count + 1) * 2 > count) {
    for (let i = 0; i < count; i++) {
      const document = documents[i]!
      const score = scores[document]!
      if (score > 0) scores[document] = score + idf * weigh(frequencies[i]!, document)
    }
    return
  }
  sortPostings(postings)
  for (let i = 0; i < known; i++) {
    const document = seen[i]!
    let low = 0
    let high = count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (documents[middle]! < document) low = middle + 1
      else high = middle
    }
    if (low < count && documents[low] === document) scores[document]! += idf * weigh(frequencies[low]!, document)
  }
}

/** Forgets the documents that cannot reach a score any more; how many are left. */
function keepWithinReach(scores: Float64Array, seen: Uint32Array, count: number, least: number): number {
  let kept = 0
  for (let i = 0; i < count; i++) {
    const document = seen[i]!
    if (scores[document]! >= least) seen[kept++] = document
    else scores[document] = 0
  }
  return kept
}

/** The `topK`-th best score so far: what an unseen document would have to reach. */
function kthBest(scores: Float64Array, seen: Uint32Array, count: number, topK: number): number {
  const best = new TopK(topK, () => false)
  let threshold = Number.NEGATIVE_INFINITY
  for (let i = 0; i < count; i++) {
    const score = scores[seen[i]!]!
    if (score <= threshold) continue
    best.offer(i, score)
    threshold = best.threshold
  }
  return threshold
}

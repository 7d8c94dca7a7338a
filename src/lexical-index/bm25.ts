import { hasBit } from '../internal/bitset.ts'
import type { AllowedSlots } from '../internal/entry-table.ts'
import { TopK } from '../internal/top-k.ts'
import type { InvertedIndex, Postings } from './inverted-index.ts'

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

/**
 * The best documents of a query. Terms are taken by falling upper bound; once no unseen document can reach the `topK`-th
 * score, later terms only complete documents already seen (the "continue" strategy of Moffat and Zobel, 1996), so the
 * result is exact.
 */
export function bm25Search(
  index: InvertedIndex,
  terms: readonly QueryTerm[],
  parameters: Bm25Parameters,
  topK: number,
  allowed: AllowedSlots | undefined,
  isBefore: (a: number, b: number) => boolean,
): TopK {
  const scores = new Float64Array(index.bound)
  const plans = terms.map((term) => planOf(index, term, parameters)).sort((a, b) => b.bound - a.bound)
  let remaining = plans.reduce((sum, { bound }) => sum + bound, 0)
  const seen: number[] = []
  let closed = false
  for (const plan of plans) {
    closed ||= seen.length >= topK && remaining < kthBest(scores, seen, topK)
    accumulate(index, plan, parameters, allowed, scores, closed ? undefined : seen)
    remaining -= plan.bound
  }
  const best = new TopK(topK, isBefore)
  for (const document of seen) if (scores[document]! >= best.threshold) best.offer(document, scores[document]!)
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

function accumulate(
  index: InvertedIndex,
  { postings, idf }: Plan,
  parameters: Bm25Parameters,
  allowed: AllowedSlots | undefined,
  scores: Float64Array,
  seen: number[] | undefined,
): void {
  const { documents, frequencies, count } = postings
  const { lengths, averageLength } = index
  const { k1, b, variant } = parameters
  const base = k1 * (1 - b)
  const slope = averageLength === 0 ? 0 : (k1 * b) / averageLength
  for (let i = 0; i < count; i++) {
    const document = documents[i]!
    const score = scores[document]!
    if (score === 0) {
      if (seen === undefined || (allowed !== undefined && !hasBit(allowed.words, document))) continue
      seen.push(document)
    }
    const frequency = frequencies[i]!
    const part =
      variant === 'bm25'
        ? frequency / (frequency + base + slope * lengths[document]!)
        : saturate(parameters, frequency, lengths[document]! / averageLength)
    scores[document] = score + idf * part
  }
}

/** The `topK`-th best score so far: what an unseen document would have to reach. */
function kthBest(scores: Float64Array, seen: readonly number[], topK: number): number {
  const best = new TopK(topK, () => false)
  for (const document of seen) if (scores[document]! > best.threshold) best.offer(document, scores[document]!)
  return best.size < topK ? Number.NEGATIVE_INFINITY : best.threshold
}

import type { AllowedSlots } from '../internal/entry-table.ts'
import { TopK } from '../internal/top-k.ts'
import { type InvertedIndex, type Postings, sortPostings } from './inverted-index.ts'
import { type PostingCursor, ScoreWindow, WINDOW } from './score-window.ts'

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

interface Plan extends PostingCursor {
  readonly bound: number
}

/**
 * The best documents of a query. Documents are taken in windows; in each, the terms by falling upper bound. Once `topK` are
 * found, terms whose bounds together are below the `topK`-th score bring in no documents: they are only looked up for those
 * that other terms brought, as long as these can still reach it (MaxScore; Turtle and Flood, 1995). The result is exact.
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
  /** What a term and those after it can add to a score. */
  const left = new Float64Array(plans.length + 1)
  for (let i = plans.length - 1; i >= 0; i--) left[i] = left[i + 1]! + plans[i]!.bound
  for (const { postings } of plans) sortPostings(postings)
  const best = new TopK(topK, isBefore)
  const window = new ScoreWindow(index, parameters, allowed)
  let bringing = plans.length
  for (let from = 0; from < index.bound; from += WINDOW) {
    const least = best.threshold
    while (bringing > 0 && left[bringing - 1]! < least) bringing--
    if (bringing === 0) break
    window.open(from)
    for (let i = 0; i < bringing; i++) window.bring(plans[i]!)
    for (let i = bringing; i < plans.length && window.count > 0; i++) {
      window.keep(least - left[i]!)
      window.complete(plans[i]!)
    }
    window.offer(best)
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
  return { postings: term.postings, idf, bound, at: 0 }
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

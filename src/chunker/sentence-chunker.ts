import { type BoundaryChunker, boundaryChunker } from './boundary-chunker.ts'
import { BreakList, breakLevel, mergeBreaks } from './break-list.ts'
import { type ChunkLimits, resolveLimits } from './limits.ts'
import { sentenceFinder } from './sentence-breaks.ts'
import { addTextBreaks } from './text-breaks.ts'

/** Options of {@link sentenceChunker}. */
export interface SentenceChunkerOptions extends ChunkLimits {
  /** Language of the texts as a BCP 47 tag: `en`, `de`, `ja`, … Default `en`. */
  readonly locale?: string
}

/** A sentence end is always good enough; inside a sentence only what exceeds the limit is cut. */
export const sentencesOnly: readonly number[] = [2, 2, 2, 0.6, 0.6, 0.5]

/**
 * Packs whole sentences, found with the language's own rules (Intl.Segmenter). Sentences over the limit are cut at
 * clauses and words.
 *
 * @example
 * ```ts
 * const chunker = sentenceChunker({ maxTokens: 128, locale: 'de' })
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function sentenceChunker(options: SentenceChunkerOptions = {}): BoundaryChunker {
  const { locale = 'en' } = options
  const find = sentenceFinder(locale)
  const limits = resolveLimits(options, sentencesOnly)
  return boundaryChunker('sentence', limits, { locale }, ({ text }) => ({
    breaks: sentenceBreakList(text, find(text), breakLevel.sentence),
  }))
}

/** Breaks at sentence ends of the given level, and weaker ones inside sentences for those over the limit. */
export function sentenceBreakList(text: string, ends: readonly number[], level: number): BreakList {
  const sentences = new BreakList()
  for (const end of ends) sentences.add(end, level)
  const inner = new BreakList()
  addTextBreaks(inner, text, 0, text.length, { line: breakLevel.word, paragraph: breakLevel.clause, words: true })
  for (let index = 0; index < inner.size; index += 1) {
    if (inner.levels[index]! > breakLevel.clause) inner.levels[index] = breakLevel.clause
  }
  const breaks = mergeBreaks(sentences, inner)
  breaks.end(text.length)
  return breaks
}

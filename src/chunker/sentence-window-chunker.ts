import { requireInteger } from '../internal/argument.ts'
import { lastAtMost } from '../internal/last-at-most.ts'
import { type BoundaryChunker, boundaryChunker } from './boundary-chunker.ts'
import { breakLevel } from './break-list.ts'
import { resolveLimits } from './limits.ts'
import { sentenceFinder } from './sentence-breaks.ts'
import { type SentenceChunkerOptions, sentenceBreakList, sentencesOnly } from './sentence-chunker.ts'

/** Options of {@link sentenceWindowChunker}. */
export interface SentenceWindowChunkerOptions extends Omit<SentenceChunkerOptions, 'overlap'> {
  /** How many sentences before and after belong to the window: an integer from 0 to 100. Default 3. */
  readonly around?: number
}

/**
 * One chunk a sentence, each with the span of the sentences around it in `metadata.chunk` (`windowStart`, `windowEnd`):
 * search the sentence, then show the window.
 *
 * @example
 * ```ts
 * const [first] = sentenceWindowChunker({ around: 2 }).chunk(document)
 * const { windowStart, windowEnd } = chunkNotes(first)
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function sentenceWindowChunker(options: SentenceWindowChunkerOptions = {}): BoundaryChunker {
  const { around = 3, locale = 'en' } = options
  requireInteger('around', around, 0, 100)
  const find = sentenceFinder(locale)
  const limits = { ...resolveLimits({ ...options, overlap: 0 }, sentencesOnly), sectionFill: 0 }
  return boundaryChunker('sentence-window', limits, { around, locale }, ({ text }) => {
    const ends = find(text)
    const starts = [0, ...ends]
    return {
      breaks: sentenceBreakList(text, ends, breakLevel.section),
      annotate: ({ start, end }) => {
        const first = lastAtMost(starts, start, (at) => at)
        const last = lastAtMost(starts, end - 1, (at) => at)
        return {
          notes: {
            windowStart: starts[Math.max(0, first - around)]!,
            windowEnd: starts[last + around + 1] ?? text.length,
          },
        }
      },
    }
  })
}

import { type BoundaryChunker, boundaryChunker } from './boundary-chunker.ts'
import { BreakList, breakLevel } from './break-list.ts'
import { type ChunkLimits, resolveLimits } from './limits.ts'
import { addTextBreaks, plainText } from './text-breaks.ts'

/** Any word end in the last two fifths of the limit is as good as another: fewer, and cuts do not fall back into step soon after an edit. */
const nearlyFull: readonly number[] = [0.9, 0.6]

/**
 * Fills chunks by token count alone, without regard to structure: each ends at a word within the last two fifths of
 * the limit. For text without structure, and to compare with.
 *
 * @example
 * ```ts
 * const chunker = tokenChunker({ maxTokens: 256, overlap: 64, counter: o200kBase() })
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function tokenChunker(options: ChunkLimits = {}): BoundaryChunker {
  return boundaryChunker('token', resolveLimits(options, nearlyFull), {}, ({ text }) => {
    const breaks = new BreakList()
    addTextBreaks(breaks, text, 0, text.length, plainText)
    for (let index = 0; index < breaks.size; index += 1) {
      if (breaks.levels[index]! > breakLevel.word) breaks.levels[index] = breakLevel.word
    }
    breaks.end(text.length)
    return { breaks }
  })
}

import { type BoundaryChunker, boundaryChunker } from './boundary-chunker.ts'
import { BreakList } from './break-list.ts'
import { type ChunkLimits, resolveLimits } from './limits.ts'
import { addTextBreaks, plainText } from './text-breaks.ts'

/**
 * Cuts plain text at the best place that the limit leaves: between paragraphs, else lines, sentences, clauses, words,
 * and inside a word only where it exceeds the limit by itself. Linear time.
 *
 * @example
 * ```ts
 * const chunker = recursiveChunker({ maxTokens: 256, overlap: 32 })
 * const chunks = [...chunker.chunk({ id: 'readme', text })]
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function recursiveChunker(options: ChunkLimits = {}): BoundaryChunker {
  return boundaryChunker('recursive', resolveLimits(options), {}, ({ text }) => {
    // A word and its space are six units in most languages.
    const breaks = new BreakList(Math.max(64, Math.ceil(text.length / 5)))
    addTextBreaks(breaks, text, 0, text.length, plainText)
    breaks.end(text.length)
    return { breaks }
  })
}

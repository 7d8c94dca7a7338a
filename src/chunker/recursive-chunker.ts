import { BreakList } from './break-list.ts'
import type { SyncChunker } from './chunker.ts'
import { type ChunkLimits, chunkerId, resolveLimits } from './limits.ts'
import { makeChunks, requireDocument } from './make-chunks.ts'
import { measureText } from './measure.ts'
import { pack } from './pack.ts'
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
export function recursiveChunker(options: ChunkLimits = {}): SyncChunker {
  const limits = resolveLimits(options)
  const id = chunkerId('recursive', limits)
  return {
    id,
    chunk(document, { signal } = {}) {
      requireDocument(document, signal)
      const { text } = document
      const breaks = new BreakList()
      addTextBreaks(breaks, text, 0, text.length, plainText)
      breaks.end(text.length)
      return makeChunks(
        id,
        document,
        pack(text, breaks, measureText(text, breaks, limits.counter), limits),
        undefined,
        signal,
      )
    },
  }
}

import { jsonPointer, jsonSpans } from '../internal/json-spans.ts'
import { type BoundaryChunker, boundaryChunker } from './boundary-chunker.ts'
import { breakLevel } from './break-list.ts'
import { type ChunkLimits, resolveLimits } from './limits.ts'
import { innermost, treeBreaks } from './span-tree.ts'
import { plainText } from './text-breaks.ts'

/**
 * Cuts JSON and JSON lines between records and members, outermost first; a value that fits stays whole. The JSON
 * Pointer of the innermost value around a chunk is in `metadata.chunk.pointer`, below the record where there are
 * several. Text that is not JSON is cut as text, with a note that says so.
 *
 * @example
 * ```ts
 * const [first] = jsonChunker({ maxTokens: 256 }).chunk({ id: 'users.json', text })
 * chunkNotes(first).pointer // '/users/0'
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function jsonChunker(options: ChunkLimits = {}): BoundaryChunker {
  const limits = resolveLimits(options)
  return boundaryChunker('json', limits, {}, ({ text }, count) => {
    const { spans, fault } = jsonSpans(text)
    const usable = fault === undefined ? spans : []
    const note = fault === undefined ? undefined : `not JSON at offset ${fault.position}: cut as text`
    const lines = usable.filter(({ depth }) => depth === 0).length > 1
    return {
      breaks: treeBreaks(text, usable, {
        count,
        maxTokens: limits.maxTokens,
        style: plainText,
        innerLevel: fault === undefined ? breakLevel.clause : breakLevel.paragraph,
      }),
      annotate: ({ start, end }) => {
        if (note !== undefined) return { notes: { note } }
        const trimmed = text.slice(start, end).replace(/[\s,\]}]+$/, '').length
        const index = innermost(usable, { start, end: start + trimmed })
        if (index < 0) return {}
        const pointer = jsonPointer(usable, index)
        return { notes: lines ? { pointer, record: recordOf(usable, index) } : { pointer } }
      },
    }
  })
}

function recordOf(spans: readonly { parent: number; key: string | number }[], index: number): number {
  let at = index
  while (spans[at]!.parent >= 0) at = spans[at]!.parent
  return Number(spans[at]!.key)
}

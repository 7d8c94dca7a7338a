import type { Span } from '../document.ts'
import { isPlainBoundary } from '../internal/grapheme.ts'
import { lastAtMost } from '../internal/last-at-most.ts'
import { BreakList, breakLevel, mergeBreaks } from './break-list.ts'
import type { SliceCounter } from './measure.ts'
import { addTextBreaks, type TextBreakStyle } from './text-breaks.ts'

/** A span that may contain others. Spans come in order of their starts, parents first. */
export interface TreeSpan extends Span {
  /** 0 for the outermost. */
  readonly depth: number
  /** Index of the span around it; −1 for the outermost. */
  readonly parent: number
}

/** How to cut a text along a tree of spans. */
export interface TreeBreakOptions {
  /** Counts slices of the text. */
  readonly count: SliceCounter
  /** Spans within the limit stay whole. */
  readonly maxTokens: number
  /** How text is cut where no span begins. */
  readonly style: TextBreakStyle
  /** The best level that text inside may have. */
  readonly innerLevel: number
}

/** Breaks before every span that is not inside one that fits whole: the shallower, the better. */
export function treeBreaks(text: string, spans: readonly TreeSpan[], options: TreeBreakOptions): BreakList {
  const { count, maxTokens, style, innerLevel } = options
  const outer = new BreakList()
  const inner = new BreakList()
  let wholeEnd = 0
  let at = 0
  let around = { start: 0, end: 0, tokens: 0 }
  for (const { start, end, depth } of spans) {
    if (start < wholeEnd || (start > 0 && !isPlainBoundary(text, start))) continue
    outer.add(start, Math.max(breakLevel.sentence, breakLevel.paragraph - depth))
    // A token is rarely longer than 16 units: no need to count what cannot fit.
    if (!isPlainBoundary(text, end) && end < text.length) continue
    if (end - start > maxTokens * 64) continue
    // Nor what is hardly shorter than the span around it, which is far too long: a unit is rarely more than four tokens.
    if (end <= around.end && around.tokens - 4 * (around.end - around.start - (end - start)) > maxTokens) continue
    const tokens = count(start, end)
    if (tokens > maxTokens) {
      around = { start, end, tokens }
      continue
    }
    addTextBreaks(inner, text, at, start, style)
    inner.add(end, innerLevel)
    wholeEnd = end
    at = end
  }
  addTextBreaks(inner, text, at, text.length, style)
  for (let index = 0; index < inner.size; index += 1) {
    if (inner.levels[index]! > innerLevel) inner.levels[index] = innerLevel
  }
  const breaks = mergeBreaks(outer, inner)
  breaks.end(text.length)
  return breaks
}

/** Index of the innermost span that contains all of `span`; −1 for none. */
export function innermost(spans: readonly TreeSpan[], span: Span): number {
  let index = lastAtMost(spans, span.start, ({ start }) => start)
  while (index >= 0 && spans[index]!.end < span.end) index = spans[index]!.parent
  return index
}

import type { Span } from '../document.ts'
import { BreakList, breakLevel } from './break-list.ts'
import type { SliceCounter } from './measure.ts'
import { addTextBreaks, isSpace, plainText, type TextBreakStyle } from './text-breaks.ts'

/** A stretch of text that is cut in its own way. Regions follow each other without gaps and cover the text. */
export interface Region extends Span {
  /** How good it is to cut before it: a `breakLevel`. */
  readonly level: number
  /**
   * How to cut inside it. `text`: lines and paragraphs count. `prose`: single line ends are only white space. `lines`:
   * between lines only. `rows`: at `starts` only, such as table rows.
   */
  readonly inside: 'text' | 'prose' | 'lines' | 'rows'
  /** Where its rows begin. */
  readonly starts?: readonly number[]
  /** Whether it stays whole when it fits into a chunk. */
  readonly whole?: boolean
}

const prose: TextBreakStyle = { line: breakLevel.word, paragraph: breakLevel.paragraph, words: true }
const codeLines: TextBreakStyle = { line: breakLevel.clause, paragraph: breakLevel.sentence, words: false }

/** The breaks of a text made of regions. A region that stays whole and fits into `maxTokens` has none inside. */
export function regionBreaks(
  text: string,
  regions: Iterable<Region>,
  count: SliceCounter,
  maxTokens: number,
): BreakList {
  const list = new BreakList()
  const lines: TextBreakStyle = { ...codeLines, longLine: maxTokens }
  const row: TextBreakStyle = { ...lines, line: breakLevel.word, paragraph: breakLevel.word }
  let at = 0
  for (const region of regions) {
    if (region.start > at) addTextBreaks(list, text, at, region.start, plainText)
    list.add(region.start, region.level)
    at = region.end
    // A token is rarely longer than 16 units: no need to count what cannot fit.
    if (region.whole === true && region.end - region.start <= maxTokens * 64) {
      // The next place to cut is after the blank lines behind it.
      let end = region.end
      while (end < text.length && isSpace(text.charCodeAt(end))) end += 1
      if (count(region.start, end) <= maxTokens) continue
    }
    if (region.inside === 'rows') {
      let last = region.start
      for (const start of region.starts ?? []) {
        if (start <= last || start >= region.end) continue
        addTextBreaks(list, text, last, start, row)
        list.add(start, breakLevel.sentence)
        last = start
      }
      addTextBreaks(list, text, last, region.end, row)
    } else {
      const style = region.inside === 'text' ? plainText : region.inside === 'prose' ? prose : lines
      addTextBreaks(list, text, region.start, region.end, style)
    }
  }
  if (at < text.length) addTextBreaks(list, text, at, text.length, plainText)
  list.end(text.length)
  return list
}

import { requireInteger } from '../internal/argument.ts'
import type { BytePairEncoder } from './byte-pair-encoder.ts'
import type { SpanCounter } from './tokenizer.ts'

const FIRST_WINDOW = 256

/**
 * Exact counts of slices of one text, after one pass over it.
 *
 * ```text
 *   word ends     |    |      |   |        |     |     |      running totals of tokens at each
 *   slice            [start ········ ·········· end]
 *   counted anew     [·>|                     |<·]         up to the first shared word end; after the last safe one
 *   subtracted          |<------------------->|            totals
 * ```
 *
 * Words depend on what follows, not on what stands before: from a word end on, a slice is split as the whole text is.
 * And a word that ends in something other than white space ends there wherever the text is cut behind it, because only
 * white space looks ahead. So the words between two such ends need no second look.
 */
export function createSpanCounter(text: string, encoder: BytePairEncoder): SpanCounter {
  let ends = new Uint32Array((text.length >> 2) + 16)
  let totals = new Uint32Array(ends.length)
  let words = 0
  encoder.visit(text, (_start, end, _tokens, count) => {
    if (words + 1 >= ends.length) {
      ends = grown(ends)
      totals = grown(totals)
    }
    words++
    ends[words] = end
    totals[words] = totals[words - 1]! + count
    return true
  })

  /** The last word end at or before `position`, by bisection; `ends[0]` is the start of the text. */
  const wordAt = (position: number): number => {
    let low = 0
    let high = words
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (ends[middle]! <= position) low = middle
      else high = middle - 1
    }
    return low
  }
  const isSafe = (position: number): boolean => position > 0 && !/\p{White_Space}/u.test(text[position - 1]!)

  return {
    count(start, end) {
      requireInteger('end', end, 0, text.length)
      requireInteger('start', start, 0, end)
      let last = wordAt(end)
      while (ends[last]! > start && !isSafe(ends[last]!)) last--
      const safeEnd = ends[last]!
      if (safeEnd <= start) return encoder.count(text.slice(start, end), Number.POSITIVE_INFINITY)

      let joined = ends[wordAt(start)] === start ? wordAt(start) : -1
      let head = 0
      for (let window = FIRST_WINDOW; joined < 0; window *= 4) {
        const stop = Math.min(end, start + window)
        head = 0
        encoder.visit(text.slice(start, stop), (_from, to, _tokens, count) => {
          const position = start + to
          head += count
          const word = wordAt(position)
          if (position <= safeEnd && ends[word] === position && isSafe(position)) joined = word
          return joined < 0 && position < safeEnd
        })
        if (joined < 0 && stop >= safeEnd) return encoder.count(text.slice(start, end), Number.POSITIVE_INFINITY)
      }
      const tail = safeEnd < end ? encoder.count(text.slice(safeEnd, end), Number.POSITIVE_INFINITY) : 0
      return head + totals[last]! - totals[joined]! + tail
    },
  }
}

function grown(values: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(values.length * 2)
  larger.set(values)
  return larger
}

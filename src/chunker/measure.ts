import type { LocalTokenCounter, SpanTokenizer } from '../tokenizer/tokenizer.ts'
import type { BreakList } from './break-list.ts'
import { type UnitCounter, utf8Weight } from './unit-counter.ts'

/** What a chunker needs of a tokenizer or counter. */
export type ChunkCounter = Pick<LocalTokenCounter, 'id' | 'count'> & Partial<Pick<SpanTokenizer, 'offsets'>>

/** Tokens of the parts of one text: running totals at every break, and exact counts of slices. */
export interface Measure {
  /** Cost before each break, by one pass over the text. Where tokens straddle breaks it is an estimate. */
  readonly totals: Float64Array
  /** How much cost makes a token. */
  readonly perToken: number
  /** Whether costs add up exactly, so that a slice between breaks needs no count of its own. */
  readonly additive: boolean
  /** Exact count of a slice. */
  count(start: number, end: number): number
}

/** Measures a text between its breaks. */
export function measureText(text: string, breaks: BreakList, counter: ChunkCounter): Measure {
  const totals = new Float64Array(breaks.size)
  const exact = (start: number, end: number): number => counter.count(text.slice(start, end))
  if (isUnitCounter(counter)) {
    const { unit, unitsPerToken } = counter
    let at = 0
    let units = 0
    for (let index = 0; index < breaks.size; index += 1) {
      const position = breaks.positions[index]!
      if (unit === 'utf-16') units = position
      else for (; at < position; at += 1) units += utf8Weight(text.charCodeAt(at))
      totals[index] = units
    }
    return { totals, perToken: unitsPerToken, additive: true, count: exact }
  }
  if (counter.offsets !== undefined) {
    const ends = counter.offsets(text)
    let tokens = 0
    for (let index = 0; index < breaks.size; index += 1) {
      const position = breaks.positions[index]!
      while (tokens < ends.length && ends[tokens]! <= position) tokens += 1
      totals[index] = tokens
    }
    return { totals, perToken: 1, additive: false, count: exact }
  }
  // A counter may charge for each call, such as for a start and an end mark.
  const overhead = counter.count('')
  let total = 0
  let start = 0
  for (let index = 0; index < breaks.size; index += 1) {
    const position = breaks.positions[index]!
    // Byte-pair vocabularies join a space to the word after it.
    const spaceBefore = text.charCodeAt(position - 1) === 32 && position - 1 > start && position < text.length
    const end = spaceBefore ? position - 1 : position
    total += Math.max(0, exact(start, end) - overhead)
    totals[index] = total
    start = end
  }
  return { totals, perToken: 1, additive: false, count: exact }
}

function isUnitCounter(counter: ChunkCounter): counter is UnitCounter {
  return typeof (counter as Partial<UnitCounter>).unitsPerToken === 'number'
}

import type { LocalTokenCounter, SpanTokenizer } from '../tokenizer/tokenizer.ts'
import type { BreakList } from './break-list.ts'
import { type UnitCounter, utf8Length, utf8Weight } from './unit-counter.ts'

/** What a chunker needs of a tokenizer or counter. With `spans` the text is tokenized once; without, once or more per chunk. */
export type ChunkCounter = Pick<LocalTokenCounter, 'id' | 'count'> & Partial<Pick<SpanTokenizer, 'spans'>>

/** Exact count of the tokens of `text.slice(start, end)`. */
export type SliceCounter = (start: number, end: number) => number

/** How much of the limit each part of one text takes. */
export interface Measure {
  /** Cost before each break: UTF-16 units, or bytes of UTF-8. */
  readonly totals: Uint32Array
  /** How much cost makes a token: exactly where costs are `additive`, else about. */
  readonly perToken: number
  /** Whether cost says the count exactly, so that a slice between breaks needs no count of its own. */
  readonly additive: boolean
  /** Cost of a slice. */
  cost(start: number, end: number): number
  /** Exact count of a slice. */
  readonly count: SliceCounter
}

/** Counts slices of one text: by addition, by one pass over the text, or else one by one. */
export function sliceCounter(text: string, counter: ChunkCounter): SliceCounter {
  if (isUnitCounter(counter)) {
    const { unit, unitsPerToken } = counter
    return (start, end) => Math.ceil((unit === 'utf-16' ? end - start : utf8Length(text, start, end)) / unitsPerToken)
  }
  const spans = counter.spans?.(text)
  if (spans === undefined) return (start, end) => counter.count(text.slice(start, end))
  return (start, end) => spans.count(start, end)
}

/** Measures a text between its breaks. */
export function measureText(text: string, breaks: BreakList, counter: ChunkCounter, count: SliceCounter): Measure {
  const additive = isUnitCounter(counter)
  const perToken = additive ? counter.unitsPerToken : 4
  if (!additive || counter.unit === 'utf-16')
    return { totals: breaks.positions, perToken, additive, cost: (start, end) => end - start, count }
  const { positions, size } = breaks
  const totals = new Uint32Array(size)
  let at = 0
  let bytes = 0
  for (let index = 0; index < size; index += 1) {
    const position = positions[index]!
    for (; at < position; at += 1) {
      const code = text.charCodeAt(at)
      bytes += code < 0x80 ? 1 : utf8Weight(code)
    }
    totals[index] = bytes
  }
  return { totals, perToken, additive, cost: (start, end) => utf8Length(text, start, end), count }
}

function isUnitCounter(counter: ChunkCounter): counter is UnitCounter {
  return typeof (counter as Partial<UnitCounter>).unitsPerToken === 'number'
}

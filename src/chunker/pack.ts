import type { Span } from '../document.ts'
import { type GraphemeFinder, graphemeFinder, isPlainBoundary } from '../internal/grapheme.ts'
import { type BreakList, breakLevel } from './break-list.ts'
import type { Measure } from './measure.ts'
import { isSpace } from './text-breaks.ts'

/** How full and how overlapping the packed spans are. */
export interface PackOptions {
  /** Hard limit of tokens. */
  readonly maxTokens: number
  /** Tokens that a span repeats of the one before, at the most. */
  readonly overlap: number
  /** From which fraction of the limit a cut of each level below `section` is good enough. */
  readonly minFill: readonly number[]
  /** From which fraction of the limit a span ends at the next heading. */
  readonly sectionFill: number
}

/** A packed span. */
export interface Cut extends Span {
  /** Exact count of its tokens. */
  readonly tokens: number
  /** Whether it is one grapheme cluster that exceeds the limit by itself. */
  readonly oversize: boolean
}

/** How far a span may reach. */
interface Fitting {
  /** A break; the one before the first where none fits. */
  readonly index: number
  /** Count of the tokens before it. */
  readonly tokens: number
  /** Cost that fills the limit. */
  readonly cost: number
}

/** Fraction of the limit behind which one of several words that are equally bad is chosen by the text around it. */
const LATE = 0.6

/** Fractions that put structure first: a cut between paragraphs may leave more of a span empty than one between words. */
export const structureFirst: readonly number[] = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4]

/**
 * Packs a text into spans between breaks, in order and in linear time. Within the part of the limit where cuts are good
 * enough, the best level wins; among equals a fingerprint of the text around the cut decides, so that after an edit
 * the cuts soon fall where they fell before (local-maximum chunking). `breaks` ends with the text's length.
 */
export function* pack(text: string, breaks: BreakList, measure: Measure, options: PackOptions): Generator<Cut> {
  const packer = new Packer(text, breaks, measure, options)
  let start = 0
  let total = 0
  let end = 0
  while (end < text.length) {
    const placed = (start < end ? packer.place(start, total, end) : undefined) ?? packer.placeFrom(end)
    yield placed
    end = placed.end
    ;[start, total] = packer.overlapStart(placed)
  }
}

class Packer {
  private readonly graphemes: GraphemeFinder
  private readonly limit: number
  /** Cost before the end of the last span. */
  private endTotal = 0
  /** Index of the section break found last. */
  private section = -1
  private readonly text: string
  private readonly breaks: BreakList
  private readonly measure: Measure
  private readonly options: PackOptions

  constructor(text: string, breaks: BreakList, measure: Measure, options: PackOptions) {
    this.text = text
    this.breaks = breaks
    this.measure = measure
    this.options = options
    this.graphemes = graphemeFinder(text)
    this.limit = options.maxTokens * measure.perToken
  }

  /** A span from the end of the last one: always succeeds. */
  placeFrom(start: number): Cut {
    return this.place(start, this.endTotal, start) ?? this.cutHard(start)
  }

  /** A span from `start` that ends at a break after `floor`, or undefined where none fits. */
  place(start: number, startTotal: number, floor: number): Cut | undefined {
    const { breaks, measure, options } = this
    const low = breaks.after(floor)
    if (!measure.additive && this.isFar(start, breaks.positions[low]!)) return undefined
    // Where every section is a span of its own, nothing behind the next one needs a look.
    let most = breaks.size - 1
    if (options.sectionFill === 0) most = this.nextSection(low)
    const fitting = measure.additive ? undefined : this.lastFitting(start, startTotal, low, most)
    let cap = fitting?.index ?? most
    let budget = fitting?.cost ?? this.limit
    for (;;) {
      const high = this.lastWithin(startTotal + budget, low, cap)
      if (high < low) return undefined
      const index = this.choose(low, high, startTotal, budget)
      const end = breaks.positions[index]!
      const cost = measure.totals[index]! - startTotal
      const counted = index === fitting?.index ? fitting.tokens : undefined
      const tokens = counted ?? (measure.additive ? Math.ceil(cost / measure.perToken) : measure.count(start, end))
      if (tokens <= options.maxTokens) {
        this.endTotal = measure.totals[index]!
        return { start, end, tokens, oversize: false }
      }
      cap = index - 1
      budget = cost * (options.maxTokens / tokens)
    }
  }

  /** The first section break at or after `low`; remembered, so that all spans before it look for it once. */
  private nextSection(low: number): number {
    if (this.section < low)
      for (this.section = low; this.breaks.levels[this.section]! < breakLevel.section; ) this.section += 1
    return this.section
  }

  /**
   * Whether the limit is exceeded long before `position`. Where a text has no place to cut, such as one of emoji, the next
   * break is its end, and counting up to it for every span would be quadratic.
   */
  private isFar(start: number, position: number): boolean {
    const { measure, limit, options } = this
    for (let width = limit; start + width < position; width *= 2)
      if (measure.count(start, start + width) > options.maxTokens) return true
    return false
  }

  /**
   * The last break whose slice from `start` is within the limit, or one within a thirty-second of it, its count, and the
   * cost that fills the limit, where costs only resemble counts. Looks where the cost per token of the last look says, then
   * halves. Nothing before `start` matters, so that spans fall where they fell before soon after an edit.
   */
  private lastFitting(start: number, startTotal: number, low: number, most: number): Fitting {
    const { breaks, measure, limit } = this
    const { maxTokens } = this.options
    const enough = maxTokens - (maxTokens >> 5)
    let fits = low - 1
    let exceeds = most + 1
    let fitting = 0
    let budget = limit
    let next = limit
    let far: number | undefined
    for (let look = 0; exceeds - fits > 1; look += 1) {
      const guess = look < 4 ? this.lastWithin(startTotal + next, low, exceeds - 1) : (fits + exceeds) >> 1
      const probe = Math.min(exceeds - 1, Math.max(fits + 1, guess))
      if (look >= 4 && exceeds > most) far ??= this.exceedsBehind(start, fits, budget, most)
      if (far !== undefined && probe >= far) {
        exceeds = probe
        continue
      }
      const tokens = measure.count(start, breaks.positions[probe]!)
      const perToken = (measure.totals[probe]! - startTotal) / Math.max(1, tokens)
      next = perToken * (maxTokens - (maxTokens >> 6))
      if (tokens > maxTokens) exceeds = probe
      else {
        fits = probe
        fitting = tokens
        budget = perToken * maxTokens
        if (tokens < enough) continue
        if (breaks.levels[probe]! > breakLevel.forced) break
        next = budget
      }
    }
    return { index: fits, tokens: fitting, cost: budget }
  }

  /**
   * A break not far behind `fits` whose slice from `start` exceeds the limit, which `budget` fills about; `most + 1` where
   * none does. Halving would start at the end of the text: counting half of the rest for every span is quadratic.
   */
  private exceedsBehind(start: number, fits: number, budget: number, most: number): number {
    const { breaks, measure, options } = this
    const spent = measure.cost(start, breaks.positions[fits]!)
    let step = Math.max(2 * (budget - spent), spent / 256)
    for (let index = fits; index < most; step *= 2) {
      index = Math.max(index + 1, this.lastWithin(measure.totals[fits]! + step, index, most))
      if (measure.count(start, breaks.positions[index]!) > options.maxTokens) return index
    }
    return most + 1
  }

  /** Where the next span begins, and the cost before it. */
  overlapStart(last: Cut): [start: number, total: number] {
    const { breaks, measure, options } = this
    const none: [number, number] = [last.end, this.endTotal]
    if (options.overlap === 0 || last.end === this.text.length) return none
    const at = breaks.after(last.end - 1)
    // A span that begins with a heading repeats nothing of the section before.
    if (breaks.positions[at] === last.end && breaks.levels[at]! >= breakLevel.section) return none
    const spent = measure.cost(last.start, last.end)
    const budget = measure.additive ? options.overlap * measure.perToken : (spent * options.overlap) / last.tokens
    let chosen = -1
    let chosenLevel = -1
    for (let index = at - 1; index >= 0; index -= 1) {
      const cost = this.endTotal - measure.totals[index]!
      if (breaks.positions[index]! <= last.start || cost > budget) break
      // A sentence start in the far half of the overlap is worth more than a few words.
      const level = Math.min(breaks.levels[index]!, breakLevel.sentence)
      if (level >= chosenLevel || cost < budget / 2) {
        if (!measure.additive && measure.count(breaks.positions[index]!, last.end) > options.overlap) break
        chosen = index
        chosenLevel = level
      }
    }
    if (chosen >= 0) return [breaks.positions[chosen]!, measure.totals[chosen]!]
    const units = Math.floor((last.end - last.start) * (options.overlap / Math.max(1, last.tokens)))
    const start = this.graphemes.atOrBefore(last.end - units, last.start)
    if (start <= last.start || start >= last.end) return none
    const tokens = measure.count(start, last.end)
    return tokens > options.overlap ? none : [start, this.endTotal - measure.cost(start, last.end)]
  }

  /** Index of the last break whose total is within `total`; `low - 1` where there is none. */
  private lastWithin(total: number, low: number, cap: number): number {
    const { totals } = this.measure
    // Gallop: the answer is near, and the list may be long.
    let step = 16
    let first = low
    while (first + step <= cap && totals[first + step]! <= total) {
      first += step
      step *= 2
    }
    let last = Math.min(cap, first + step) + 1
    while (first < last) {
      const middle = (first + last) >>> 1
      if (totals[middle]! <= total) first = middle + 1
      else last = middle
    }
    return first - 1
  }

  private choose(low: number, high: number, startTotal: number, budget: number): number {
    const { totals } = this.measure
    const { positions, levels } = this.breaks
    const { minFill, sectionFill } = this.options
    let best = -1
    let bestLevel: number = breakLevel.word
    let bestPrint = -1
    for (let index = low; index <= high; index += 1) {
      const level = levels[index]!
      if (level < bestLevel) continue
      const spent = totals[index]! - startTotal
      if (level >= breakLevel.section) {
        if (level >= breakLevel.wall || spent >= sectionFill * budget) return index
        continue
      }
      if (spent < minFill[level]! * budget) continue
      const print = fingerprint(this.text, positions[index]!)
      if (level > bestLevel || print >= bestPrint) {
        best = index
        bestLevel = level
        bestPrint = print
      }
    }
    return best >= 0 ? best : this.lastUseful(low, high, startTotal + LATE * budget)
  }

  /**
   * Where nothing is full enough: the last sentence end, else the last word, else the last white space. Where words never
   * are, as in a sentence over the limit, the word is one behind `late` that the text around it says.
   */
  private lastUseful(low: number, high: number, late: number): number {
    const { levels, positions } = this.breaks
    const { totals } = this.measure
    const byText = this.options.minFill[breakLevel.word]! > 1
    let word = -1
    let space = -1
    let bestPrint = -1
    for (let index = high; index >= low; index -= 1) {
      const level = levels[index]!
      if (level >= breakLevel.sentence) return index
      if (word >= 0 && (!byText || totals[index]! < late)) continue
      if (level > breakLevel.forced) {
        const print = byText ? fingerprint(this.text, positions[index]!) : 0
        if (print <= bestPrint) continue
        word = index
        bestPrint = print
      } else if (space < 0 && isSpace(this.text.charCodeAt(positions[index]! - 1))) space = index
    }
    if (word >= 0) return word
    return space >= 0 ? space : high
  }

  /** A span from `start` whose end lies before the next break: as many grapheme clusters as fit, one at the least. */
  private cutHard(start: number): Cut {
    const { text, breaks, measure, options, graphemes } = this
    const nextIndex = breaks.after(start)
    const next = breaks.positions[nextIndex]!
    const finish = (end: number, tokens: number): Cut => {
      this.endTotal = end === next ? measure.totals[nextIndex]! : this.endTotal + measure.cost(start, end)
      return { start, end, tokens, oversize: tokens > options.maxTokens }
    }
    let fits = graphemes.next(start)
    let tokens = measure.count(start, fits)
    if (tokens > options.maxTokens) return finish(fits, tokens)
    let exceeds = next + 1
    let width = Math.max(1, Math.floor(fits - start))
    while (fits < next && exceeds - fits > 1) {
      const middle = exceeds > next ? fits + width : fits + ((exceeds - fits) >>> 1)
      let probe = graphemes.atOrBefore(Math.min(next, middle), fits)
      if (probe <= fits) probe = graphemes.next(fits)
      if (probe >= exceeds) break
      const count = measure.count(start, probe)
      if (count <= options.maxTokens) {
        fits = probe
        tokens = count
        width *= 2
      } else exceeds = probe
    }
    for (let end = fits; end > start + (fits - start) / 2; end -= 1) {
      if (!isSpace(text.charCodeAt(end - 1)) || isSpace(text.charCodeAt(end)) || !isPlainBoundary(text, end)) continue
      const count = measure.count(start, end)
      return count <= options.maxTokens ? finish(end, count) : finish(fits, tokens)
    }
    return finish(fits, tokens)
  }
}

/** A number that depends on the text within 24 units of the cut and on nothing else (FNV-1a). */
function fingerprint(text: string, position: number): number {
  let hash = 0x811c9dc5
  const to = Math.min(text.length, position + 24)
  for (let at = Math.max(0, position - 24); at < to; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  hash ^= hash >>> 15
  return Math.imul(hash, 0x2c1b3c6d) >>> 0
}

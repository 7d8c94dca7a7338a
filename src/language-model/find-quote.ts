import type { Span } from '../document.ts'
import { type FoldedText, foldText } from './fold-text.ts'
import { nearMatch } from './near-match.ts'

/** Where a source has quoted words, and how faithfully they are quoted. */
export interface FoundQuote extends Span {
  /** Unit by unit; but for case, white space, quotes, dashes and markup; or but for a few slips of the pen. */
  readonly match: 'exact' | 'folded' | 'near'
  /** Single-character edits, for `near`; 0 otherwise. */
  readonly edits: number
  /** Whether an edit changes a number, adds or drops a negation, or replaces a word: then it is no faithful quotation. */
  readonly altered: boolean
}

/** Looks quotations up in one source. */
export interface QuoteFinder {
  /** The place of the quoted words; undefined for none. Of several equally good places, one within `near`, then the first. */
  find(quote: string, near?: Span): FoundQuote | undefined
}

/** Edits taken for slips: one in 25 characters. Quotations of fewer than 25 must be right. */
const SLIPS = 0.04
/** Longer quotations are looked for exactly and folded only. */
const LONGEST = 4000

/**
 * Prepares a source. Looks for the words as they are, then folded, then with slips: at most one edit in 25 characters. White
 * space at the ends and one sign of punctuation before the closing quote do not count. Folding happens once, at need.
 */
export function quoteFinder(source: string): QuoteFinder {
  let folded: FoldedText | undefined
  return {
    find(quote, near) {
      const words = quote.trim()
      const core = words.replace(/[.,;:!?\u2026]$/, '')
      for (const wanted of core === words || core === '' ? [words] : [words, core]) {
        if (wanted === '') continue
        const close = near === undefined ? -1 : source.slice(near.start, near.end).indexOf(wanted)
        const start = close >= 0 ? near!.start + close : source.indexOf(wanted)
        if (start >= 0) return { start, end: start + wanted.length, match: 'exact', edits: 0, altered: false }
      }
      const { text: plain } = foldText(core)
      if (plain === '') return undefined
      folded ??= foldText(source)
      const { text, offsets } = folded
      const original = (start: number, end: number) => ({ start: offsets[start]!, end: offsets[end - 1]! + 1 })
      const at = text.indexOf(plain)
      if (at >= 0) return { ...original(at, at + plain.length), match: 'folded', edits: 0, altered: false }
      const limit = Math.floor(plain.length * SLIPS)
      if (limit === 0 || plain.length > LONGEST) return undefined
      const found = nearMatch(text, plain, limit)
      if (found === undefined) return undefined
      const altered = found.cluster > 2 || !saysTheSame(plain, text.slice(found.start, found.end))
      return { ...original(found.start, found.end), match: 'near', edits: found.edits, altered }
    },
  }
}

const NEGATION = /\b(?:no|not|never|none|nor|neither|nothing|nobody|without|cannot|hardly)\b|n't\b/g

/** Whether two texts have the same numbers and the same negations, in the same order. */
function saysTheSame(one: string, other: string): boolean {
  const facts = (text: string) => `${text.match(/\d+/g)?.join(' ')}|${text.match(NEGATION)?.join(' ')}`
  return facts(one) === facts(other)
}

import type { Span } from '../document.ts'
import type { PromptSource } from '../prompt-assembler/prompt-assembler.ts'
import { type FoundQuote, type QuoteFinder, quoteFinder } from './find-quote.ts'
import type { ModelCitation } from './language-model.ts'

/** Why a citation is not verified. */
export type UnverifiedReason = 'no-quote' | 'unknown-source' | 'quote-not-found' | 'quote-altered'

/** A place of an answer that points at a source, and what came of checking it. */
export interface Citation {
  /** The number cited; 0 for what a provider cites that is none of the prompt's sources, or more than one. */
  readonly number: number
  /** The source of that number; absent when the prompt has none. */
  readonly source?: PromptSource
  /** The mark in the answer, for one written by the model; where the answer stood, for one made by the provider. */
  readonly at: Span
  /** Who made it. */
  readonly origin: 'mark' | 'provider'
  /** The words quoted with it. */
  readonly quote?: string
  /** What the provider names as cited: an address, a file. */
  readonly reference?: string
  /** In the document: the quoted words where they were found, the whole source otherwise. Absent without a source. */
  readonly span?: Span
  /** How faithfully the words are quoted, where they were found. */
  readonly match?: FoundQuote['match']
  /** Single-character edits between quotation and source; 0 unless `match` is `near`. */
  readonly edits?: number
  /** `verified` only when the quoted words stand in the source, slips that change no number, negation or word aside. */
  readonly verdict: 'verified' | 'unverified'
  /** Why it is not verified. */
  readonly reason?: UnverifiedReason
}

/** Reads an answer piece by piece. */
export interface CitationReader {
  /** The citations that the next piece completes. */
  read(piece: string): readonly Citation[]
  /** A citation that the provider makes after the pieces read so far. */
  check(citation: ModelCitation): Citation
}

/** One mark: `[2]`, `[1, 3]`, `[2–4]`, `【5】`. */
const MARK = /[[\u3010](\d{1,4}(?:\s*[,;\u2013-]\s*\d{1,4}){0,19})[\]\u3011]/g
/** No mark is longer. */
const LONGEST = 160

/** Finds marks in a growing answer, each once, as soon as it is complete. Marks within code are not citations. */
export function citationReader(sources: readonly PromptSource[]): CitationReader {
  const judge = citationJudge(sources)
  let text = ''
  let from = 0
  let fenced = false
  let lineStart = 0
  return {
    read(piece) {
      text += piece
      const found: Citation[] = []
      MARK.lastIndex = from
      for (let match = MARK.exec(text); match; match = MARK.exec(text)) {
        for (
          let next = text.indexOf('\n', lineStart);
          next >= 0 && next < match.index;
          next = text.indexOf('\n', lineStart)
        ) {
          if (/^ {0,3}(?:```|~~~)/.test(text.slice(lineStart, lineStart + 6))) fenced = !fenced
          lineStart = next + 1
        }
        from = match.index + match[0].length
        const line = text.slice(Math.max(lineStart, match.index - 1000), match.index)
        if (fenced || line.split('`').length % 2 === 0) continue
        const at = { start: match.index, end: from }
        const quote = quoteBefore(text, match.index)
        for (const number of numbersOf(match[1]!))
          found.push(judge({ source: number, ...(quote === undefined ? {} : { quote }) }, at, 'mark'))
      }
      from = Math.max(from, text.length - LONGEST)
      return found
    },
    check(citation) {
      return judge(citation, { start: text.length, end: text.length }, 'provider')
    },
  }
}

/** Judges citations; a source is prepared once, when a quotation is first looked for in it. */
function citationJudge(sources: readonly PromptSource[]) {
  const finders = new Map<number, QuoteFinder>()
  return (
    { source: number, quote, span, reference }: ModelCitation,
    at: Span,
    origin: Citation['origin'],
  ): Citation => {
    const source = sources.find((candidate) => candidate.number === number)
    const base = {
      number,
      at,
      origin,
      ...(quote !== undefined && { quote }),
      ...(reference !== undefined && { reference }),
    }
    if (source === undefined) return { ...base, verdict: 'unverified', reason: 'unknown-source' }
    const { start, end } = source
    const whole = { ...base, source, span: { start, end }, verdict: 'unverified' } as const
    if (quote === undefined || quote.trim() === '') return { ...whole, reason: 'no-quote' }
    const finder = finders.get(number) ?? quoteFinder(source.text)
    finders.set(number, finder)
    const found = finder.find(quote, span && { start: span.start - start, end: span.end - start })
    if (found === undefined) return { ...whole, reason: 'quote-not-found' }
    const { match, edits } = found
    const place = { ...base, source, span: { start: start + found.start, end: start + found.end }, match, edits }
    return found.altered
      ? { ...place, verdict: 'unverified', reason: 'quote-altered' }
      : { ...place, verdict: 'verified' }
  }
}

function numbersOf(list: string): readonly number[] {
  const numbers = new Set<number>()
  for (const part of list.split(/[,;]/)) {
    const [first, last = first] = part.split(/[\u2013-]/).map(Number)
    // A range over more than 20 sources says nothing; its ends are kept.
    if (last! - first! > 20 || last! < first!) numbers.add(first!).add(last!)
    else for (let number = first!; number <= last!; number++) numbers.add(number)
  }
  return [...numbers]
}

const CLOSING = new Map([
  ['"', '"'],
  ['\u201d', '\u201c\u201e'],
  ['\u201c', '\u201e'],
  ['\u00bb', '\u00ab'],
  ['\u00ab', '\u00bb'],
  ['\u300d', '\u300c'],
])
/** How far back a quotation may begin. */
const FARTHEST = 4000

/** The words in double quotes that end directly before a mark, other marks and one sign of punctuation aside. */
function quoteBefore(text: string, mark: number): string | undefined {
  const before = text.slice(Math.max(0, mark - FARTHEST), mark)
  const tail =
    /(["\u201d\u201c\u00bb\u00ab\u300d])[\s*_]*[.,;:!?]?[\s*_]*(?:[[\u3010][\d\s,;\u2013-]{1,100}[\]\u3011]\s*)*$/.exec(
      before,
    )
  if (tail === null) return undefined
  const openers = CLOSING.get(tail[1]!)!
  for (let start = tail.index - 1; start >= 0; start--) {
    if (openers.includes(before[start]!)) return before.slice(start + 1, tail.index) || undefined
    if (before.startsWith('\n\n', start)) return undefined
  }
  return undefined
}

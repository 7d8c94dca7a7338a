import type { Document, Mark, OffsetPiece, Span } from '../document.ts'
import { GroundlineError } from '../errors.ts'
import { lastAtMost } from '../internal/last-at-most.ts'
import { lineStarts } from '../internal/line-starts.ts'

/** Where a span of a document's text stands in the original file. */
export interface SourceSpan {
  /** The document's `uri`. */
  readonly uri?: string
  /** First UTF-16 unit in the decoded original, without its byte order mark. Absent for originals without text of their own (PDF, DOCX). */
  readonly sourceStart?: number
  /** One past the last unit in the decoded original. */
  readonly sourceEnd?: number
  /** Line of the first unit, counted from 1. */
  readonly line?: number
  /** Column of the first unit, counted from 1 in UTF-16 units. */
  readonly column?: number
  /** Line of the last unit. */
  readonly endLine?: number
  /** Column just after the last unit. */
  readonly endColumn?: number
  /** First page, counted from 1. */
  readonly page?: number
  /** Last page. */
  readonly endPage?: number
  /** When its first cue starts, in seconds. */
  readonly startTime?: number
  /** When its last cue ends, in seconds. */
  readonly endTime?: number
}

/**
 * The way from a span of a document's text to its original: line and column, page, time, as far as the loader knows
 * them. Throws `INVALID_ARGUMENT` for a span outside the text.
 *
 * @example
 * ```ts
 * toSource(document, chunk).line // 42
 * ```
 */
export function toSource(document: Document, span: Span): SourceSpan {
  return sourceLocator(document)(span)
}

/** The same for many spans of one document: lines are looked for once, and each span then costs a binary search. */
export function sourceLocator(document: Document): (span: Span) => SourceSpan {
  const { text, sourceMap, outline = [] } = document
  const pages = outline.filter(({ page }) => page !== undefined)
  const cues = outline.filter(({ startTime }) => startTime !== undefined)
  const pieces = sourceMap?.pieces
  let starts = sourceMap?.lineStarts
  return (span) => {
    if (
      !(Number.isInteger(span.start) && Number.isInteger(span.end) && span.start >= 0 && span.end >= span.start) ||
      span.end > text.length
    ) {
      throw new GroundlineError(
        'INVALID_ARGUMENT',
        `span ${span.start}–${span.end} is not within the text of ${JSON.stringify(document.id)} (${text.length} units)`,
        { details: { argument: 'span', start: span.start, end: span.end, length: text.length } },
      )
    }
    const uri = document.uri === undefined ? {} : { uri: document.uri }
    const source =
      pieces === undefined
        ? { sourceStart: span.start, sourceEnd: span.end, ...pagesOf(pages, span) }
        : mapped(pieces, pages, span)
    if (sourceMap === undefined) starts ??= lineStarts(text)
    if (starts === undefined || source.sourceStart === undefined || source.sourceEnd === undefined) {
      const { sourceStart: _start, sourceEnd: _end, ...rest } = source
      return { ...uri, ...rest, ...timesOf(cues, span) }
    }
    const line = lastAtMost(starts, source.sourceStart, itself)
    const last = Math.max(source.sourceStart, source.sourceEnd - 1)
    const endLine = lastAtMost(starts, last, itself)
    return {
      ...uri,
      ...source,
      line: line + 1,
      column: source.sourceStart - starts[line]! + 1,
      endLine: endLine + 1,
      endColumn: source.sourceEnd - starts[endLine]! + 1,
      ...timesOf(cues, span),
    }
  }
}

type Mapped = Pick<SourceSpan, 'sourceStart' | 'sourceEnd' | 'page' | 'endPage'>

const startOf = ({ start }: Span): number => start
const itself = (value: number): number => value

function mapped(pieces: readonly OffsetPiece[], pages: readonly Mark[], span: Span): Mapped {
  if (pieces.length === 0) return pagesOf(pages, span)
  const first = pieces[Math.max(0, lastAtMost(pieces, span.start, startOf))]!
  const last = pieces[Math.max(0, lastAtMost(pieces, Math.max(span.start, span.end - 1), startOf))]!
  const [sourceStart] = within(first, span.start, span.start)
  const [, sourceEnd] = within(last, span.end, span.end)
  const page = first.page === undefined ? {} : { page: first.page, endPage: last.page ?? first.page }
  return { sourceStart, sourceEnd: Math.max(sourceStart, sourceEnd), ...pagesOf(pages, span), ...page }
}

/** A piece of equal lengths maps unit by unit, others whole. */
function within(piece: OffsetPiece, start: number, end: number): [number, number] {
  if (piece.sourceEnd - piece.sourceStart !== piece.end - piece.start) return [piece.sourceStart, piece.sourceEnd]
  const shift = piece.sourceStart - piece.start
  return [Math.min(piece.sourceEnd, start + shift), Math.min(piece.sourceEnd, end + shift)]
}

/** Indices of the first and last mark that share a unit with the span. In the text, pages and cues follow each other. */
function touching(marks: readonly Mark[], span: Span): [first: number, last: number] | undefined {
  const lastIndex = lastAtMost(marks, Math.max(span.start, span.end - 1), startOf)
  let firstIndex = Math.max(0, lastAtMost(marks, span.start, startOf))
  if (lastIndex >= firstIndex && marks[firstIndex]!.end <= span.start) firstIndex += 1
  return lastIndex < firstIndex ? undefined : [firstIndex, lastIndex]
}

function pagesOf(pages: readonly Mark[], span: Span): { page?: number; endPage?: number } {
  const hit = touching(pages, span)
  return hit === undefined ? {} : { page: pages[hit[0]]!.page!, endPage: pages[hit[1]]!.page! }
}

/** From the first to start to the last to end of the cues that share a unit with the span: they may overlap in time. */
function timesOf(cues: readonly Mark[], span: Span): { startTime?: number; endTime?: number } {
  const hit = touching(cues, span)
  if (hit === undefined) return {}
  let [{ startTime }, { endTime }] = [cues[hit[0]]!, cues[hit[1]]!]
  for (let index = hit[0]; index <= hit[1]; index += 1) {
    const cue = cues[index]!
    if (cue.startTime !== undefined) startTime = Math.min(startTime ?? cue.startTime, cue.startTime)
    if (cue.endTime !== undefined) endTime = Math.max(endTime ?? cue.endTime, cue.endTime)
  }
  return { ...(startTime === undefined ? {} : { startTime }), ...(endTime === undefined ? {} : { endTime }) }
}

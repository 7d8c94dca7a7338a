import type { Document, Mark } from '../document.ts'
import { isPlainBoundary } from '../internal/grapheme.ts'
import { lastAtMost } from '../internal/last-at-most.ts'
import { type BoundaryChunker, boundaryChunker } from './boundary-chunker.ts'
import { breakLevel, headingLevel } from './break-list.ts'
import type { ChunkNotes } from './chunk-notes.ts'
import { type ChunkLimits, type ResolvedLimits, resolveLimits } from './limits.ts'
import { type Region, regionBreaks } from './regions.ts'
import { sectionPaths } from './section-paths.ts'

/**
 * Cuts any document along the outline that its loader left: HTML, PDF, DOCX, CSV. Headings first, then blocks, list
 * items, rows, sentences; code and tables stay whole when they fit.
 *
 * @example
 * ```ts
 * const document = await htmlLoader().load({ id: 'page.html', content })
 * const chunks = [...outlineChunker({ maxTokens: 512 }).chunk(document)]
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function outlineChunker(options: ChunkLimits = {}): BoundaryChunker {
  return alongOutline('outline', resolveLimits(options))
}

/**
 * Cuts HTML along the outline that `htmlLoader` leaves: {@link outlineChunker} under the name that says what it is for.
 *
 * @example
 * ```ts
 * const chunker = htmlChunker({ maxTokens: 512, overlap: 32 })
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function htmlChunker(options: ChunkLimits = {}): BoundaryChunker {
  return alongOutline('html', resolveLimits(options))
}

function alongOutline(name: string, limits: ResolvedLimits): BoundaryChunker {
  return boundaryChunker(name, limits, {}, (document, count) => {
    const { text } = document
    const marks = usableMarks(document)
    const headings = marks.filter(({ kind }) => kind === 'heading')
    const pathOf = sectionPaths(headings.map(({ start, level = 6, label = '' }) => ({ start, level, label })))
    const pages = marks.filter(({ page }) => page !== undefined)
    const tables = tablesOf(marks)
    return {
      breaks: regionBreaks(text, outlineRegions(text, marks), count, limits.maxTokens),
      annotate: (span) => {
        const page = pages[lastAtMost(pages, span.start, ({ start }) => start)]?.page
        const tableHeader = headerOf(text, tables, span.start)
        const notes: ChunkNotes = {
          ...(page === undefined ? {} : { page }),
          ...(tableHeader === undefined ? {} : { tableHeader }),
        }
        return { headingPath: pathOf(span), notes }
      },
    }
  })
}

/** Marks within the text, in order, that begin where a cut may be. */
function usableMarks({ text, outline = [] }: Document): readonly Mark[] {
  const inside = outline.filter(
    ({ start, end }) =>
      start >= 0 && start <= end && end <= text.length && (start === 0 || isPlainBoundary(text, start)),
  )
  return inside.every(({ start }, index) => index === 0 || inside[index - 1]!.start <= start)
    ? inside
    : inside.toSorted((a, b) => a.start - b.start)
}

function* outlineRegions(text: string, marks: readonly Mark[]): Generator<Region> {
  let at = 0
  let headingEnd = -1
  for (const [index, mark] of marks.entries()) {
    const { kind, start, end } = mark
    if (start < at) continue
    // What a heading introduces stays with it.
    const introduced = headingEnd >= 0 && kind !== 'heading' && text.slice(headingEnd, start).trim() === ''
    if (headingEnd >= 0 && !introduced) headingEnd = -1
    const level = introduced ? breakLevel.word : levelOf(mark)
    if (kind === 'code') {
      yield { start, end, level, inside: 'lines', whole: true }
      at = end
    } else if (kind === 'table') {
      yield { start, end, level, inside: 'rows', starts: rowsWithin(marks, index), whole: true }
      at = end
    } else {
      yield { start, end: start, level, inside: 'text' }
      at = start
    }
    if (kind === 'heading') headingEnd = end
    else if (end > start) headingEnd = -1
  }
}

function levelOf({ kind, level = 1 }: Mark): number {
  if (kind === 'heading') return headingLevel(level)
  if (kind === 'list') return level > 1 ? breakLevel.sentence : breakLevel.line
  return kind === 'row' || kind === 'cue' ? breakLevel.line : breakLevel.paragraph
}

function rowsWithin(marks: readonly Mark[], table: number): number[] {
  const starts: number[] = []
  const { end } = marks[table]!
  for (let index = table + 1; index < marks.length && marks[index]!.start < end; index += 1) {
    if (marks[index]!.kind === 'row') starts.push(marks[index]!.start)
  }
  return starts
}

interface Table {
  readonly start: number
  readonly end: number
  /** Where its first row begins, and its second. */
  readonly header: number
  readonly body: number
  /** The table around it. */
  readonly outer: Table | undefined
}

function tablesOf(marks: readonly Mark[]): readonly Table[] {
  const tables: Table[] = []
  let outer: Table | undefined
  for (const [index, { kind, start, end }] of marks.entries()) {
    if (kind !== 'table') continue
    while (outer !== undefined && outer.end <= start) outer = outer.outer
    const [header = end, body = end] = rowsWithin(marks, index)
    outer = { start, end, header, body, outer }
    tables.push(outer)
  }
  return tables
}

/** The first row of the innermost table that a chunk begins in, behind that row. A caption is none. */
function headerOf(text: string, tables: readonly Table[], at: number): string | undefined {
  let table = tables[lastAtMost(tables, at, ({ start }) => start)]
  while (table !== undefined && table.end <= at) table = table.outer
  return table === undefined || at < table.body ? undefined : text.slice(table.header, table.body).trim()
}

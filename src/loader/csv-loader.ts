import type { Mark } from '../document.ts'
import { GroundlineError } from '../errors.ts'
import { decodeText, requireLimits, type TextLoaderOptions } from './decode.ts'
import type { Loader } from './loader.ts'
import { makeDocument, requireInput } from './make-document.ts'

/**
 * Reads comma-, tab- or semicolon-separated values (RFC 4180 quoting): the text stays as written, the outline marks the
 * table and its rows, so that `outlineChunker` cuts between rows and gives each part the header row. Throws
 * `UNSUPPORTED_FORMAT` naming the row for a quote that is never closed.
 *
 * @example
 * ```ts
 * const document = await csvLoader().load({ id: 'prices.csv', content: 'name,price\nApple,3\n' })
 * document.outline?.length // 3: the table and two rows
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function csvLoader(options: TextLoaderOptions = {}): Loader {
  requireLimits({ maxBytes: options.maxBytes })
  return {
    id: 'csv',
    extensions: ['.csv', '.tsv'],
    async load(input, { signal } = {}) {
      requireInput(input, signal)
      const text = decodeText(input, options)
      const rows = rowsOf(text, input.id)
      const outline: Mark[] = rows.length === 0 ? [] : [{ kind: 'table', start: 0, end: text.length }, ...rows]
      return makeDocument(input, { text, outline })
    },
  }
}

function rowsOf(text: string, id: string): Mark[] {
  const rows: Mark[] = []
  let start = 0
  let fieldStart = true
  let at = 0
  const endRow = (end: number): void => {
    if (end > start) rows.push({ kind: 'row', start, end })
    start = end
    fieldStart = true
  }
  while (at < text.length) {
    const code = text.charCodeAt(at)
    if (code === 34 && fieldStart) {
      at = quoteEnd(text, at)
      if (at < 0) {
        throw new GroundlineError(
          'UNSUPPORTED_FORMAT',
          `${JSON.stringify(id)}: a quote in row ${rows.length + 1} is never closed`,
          {
            details: { id, row: rows.length + 1 },
          },
        )
      }
      fieldStart = false
      continue
    }
    at += 1
    if (code === 10 || (code === 13 && text.charCodeAt(at) !== 10)) endRow(at)
    else fieldStart = code === 44 || code === 59 || code === 9 || code === 124 || (fieldStart && code === 32)
  }
  endRow(text.length)
  return rows
}

/** One past the quote that closes the one at `at`; −1 for none. Doubled quotes stand for one. */
function quoteEnd(text: string, at: number): number {
  let from = at + 1
  for (;;) {
    const end = text.indexOf('"', from)
    if (end < 0) return -1
    if (text.charCodeAt(end + 1) !== 34) return end + 1
    from = end + 2
  }
}

import type { Mark } from '../document.ts'
import { GroundlineError } from '../errors.ts'
import { jsonPointer, jsonSpans } from '../internal/json-spans.ts'
import { lastAtMost } from '../internal/last-at-most.ts'
import { lineStarts } from '../internal/line-starts.ts'
import { decodeText, requireLimits, type TextLoaderOptions } from './decode.ts'
import type { Loader } from './loader.ts'
import { makeDocument, requireInput } from './make-document.ts'

/** Deepest nesting of arrays and objects. */
const MAX_DEPTH = 512

/**
 * Reads JSON and JSON lines: the text stays as written, and the outline marks the records (lines, or the members of the
 * top) with their JSON Pointers. Throws `UNSUPPORTED_FORMAT` with the line for text that is not JSON, and
 * `LIMIT_EXCEEDED` for values nested deeper than 512.
 *
 * @example
 * ```ts
 * const document = await jsonLoader().load({ id: 'users.json', content: '{"users":[{"name":"Ann"}]}' })
 * document.outline // [{ kind: 'record', label: '/users', start: 1, end: 25, level: 1 }]
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function jsonLoader(options: TextLoaderOptions = {}): Loader {
  requireLimits({ maxBytes: options.maxBytes })
  return {
    id: 'json',
    extensions: ['.json', '.jsonl', '.ndjson', '.geojson', '.ipynb'],
    async load(input, { signal } = {}) {
      requireInput(input, signal)
      const text = decodeText(input, options)
      const { spans, fault } = jsonSpans(text, MAX_DEPTH)
      if (fault !== undefined) {
        const starts = lineStarts(text)
        const line = lastAtMost(starts, fault.position, (start) => start)
        const place = `line ${line + 1}, column ${fault.position - starts[line]! + 1}`
        const details = { id: input.id, position: fault.position, line: line + 1 }
        throw fault.problem === 'depth'
          ? new GroundlineError(
              'LIMIT_EXCEEDED',
              `${JSON.stringify(input.id)} nests deeper than ${MAX_DEPTH} at ${place}`,
              { details },
            )
          : new GroundlineError(
              'UNSUPPORTED_FORMAT',
              `${JSON.stringify(input.id)} is not JSON at ${place}: ${fault.problem}`,
              { details },
            )
      }
      const lines = spans.filter(({ depth }) => depth === 0).length > 1
      const outline = spans.flatMap(({ start, end, depth, key }, index): Mark[] =>
        depth === (lines ? 0 : 1)
          ? [{ kind: 'record', start, end, level: 1, label: lines ? String(key) : jsonPointer(spans, index) }]
          : [],
      )
      return makeDocument(input, { text, outline })
    },
  }
}

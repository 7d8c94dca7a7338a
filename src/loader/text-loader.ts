import { decodeText, requireLimits, type TextLoaderOptions } from './decode.ts'
import type { Loader } from './loader.ts'
import { makeDocument, requireInput } from './make-document.ts'

/**
 * Reads plain text: the document's text is the decoded file, unit by unit.
 *
 * @example
 * ```ts
 * const document = await textLoader().load({ id: 'notes.txt', content: await readFile('notes.txt') })
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function textLoader(options: TextLoaderOptions = {}): Loader {
  requireLimits({ maxBytes: options.maxBytes })
  return {
    id: 'text',
    extensions: ['.txt', '.text', '.log', '.rst', '.adoc', '.org', '.tex'],
    async load(input, { signal } = {}) {
      requireInput(input, signal)
      return makeDocument(input, { text: decodeText(input, options) })
    },
  }
}

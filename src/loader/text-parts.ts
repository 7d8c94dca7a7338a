import type { AbortOptions, Metadata } from '../document.ts'
import { GroundlineError } from '../errors.ts'
import { requireInteger } from '../internal/argument.ts'
import { fatalDecoder } from './decode.ts'
import type { LoaderInput } from './loader.ts'

/** How {@link textParts} cuts. */
export interface TextPartsOptions<M extends Metadata = Metadata> extends AbortOptions {
  /** The most UTF-16 units a part may have. Default 1,048,576. */
  readonly maxUnits?: number
  /** Encoding by its WHATWG label. Default `utf-8`; bytes that are not valid in it are refused. */
  readonly encoding?: string
  /** Becomes the `uri` of every part. */
  readonly uri?: string
  /** Becomes the metadata of every part, beside `part` and `partStart`. */
  readonly metadata?: M
}

/**
 * Cuts a stream of text that is too large for one document into inputs that are not, in memory for two parts: ids `id#1`,
 * `id#2`, …, metadata `part` (counted from 1) and `partStart` (the UTF-16 unit of the whole text at which the part
 * begins). A part ends after an empty line, else after a line, else before a code point; the parts joined are the text.
 * A change early in the text moves later cuts, and only those parts are indexed again whose chunks changed.
 *
 * Throws `UNSUPPORTED_FORMAT` for bytes that are invalid in the encoding, `INVALID_ARGUMENT` for an unknown one.
 *
 * @example
 * ```ts
 * import { iterableSource } from 'groundline/corpus'
 * import { textParts } from 'groundline/loader'
 *
 * const source = iterableSource('log', () => textParts('server.log', createReadStream('server.log')))
 * ```
 */
export async function* textParts<M extends Metadata = Metadata>(
  id: string,
  stream: AsyncIterable<Uint8Array>,
  options: TextPartsOptions<M> = {},
): AsyncGenerator<LoaderInput<M & { readonly part: number; readonly partStart: number }>> {
  const { maxUnits = 1_048_576, encoding = 'utf-8', uri, metadata, signal } = options
  requireInteger('maxUnits', maxUnits, 2)
  const decoder = fatalDecoder(encoding)
  let text = ''
  let part = 0
  let partStart = 0
  const inputOf = (content: string) => {
    const input = {
      id: `${id}#${++part}`,
      content,
      metadata: { ...metadata, part, partStart } as M & { readonly part: number; readonly partStart: number },
      ...(uri !== undefined && { uri }),
    }
    partStart += content.length
    return input
  }
  const decode = (bytes?: Uint8Array): string => {
    try {
      return bytes ? decoder.decode(bytes, { stream: true }) : decoder.decode()
    } catch (cause) {
      throw new GroundlineError(
        'UNSUPPORTED_FORMAT',
        `${JSON.stringify(id)} is not valid ${encoding} after unit ${partStart + text.length}; pass the encoding it has`,
        { cause, details: { id, encoding } },
      )
    }
  }
  for await (const bytes of stream) {
    signal?.throwIfAborted()
    text += decode(bytes)
    while (text.length > maxUnits) {
      const end = partEnd(text, maxUnits)
      yield inputOf(text.slice(0, end))
      signal?.throwIfAborted()
      text = text.slice(end)
    }
  }
  text += decode()
  if (text.length > 0) yield inputOf(text)
}

/** Where a part of at most `limit` units ends: not in its first half, unless nothing better is there. */
function partEnd(text: string, limit: number): number {
  const window = text.slice(limit >> 1, limit)
  const blank = /[\s\S]*\n[ \t]*\r?\n/.exec(window)?.[0].length ?? 0
  const end = blank || window.lastIndexOf('\n') + 1
  if (end > 0) return (limit >> 1) + end
  const splitsPair = /[\ud800-\udbff]/.test(text[limit - 1]!) && /[\udc00-\udfff]/.test(text[limit] ?? '')
  const splitsLine = text[limit - 1] === '\r' && text[limit] === '\n'
  return splitsPair || splitsLine ? limit - 1 : limit
}

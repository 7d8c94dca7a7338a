import type { AbortOptions, Mark } from '../document.ts'
import { GroundlineError } from '../errors.ts'
import { requireLimits, requireSize } from './decode.ts'
import type { Loader } from './loader.ts'
import { makeDocument, requireInput } from './make-document.ts'

/** The text layer of a PDF. */
export interface PdfText {
  /** Text of each page, in order; empty for pages without any. */
  readonly pages: readonly string[]
  /** The title of its metadata. */
  readonly title?: string
}

/**
 * Reads the text layer of a PDF, within limits of its own: `pdfExtractor` of `groundline/node`, which runs in a worker.
 * Throws `LIMIT_EXCEEDED` or `UNSUPPORTED_FORMAT`.
 */
export type PdfExtractor = (bytes: Uint8Array, options: AbortOptions & { readonly id: string }) => Promise<PdfText>

/** Options of {@link pdfLoader}. */
export interface PdfLoaderOptions {
  /** Reads the text layer. */
  readonly extract: PdfExtractor
  /** The most bytes the file may have. Default 32 MiB. */
  readonly maxBytes?: number
}

/**
 * Reads the text layer of PDFs, with a `page` mark for each page; every span maps to its pages. A scan without a text
 * layer is `UNSUPPORTED_FORMAT`.
 *
 * @example
 * ```ts
 * const loader = pdfLoader({ extract: pdfExtractor() }) // from 'groundline/node'
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function pdfLoader(options: PdfLoaderOptions): Loader {
  if (typeof options?.extract !== 'function')
    throw new GroundlineError(
      'INVALID_ARGUMENT',
      "extract must be a function, such as pdfExtractor() of 'groundline/node'",
      {
        details: { argument: 'extract' },
      },
    )
  const { extract, maxBytes } = options
  requireLimits({ maxBytes })
  return {
    id: 'pdf',
    extensions: ['.pdf'],
    async load(input, { signal } = {}) {
      requireInput(input, signal)
      requireSize(input, maxBytes)
      const { content, id } = input
      const refuse = (problem: string): GroundlineError =>
        new GroundlineError('UNSUPPORTED_FORMAT', `${JSON.stringify(id)} ${problem}`, { details: { id } })
      if (typeof content === 'string' || !hasHeader(content))
        throw refuse('is not a PDF: no %PDF- in its first kilobyte')
      const { pages, title } = await extract(content, { id, signal })
      const outline: Mark[] = []
      let text = ''
      for (const [index, page] of pages.entries()) {
        const trimmed = page.trim()
        if (trimmed === '') continue
        if (text !== '') text += '\n\n'
        outline.push({ kind: 'page', start: text.length, end: text.length + trimmed.length, page: index + 1 })
        text += trimmed
      }
      if (text === '') throw refuse('has no text layer; recognise its text (OCR) first')
      return makeDocument(input, { text, title, outline, sourceMap: { pieces: [] } })
    },
  }
}

function hasHeader(bytes: Uint8Array): boolean {
  return new TextDecoder('latin1').decode(bytes.subarray(0, 1024)).includes('%PDF-')
}

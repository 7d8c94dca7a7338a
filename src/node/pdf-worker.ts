import { parentPort, workerData } from 'node:worker_threads'
import type { PdfWorkerAnswer } from './pdf-extractor.ts'

interface Work {
  readonly bytes: Uint8Array
  readonly maxPages: number
  readonly maxUnits: number
}

/** What is read of a page's text items; marked content items lack a `str`. */
interface Item {
  readonly type?: string
  readonly str?: string
  readonly hasEOL?: boolean
  readonly height?: number
  readonly transform?: readonly number[]
}

async function read({ bytes, maxPages, maxUnits }: Work): Promise<PdfWorkerAnswer> {
  const library = await import('pdfjs-dist/legacy/build/pdf.mjs').catch(() => undefined)
  if (library === undefined) return { failure: 'missing', message: 'pdfjs-dist is not installed' }
  try {
    const settings = { isEvalSupported: false, disableFontFace: true, useSystemFonts: false, verbosity: 0 }
    const pdf = await library.getDocument({ data: bytes, ...settings }).promise
    if (pdf.numPages > maxPages) return { failure: 'pages', message: `${pdf.numPages} pages` }
    const pages: string[] = []
    let units = 0
    for (let number = 1; number <= pdf.numPages; number += 1) {
      const page = await pdf.getPage(number)
      const { items } = await page.getTextContent()
      const text = pageText(items)
      units += text.length
      if (units > maxUnits) return { failure: 'units', message: `${units} units` }
      pages.push(text)
      page.cleanup()
    }
    const { info } = await pdf.getMetadata()
    const title = 'Title' in info && typeof info.Title === 'string' ? info.Title.trim() : ''
    return { text: title === '' ? { pages } : { pages, title } }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return { failure: error instanceof Error && error.name === 'PasswordException' ? 'password' : 'damaged', message }
  }
}

/** Lines as the library finds them; a gap of more than one and a half lines begins a paragraph. */
function pageText(items: readonly Item[]): string {
  let text = ''
  let lastY: number | undefined
  let lineHeight = 0
  for (const { str, hasEOL, height, transform } of items) {
    if (str === undefined) continue
    const y = transform?.[5]
    if (str !== '' && y !== undefined) {
      if (lastY !== undefined && text.endsWith('\n') && lineHeight > 0 && lastY - y > lineHeight * 1.8) text += '\n'
      lastY = y
      lineHeight = Math.max(height ?? 0, 1)
    }
    text += str
    if (hasEOL === true) text += '\n'
  }
  return text.replaceAll('\u0000', '')
}

read(workerData as Work).then((answer) => parentPort?.postMessage(answer))

import type { Handler } from 'htmlparser2'
import { GroundlineError } from '../errors.ts'
import { requireLimits, requireSize } from './decode.ts'
import type { Loader, LoaderInput } from './loader.ts'
import { makeDocument, requireInput } from './make-document.ts'
import { TextBuilder } from './text-builder.ts'
import { unzipParts } from './unzip-parts.ts'

/** Limits of {@link docxLoader}. */
export interface DocxLoaderOptions {
  /** The most bytes the file may have. Default 32 MiB. */
  readonly maxBytes?: number
  /** The most bytes its parts may have when unzipped. Default 128 MiB. */
  readonly maxExpandedBytes?: number
}

const BODY = 'word/document.xml'
const STYLES = 'word/styles.xml'
const CORE = 'docProps/core.xml'
const MAX_DEPTH = 1000

/**
 * Reads Word documents (.docx): paragraphs, headings by their style or outline level, lists, tables; deleted, moved and
 * hidden text and field codes are left out; a text box stands before the paragraph that it is anchored in. A document has no lines or pages of its own until it is printed, so spans map to no place in
 * the file. Throws `LIMIT_EXCEEDED` for an archive that unzips to more than `maxExpandedBytes`.
 *
 * @example
 * ```ts
 * const document = await docxLoader().load({ id: 'report.docx', content: await readFile('report.docx') })
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function docxLoader(options: DocxLoaderOptions = {}): Loader {
  const { maxExpandedBytes = 134_217_728, maxBytes } = options
  requireLimits({ maxExpandedBytes, maxBytes })
  return {
    id: 'docx',
    extensions: ['.docx'],
    async load(input, { signal } = {}) {
      requireInput(input, signal)
      requireSize(input, maxBytes)
      const parts = await unzipParts(input, [BODY, STYLES, CORE], maxExpandedBytes, signal)
      const body = parts.get(BODY)
      if (body === undefined) throw unsupported(input, 'is a zip archive without word/document.xml')
      const levels = new Map<string, number>()
      await readXml(input, parts.get(STYLES) ?? '', styleHandler(levels))
      let title = ''
      let inTitle = false
      await readXml(input, parts.get(CORE) ?? '', {
        onopentag: (name) => {
          inTitle = name === 'dc:title'
        },
        ontext: (data) => {
          if (inTitle) title += data
        },
        onclosetag: () => {
          inTitle = false
        },
      })
      signal?.throwIfAborted()
      const builder = new TextBuilder()
      await readXml(input, body, bodyHandler(builder, levels))
      return makeDocument(input, {
        text: builder.text,
        title: title.trim() || builder.marks.find(({ kind }) => kind === 'heading')?.label,
        outline: builder.marks,
        sourceMap: { pieces: [] },
      })
    },
  }
}

/** Which paragraph styles are headings, and of which level. */
function styleHandler(levels: Map<string, number>): Partial<Handler> {
  let style = ''
  return {
    onopentag(name, attributes) {
      if (name === 'w:style') style = attributes['w:styleId'] ?? ''
      const value = attributes['w:val'] ?? ''
      const heading = name === 'w:name' ? /^heading ([1-9])$/i.exec(value) : null
      if (heading !== null) levels.set(style, Number(heading[1]))
      else if (name === 'w:name' && /^title$/i.test(value)) levels.set(style, 1)
      else if (name === 'w:outlineLvl' && /^[0-8]$/.test(value)) levels.set(style, Number(value) + 1)
    },
  }
}

/** What is written twice, and where moved text stood. */
const skipped = /^(?:mc:Fallback|w:moveFrom)$/

function bodyHandler(builder: TextBuilder, levels: ReadonlyMap<string, number>): Partial<Handler> {
  let skip = 0
  let tables = 0
  let collecting = false
  let paragraph = { text: '', level: 0, list: 0 }
  /** Paragraphs around this one, which stands in a text box. */
  const outer: (typeof paragraph)[] = []
  /** Whether each run that is open is hidden. */
  const hidden: boolean[] = []
  const closers: (() => void)[] = []
  const flush = (): void => {
    const { text, level, list } = paragraph
    if (text.trim() === '') return
    const place = builder.length
    if (tables === 0) builder.breakBefore(list > 0 ? 1 : 2)
    else if (!builder.endsBlank) builder.append('\t', place, place)
    const mark =
      level > 0
        ? ({ kind: 'heading', level } as const)
        : list > 0
          ? ({ kind: 'list', level: list } as const)
          : undefined
    const close = mark === undefined || tables > 0 ? undefined : builder.open(mark, place)
    builder.append(tables > 0 ? text.replace(/\s+/g, ' ').trim() : text.trim(), 0, 0)
    close?.(level > 0 ? text.replace(/\s+/g, ' ').trim().slice(0, 400).toWellFormed() : undefined)
    if (tables === 0) builder.breakBefore(list > 0 ? 1 : 2)
  }
  return {
    onopentag(name, attributes) {
      if (skipped.test(name)) skip += 1
      if (skip > 0) return
      const value = attributes['w:val'] ?? ''
      if (name === 'w:p') {
        outer.push(paragraph)
        paragraph = { text: '', level: 0, list: 0 }
      } else if (name === 'w:r') hidden.push(false)
      else if (name === 'w:vanish' && hidden.length > 0) hidden[hidden.length - 1] = !/^(?:0|false|off)$/.test(value)
      else if (name === 'w:noBreakHyphen') paragraph.text += '\u2011'
      else if (name === 'w:pStyle') paragraph.level = levels.get(value) ?? paragraph.level
      else if (name === 'w:outlineLvl' && /^[0-8]$/.test(value)) paragraph.level = Number(value) + 1
      else if (name === 'w:ilvl') paragraph.list = Math.max(1, Number(value) + 1 || 1)
      else if (name === 'w:t') collecting = true
      else if (name === 'w:tab') paragraph.text += '\t'
      else if (name === 'w:br' || name === 'w:cr') paragraph.text += '\n'
      else if (name === 'w:tbl') {
        if (tables === 0) {
          builder.breakBefore(2)
          closers.push(builder.open({ kind: 'table' }, builder.length))
        }
        tables += 1
      } else if (name === 'w:tr' && tables === 1) {
        builder.breakBefore(1)
        closers.push(builder.open({ kind: 'row' }, builder.length))
      }
    },
    ontext(data) {
      if (collecting && skip === 0 && hidden[hidden.length - 1] !== true) paragraph.text += data
    },
    onclosetag(name) {
      if (skipped.test(name)) {
        skip -= 1
        return
      }
      if (skip > 0) return
      if (name === 'w:t') collecting = false
      else if (name === 'w:r') hidden.pop()
      else if (name === 'w:p') {
        flush()
        paragraph = outer.pop() ?? { text: '', level: 0, list: 0 }
      } else if (name === 'w:tr' && tables === 1) closers.pop()?.()
      else if (name === 'w:tbl') {
        tables -= 1
        if (tables > 0) return
        closers.pop()?.()
        builder.breakBefore(2)
      }
    },
  }
}

async function readXml(input: LoaderInput, xml: string, handler: Partial<Handler>): Promise<void> {
  const { Parser } = await import('htmlparser2')
  let depth = 0
  const guarded: Partial<Handler> = {
    ...handler,
    onopentag(name, attributes, implied) {
      depth += 1
      if (depth > MAX_DEPTH) {
        throw new GroundlineError('LIMIT_EXCEEDED', `${JSON.stringify(input.id)} nests XML deeper than ${MAX_DEPTH}`, {
          details: { id: input.id, limit: 'depth', expected: MAX_DEPTH },
        })
      }
      handler.onopentag?.(name, attributes, implied)
    },
    onclosetag(name, implied) {
      depth -= 1
      handler.onclosetag?.(name, implied)
    },
  }
  const parser = new Parser(guarded, { xmlMode: true, decodeEntities: true })
  parser.write(xml)
  parser.end()
}

function unsupported(input: LoaderInput, problem: string): GroundlineError {
  return new GroundlineError(
    'UNSUPPORTED_FORMAT',
    `${JSON.stringify(input.id)} ${problem}; it is not a Word document`,
    {
      details: { id: input.id },
    },
  )
}

import type { Handler } from 'htmlparser2'
import { GroundlineError } from '../errors.ts'
import { lineStarts } from '../internal/line-starts.ts'
import { decodeText, fatalDecoder, markedEncoding, requireLimits, type TextLoaderOptions } from './decode.ts'
import type { Loader, LoaderInput } from './loader.ts'
import { makeDocument, requireInput } from './make-document.ts'
import { TextBuilder } from './text-builder.ts'

/** Options of {@link htmlLoader}. */
export interface HtmlLoaderOptions extends TextLoaderOptions {
  /** The deepest nesting of elements. Default 1,000. */
  readonly maxDepth?: number
}

/** Units parsed between two looks at the signal. */
const STEP = 262_144
const blocks =
  'address article aside blockquote body dd details dialog div dl dt fieldset figcaption figure footer form header hr html legend main menu nav ol p search section summary ul caption'
const skipped = 'script style template noscript iframe object canvas audio video svg math head select datalist'

/**
 * Reads HTML: what a reader would see, without scripts, comments and hidden elements. Headings, lists, tables, rows and
 * preformatted code become the outline; every span maps back to the source. Throws `LIMIT_EXCEEDED` for elements nested
 * deeper than `maxDepth`.
 *
 * @example
 * ```ts
 * const document = await htmlLoader().load({ id: 'page.html', content: '<h1>Hello</h1><p>World' })
 * document.text // 'Hello\n\nWorld'
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function htmlLoader(options: HtmlLoaderOptions = {}): Loader {
  const { maxDepth = 1000, maxBytes } = options
  requireLimits({ maxDepth, maxBytes })
  return {
    id: 'html',
    extensions: ['.html', '.htm', '.xhtml'],
    async load(input, { signal } = {}) {
      requireInput(input, signal)
      const original = decodeText(input, { ...options, encoding: options.encoding ?? declaredEncoding(input) })
      const { Parser } = await import('htmlparser2')
      const reader = new HtmlReader(input.id, maxDepth)
      const parser = new Parser(reader.handler, { decodeEntities: true })
      reader.position = () => [parser.startIndex, parser.endIndex + 1]
      for (let at = 0; at < original.length; at += STEP) {
        signal?.throwIfAborted()
        parser.write(original.slice(at, at + STEP))
      }
      parser.end()
      const { builder, title, language } = reader
      return makeDocument(input, {
        text: builder.text,
        title: title.replace(/\s+/g, ' ').trim() || builder.marks.find(({ kind }) => kind === 'heading')?.label,
        metadata: language === undefined ? undefined : { language },
        outline: builder.marks,
        sourceMap: { pieces: builder.pieces, lineStarts: lineStarts(original) },
      })
    },
  }
}

class HtmlReader {
  readonly builder: TextBuilder = new TextBuilder()
  title = ''
  language: string | undefined
  position: () => [start: number, end: number] = () => [0, 0]
  /** Elements that are open, each with what to do when it closes. */
  private readonly open: { readonly name: string; readonly close?: () => void }[] = []
  private hiddenDepth = 0
  private preDepth = 0
  private lists = 0
  private inTitle = false
  private readonly blocks = new Set(blocks.split(' '))
  private readonly skipped = new Set(skipped.split(' '))
  private readonly id: string
  private readonly maxDepth: number

  constructor(id: string, maxDepth: number) {
    this.id = id
    this.maxDepth = maxDepth
  }

  get handler(): Partial<Handler> {
    return {
      onopentag: (name, attributes) => this.enter(name, attributes),
      onclosetag: () => this.leave(),
      ontext: (data) => this.read(data),
    }
  }

  private read(data: string): void {
    if (this.inTitle) this.title += data
    if (this.hiddenDepth > 0) return
    const [start, end] = this.position()
    if (this.preDepth > 0) this.builder.append(data, start, end)
    else this.builder.appendCollapsed(data, start, end, end - start === data.length)
  }

  private enter(name: string, attributes: Record<string, string>): void {
    if (this.open.length >= this.maxDepth) {
      throw new GroundlineError(
        'LIMIT_EXCEEDED',
        `${JSON.stringify(this.id)} nests elements deeper than maxDepth (${this.maxDepth}); raise maxDepth if that is meant`,
        { details: { id: this.id, limit: 'maxDepth', expected: this.maxDepth } },
      )
    }
    if (name === 'html' && attributes.lang !== undefined) this.language ??= attributes.lang
    const hides = this.skipped.has(name) || isHidden(attributes)
    const inTitle = name === 'title' && this.title === ''
    const close = this.closer(name, attributes, hides, inTitle)
    if (inTitle) this.inTitle = true
    this.open.push(close === undefined ? { name } : { name, close })
  }

  private leave(): void {
    this.open.pop()?.close?.()
  }

  private closer(
    name: string,
    attributes: Record<string, string>,
    hides: boolean,
    inTitle: boolean,
  ): (() => void) | undefined {
    const { builder } = this
    if (hides || inTitle) {
      this.hiddenDepth += 1
      return () => {
        this.hiddenDepth -= 1
        if (inTitle) this.inTitle = false
      }
    }
    if (this.hiddenDepth > 0) return undefined
    const [start] = this.position()
    const heading = /^h([1-6])$/.exec(name)
    if (name === 'br') builder.append('\n', start, this.position()[1])
    else if (heading !== null) {
      builder.breakBefore(2)
      const close = builder.open({ kind: 'heading', level: Number(heading[1]) }, start)
      const from = builder.length
      return () => {
        close(builder.since(from).replace(/\s+/g, ' ').trim().slice(0, 400).toWellFormed())
        builder.breakBefore(2)
      }
    } else if (name === 'ul' || name === 'ol') {
      this.lists += 1
      builder.breakBefore(this.lists > 1 ? 1 : 2)
      return () => {
        this.lists -= 1
        builder.breakBefore(this.lists > 0 ? 1 : 2)
      }
    } else if (name === 'li') return this.marked({ kind: 'list', level: Math.max(1, this.lists) }, start, 1)
    else if (name === 'pre') {
      this.preDepth += 1
      const close = this.marked({ kind: 'code', ...languageOf(attributes) }, start, 2)
      return () => {
        this.preDepth -= 1
        close()
      }
    } else if (name === 'table') return this.marked({ kind: 'table' }, start, 2)
    else if (name === 'tr') return this.marked({ kind: 'row' }, start, 1)
    else if (name === 'td' || name === 'th') {
      if (!builder.endsBlank) builder.append('\t', start, start)
    } else if (this.blocks.has(name)) {
      builder.breakBefore(2)
      return () => builder.breakBefore(2)
    } else if (name === 'img' && attributes.alt !== undefined && attributes.alt.trim() !== '')
      builder.appendCollapsed(attributes.alt, start, this.position()[1], false)
    return undefined
  }

  private marked(mark: Parameters<TextBuilder['open']>[0], start: number, lines: number): () => void {
    this.builder.breakBefore(lines)
    const close = this.builder.open(mark, start)
    return () => {
      close()
      this.builder.breakBefore(lines)
    }
  }
}

function isHidden(attributes: Record<string, string>): boolean {
  if (attributes.hidden !== undefined || attributes['aria-hidden'] === 'true') return true
  return /(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden)/i.test(attributes.style?.slice(0, 500) ?? '')
}

function languageOf({ class: names = '' }: Record<string, string>): { label?: string } {
  const label = /(?:^|\s)(?:language|lang)-(\S{1,40})/.exec(names.slice(0, 500))?.[1]
  return label === undefined ? {} : { label }
}

/** The encoding that a `<meta charset>` in the first kilobyte names, when nothing stronger does. */
function declaredEncoding({ content, id }: LoaderInput): string {
  if (typeof content === 'string' || markedEncoding(content) !== undefined) return 'utf-8'
  const head = new TextDecoder('latin1').decode(content.subarray(0, 1024))
  const label = /<meta[^>]{0,200}charset\s*=\s*["']?([\w:.-]{2,40})/i.exec(head)?.[1] ?? 'utf-8'
  // A page that says so in ASCII is not UTF-16, whatever it says.
  if (/^utf-?16/i.test(label)) return 'utf-8'
  // The standard reads it so (HTML, 13.2.3.2); runtimes differ in what they make of the label.
  if (/^x-user-defined$/i.test(label)) return 'windows-1252'
  try {
    return fatalDecoder(label).encoding
  } catch (cause) {
    throw new GroundlineError(
      'UNSUPPORTED_FORMAT',
      `${JSON.stringify(id)} says that its encoding is ${JSON.stringify(label)}, which is not known; pass encoding`,
      { cause, details: { id, encoding: label } },
    )
  }
}

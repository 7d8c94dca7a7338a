import { describe, expect, test } from 'vitest'
import {
  codeLoader,
  csvLoader,
  docxLoader,
  htmlLoader,
  jsonLoader,
  type Loader,
  loaderFor,
  markdownLoader,
  pdfLoader,
  sourceLocator,
  subtitleLoader,
  textLoader,
  toSource,
} from '../../src/loader/index.ts'
import { loaderConformance } from '../../src/testing/loader-conformance.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const failure = (loader: Loader, content: Uint8Array | string) =>
  loader.load({ id: 'file', content }).then(
    () => 'loaded',
    (error) => error.code,
  )

describe('textLoader', () => {
  for (const { name, run } of loaderConformance({
    create: textLoader,
    sample: { content: 'Hello there', contains: 'Hello' },
  }))
    test(name, run)
})

describe('markdownLoader', () => {
  const sample = { content: '---\ntags: [a]\n---\n# Title\n\nHello there', contains: 'Hello' }
  for (const { name, run } of loaderConformance({ create: markdownLoader, sample })) test(name, run)

  test('front matter becomes metadata, leaves the text, and spans map past it', async () => {
    const content =
      '---\r\ntitle: The "title"\r\ndate: 2024-05-01\r\ncount: 3\r\nnested: { a: [1, x] }\r\n---\r\n# Head\r\n\r\nBody text'
    const document = await markdownLoader().load({ id: 'a.md', content, metadata: { count: 4 } })
    expect(document.title).toBe('The "title"')
    expect(document.metadata).toEqual({ title: 'The "title"', date: '2024-05-01', count: 4, nested: { a: [1, 'x'] } })
    expect(document.text).toBe('# Head\r\n\r\nBody text')
    const start = document.text.indexOf('Body')
    const source = toSource(document, { start, end: start + 4 })
    expect(source).toMatchObject({ line: 9, column: 1, endLine: 9, endColumn: 5 })
    expect(content.slice(source.sourceStart, source.sourceEnd)).toBe('Body')
  })

  test('the outline marks headings, code, tables and list items', async () => {
    const content = '# A **b**\n\n- one\n- two\n\n```ts\nx\n```\n\n| a |\n|---|\n| 1 |\n'
    const { outline, title } = await markdownLoader().load({ id: 'a', content })
    expect(title).toBe('A b')
    expect(outline?.map(({ kind, label, level }) => [kind, label ?? level])).toEqual([
      ['heading', 'A b'],
      ['list', 1],
      ['list', 1],
      ['code', 'ts'],
      ['table', undefined],
    ])
  })

  test('broken front matter is refused, and a rule at the head of a file is not front matter', async () => {
    expect(await failure(markdownLoader(), '---\na: [1\n---\nText')).toBe('UNSUPPORTED_FORMAT')
    const { text, metadata } = await markdownLoader().load({ id: 'a', content: '---\nJust words\n---\nText' })
    expect([text, metadata]).toEqual(['---\nJust words\n---\nText', undefined])
  })

  test('aliases that multiply are refused', async () => {
    const levels = Array.from({ length: 9 }, (_, n) => `l${n + 1}: &l${n + 1} [${Array(9).fill(`*l${n}`).join(',')}]`)
    expect(await failure(markdownLoader(), `---\nl0: &l0 x\n${levels.join('\n')}\n---\n`)).toBe('UNSUPPORTED_FORMAT')
  })

  // Deeper than this the parser ended the process: "RegExpCompiler Allocation failed".
  test.each([
    ['lists in brackets', `a: ${'['.repeat(20_000)}${']'.repeat(20_000)}`],
    ['maps in braces', `a: ${'{a: '.repeat(10_000)}1${'}'.repeat(10_000)}`],
    ['lists in one line', `a:\n ${'- '.repeat(20_000)}1`],
    ['keys in one line', `${'? '.repeat(20_000)}1`],
    ['lines that go ever deeper', Array.from({ length: 300 }, (_, at) => `${' '.repeat(at)}a:`).join('\n')],
  ])('front matter that nests without end is refused with the limit: %s', async (_, yaml) => {
    await expect(markdownLoader().load({ id: 'a', content: `---\n${yaml}\n---\ntext` })).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
      details: { part: 'front matter', expected: 64 },
    })
  })

  test('front matter nested as people do is read', async () => {
    const yaml = `a:\n${Array.from({ length: 12 }, (_, at) => `${'  '.repeat(at + 1)}- b${at}:`).join('\n')}\nc: [[[1], "[[["], {d: "{"}]\ne: |\n  - [x\n`
    const { metadata } = await markdownLoader().load({ id: 'a', content: `---\n${yaml}---\ntext` })
    expect(metadata).toMatchObject({ c: [[[1], '[[['], { d: '{' }], e: '- [x\n' })
  })
})

test('a byte order mark decides the encoding and is not part of the text', async () => {
  const utf16 = Uint8Array.from([0xff, 0xfe, ...Array.from('Grüße', (c) => [c.charCodeAt(0), 0]).flat()])
  expect((await textLoader().load({ id: 'a', content: utf16 })).text).toBe('Grüße')
  expect((await textLoader().load({ id: 'a', content: bytes('\ufeffabc') })).text).toBe('abc')
  expect((await textLoader().load({ id: 'a', content: '\ufeffabc' })).text).toBe('abc')
})

test('bytes that are not text in the encoding are refused, with the encoding to pass', async () => {
  const latin = Uint8Array.of(0x47, 0x72, 0xfc, 0xdf, 0x65)
  expect(await failure(textLoader(), latin)).toBe('UNSUPPORTED_FORMAT')
  expect((await textLoader({ encoding: 'windows-1252' }).load({ id: 'a', content: latin })).text).toBe('Grüße')
  // The index of windows-1252, as the WHATWG standard gives it.
  const quoted = Uint8Array.of(0x80, 0x81, 0x84, 0x93, 0x94, 0x96, 0x99, 0x9f, 0xa0, 0xff)
  for (const encoding of ['windows-1252', 'latin1'])
    expect((await textLoader({ encoding }).load({ id: 'a', content: quoted })).text).toBe('€\x81„“”–™Ÿ\xa0ÿ')
  expect(await failure(textLoader({ encoding: 'klingon' }), latin)).toBe('INVALID_ARGUMENT')
  expect(await failure(textLoader(), Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0))).toBe('UNSUPPORTED_FORMAT')
  expect(await failure(textLoader(), Uint8Array.of(0xff, 0xfe, 0, 0))).toBe('UNSUPPORTED_FORMAT')
  const unmarked = Uint8Array.from(Array.from('plain text here', (c) => [c.charCodeAt(0), 0]).flat())
  await expect(textLoader().load({ id: 'a', content: unmarked })).rejects.toThrow("encoding: 'utf-16le'")
})

const utf16 = (text: string, bigEndian: boolean): Uint8Array =>
  Uint8Array.from(
    Array.from({ length: text.length }, (_, at) => text.charCodeAt(at)).flatMap((unit) =>
      bigEndian ? [unit >> 8, unit & 255] : [unit & 255, unit >> 8],
    ),
  )

test.each(['Grüße aus Köln, hello there', 'Привет', 'Привет, как дела сегодня?', 'مرحبا', '日本語の文章です。'])(
  'UTF-16 of %s is read with its mark or its name, and refused without',
  async (text) => {
    for (const bigEndian of [false, true]) {
      const content = utf16(text, bigEndian)
      const encoding = bigEndian ? 'utf-16be' : 'utf-16le'
      expect((await textLoader().load({ id: 'a', content: utf16(`\ufeff${text}`, bigEndian) })).text).toBe(text)
      expect((await textLoader({ encoding }).load({ id: 'a', content })).text).toBe(text)
      const refused = textLoader().load({ id: 'a', content })
      await expect(refused).rejects.toMatchObject({ code: 'UNSUPPORTED_FORMAT' })
      if (!text.startsWith('日')) await expect(refused).rejects.toThrow(`encoding: '${encoding}'`)
    }
  },
)

test('encodings that shift with ESC are refused with their name, and colours of a terminal are text', async () => {
  const japanese = bytes('\x1b$BF|K\\8l\x1b(B')
  await expect(textLoader().load({ id: 'a', content: japanese })).rejects.toThrow("encoding: 'iso-2022-jp'")
  expect((await textLoader({ encoding: 'iso-2022-jp' }).load({ id: 'a', content: japanese })).text).toBe('日本語')
  expect(await failure(textLoader(), bytes(`${' '.repeat(70_000)}\x1b$(D0!`))).toBe('UNSUPPORTED_FORMAT')
  expect(await failure(textLoader(), bytes('\x1b$)C\x0eGQ1[\x0f'))).toBe('UNSUPPORTED_FORMAT')
  expect(await failure(textLoader(), bytes('\x1b$)A\x0eVPND\x0f'))).toBe('UNSUPPORTED_FORMAT')
  expect(await failure(textLoader(), bytes('\x1b[31mred\x1b(B\x1b[m $B'))).toBe('loaded')
})

test.each([
  ['maxBytes', textLoader],
  ['maxBytes', markdownLoader],
  ['maxBytes', codeLoader],
  ['maxBytes', csvLoader],
  ['maxBytes', jsonLoader],
  ['maxBytes', subtitleLoader],
  ['maxBytes', htmlLoader],
  ['maxDepth', htmlLoader],
  ['maxBytes', docxLoader],
  ['maxExpandedBytes', docxLoader],
  ['maxBytes', (options: object) => pdfLoader({ extract: async () => ({ pages: [] }), ...options })],
])('a limit that is none is refused by name: %s of %o', (argument, create) => {
  for (const limit of [Number.NaN, -1, '5', null])
    expect(() => create({ [argument]: limit } as object)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', details: expect.objectContaining({ argument }) }),
    )
  expect(() => create({ [argument]: Number.POSITIVE_INFINITY } as object)).not.toThrow()
})

test('a file over the limit is refused before it is decoded', async () => {
  expect(await failure(textLoader(), new Uint8Array(50_000_000))).toBe('LIMIT_EXCEEDED')
  expect(await failure(textLoader({ maxBytes: 3 }), 'four')).toBe('LIMIT_EXCEEDED')
  expect(await failure(textLoader({ maxBytes: 4 }), 'four')).toBe('loaded')
})

test.runIf(process.env.GROUNDLINE_NIGHTLY)('a file that no string can hold is refused as too long', async () => {
  const content = new Uint8Array(536_870_900).fill(97)
  expect(await failure(textLoader({ maxBytes: 1e9 }), content)).toBe('LIMIT_EXCEEDED')
})

test('lines and columns count from 1 and know every kind of line end', () => {
  const text = 'a\nbb\r\nccc\rdddd'
  const locate = sourceLocator({ id: 'a', text })
  expect(locate({ start: 2, end: 4 })).toMatchObject({ line: 2, column: 1, endLine: 2, endColumn: 3 })
  expect(locate({ start: text.indexOf('ccc'), end: text.length })).toMatchObject({
    line: 3,
    column: 1,
    endLine: 4,
    endColumn: 5,
  })
  expect(() => locate({ start: 0, end: text.length + 1 })).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
  )
})

test('pages and times come from the marks that a span touches', () => {
  const outline = [
    { kind: 'page', start: 0, end: 5, page: 1 },
    { kind: 'page', start: 5, end: 10, page: 2 },
    { kind: 'cue', start: 0, end: 4, startTime: 1.5, endTime: 2 },
    { kind: 'cue', start: 6, end: 10, startTime: 3, endTime: 4.25 },
  ] as const
  const document = { id: 'a', text: '0123456789', outline }
  expect(toSource(document, { start: 0, end: 5 })).toMatchObject({ page: 1, endPage: 1, startTime: 1.5, endTime: 2 })
  expect(toSource(document, { start: 4, end: 7 })).toMatchObject({ page: 1, endPage: 2, startTime: 3, endTime: 4.25 })
})

test('loaderFor goes by media type, then by extension', () => {
  const loaders = [markdownLoader(), textLoader()]
  expect(loaderFor({ id: 'docs/README.MD' }, loaders)?.id).toBe('markdown')
  expect(loaderFor({ id: 'x', uri: 'https://example.com/a.txt?v=1.md' }, loaders)?.id).toBe('text')
  expect(loaderFor({ id: 'x.txt', mediaType: 'text/markdown; charset=utf-8' }, loaders)?.id).toBe('markdown')
  expect(loaderFor({ id: 'archive.zip' }, loaders)).toBeUndefined()
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { characterCounter, htmlChunker } from '../../src/chunker/index.ts'
import { htmlLoader, sourceLocator, toSource } from '../../src/loader/index.ts'
import { loaderConformance } from '../../src/testing/loader-conformance.ts'

const page = `<!doctype html>
<html lang="en"><head><title>Keys &amp; locks</title><style>p { color: red }</style></head>
<body><nav aria-hidden="true">Menu</nav>
<h1>Rotating   <b>keys</b></h1>
<!-- a comment -->
<p>Run the tool &mdash; every
   day.<script>alert(1)</script></p>
<ul><li>first<li>second <ul><li>deep</ul></ul>
<pre class="language-sh">npm run rotate
  --now</pre>
<h2>Table</h2>
<table><tr><th>Name<th>Age<tr><td>Ann<td>3</table>
<p style="display: none">secret</p><p hidden>gone</p>
<p>The end.</body></html>`

describe('htmlLoader', () => {
  for (const { name, run } of loaderConformance({
    create: htmlLoader,
    sample: { content: page, contains: 'Run the tool' },
  }))
    test(name, run)
})

test('the text is what a reader sees, with blocks, lists, cells and code laid out', async () => {
  const { text, title, metadata } = await htmlLoader().load({ id: 'page', content: page })
  expect(text).toBe(
    'Rotating keys\n\nRun the tool — every day.\n\nfirst\nsecond \ndeep\n\nnpm run rotate\n  --now\n\nTable\n\nName\tAge\nAnn\t3\n\nThe end.',
  )
  expect([title, metadata]).toEqual(['Keys & locks', { language: 'en' }])
})

test('the outline marks headings, list items, code, tables and rows', async () => {
  const { text, outline } = await htmlLoader().load({ id: 'page', content: page })
  expect(outline!.map(({ kind, level, label, start, end }) => [kind, level ?? label, text.slice(start, end)])).toEqual([
    ['heading', 1, 'Rotating keys'],
    ['list', 1, 'first'],
    ['list', 1, 'second \ndeep'],
    ['list', 2, 'deep'],
    ['code', 'sh', 'npm run rotate\n  --now'],
    ['heading', 2, 'Table'],
    ['table', undefined, 'Name\tAge\nAnn\t3'],
    ['row', undefined, 'Name\tAge'],
    ['row', undefined, 'Ann\t3'],
  ])
})

test('every word maps back to the same word in the source', async () => {
  const document = await htmlLoader().load({ id: 'page', content: page })
  const locate = sourceLocator(document)
  for (const { 0: word, index } of document.text.matchAll(/[\w.-]+/g)) {
    const { sourceStart, sourceEnd } = locate({ start: index, end: index + word.length })
    expect(page.slice(sourceStart, sourceEnd)).toBe(word)
  }
  const chunk = [...htmlChunker({ maxTokens: 60, counter: characterCounter() }).chunk(document)].at(-1)!
  expect(toSource(document, chunk)).toMatchObject({ endLine: 14 })
  expect(chunk.headingPath).toEqual(['Rotating keys', 'Table'])
})

test('random markup never throws anything but its own errors, and the map has no gaps', async () => {
  const piece = fc.constantFrom(
    '<p>',
    '</p>',
    '<b>',
    '<li>',
    '<ul>',
    '</ul>',
    '<pre>',
    '</pre>',
    '<table><tr><td>',
    '&amp;',
    '&#x1F600;',
    '&',
    '<',
    '>',
    '<!--',
    '-->',
    '<br>',
    'text  here',
    ' ',
    '\r\n',
    '<h2>',
    '</h2>',
    '<title>',
    '👩‍👩‍👧',
    '<script>',
    '</script>',
  )
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 40 }), async (pieces) => {
      const { text, sourceMap, outline = [] } = await htmlLoader().load({ id: 'x', content: pieces.join('') })
      let end = 0
      for (const each of sourceMap!.pieces) {
        expect(each.start).toBe(end)
        expect(each.sourceEnd).toBeGreaterThanOrEqual(each.sourceStart)
        end = each.end
      }
      expect(end).toBe(text.length)
      for (const mark of outline) expect(mark.start <= mark.end && mark.end <= text.length).toBe(true)
    }),
    { numRuns: 300, seed: 5 },
  )
})

test.each(['<div>', '<b>', '<ul><li>', '<table><tr><td>'])('100,000 × %s stops at the depth limit', async (tag) => {
  await expect(htmlLoader().load({ id: 'deep', content: tag.repeat(100_000) })).rejects.toMatchObject({
    code: 'LIMIT_EXCEEDED',
    details: { limit: 'maxDepth', expected: 1000 },
  })
})

test('a page that declares x-user-defined is read as windows-1252, on every runtime', async () => {
  const content = Buffer.from('<meta charset="x-user-defined"><p>\x93Hello\x94', 'latin1')
  expect((await htmlLoader().load({ id: 'a', content })).text).toBe('“Hello”')
})

test.each(['nope', 'iso-2022-kr'])(
  'a page that declares %s, which is not known, is refused as a page',
  async (charset) => {
    const head = `<meta charset="${charset}"><p>Hello`
    const load = (content: string) => htmlLoader().load({ id: 'a', content: new TextEncoder().encode(content) })
    await expect(load(head)).rejects.toMatchObject({ code: 'UNSUPPORTED_FORMAT', details: { encoding: charset } })
    expect((await load(`\ufeff${head}`)).text).toBe('Hello')
  },
)

test('a declared charset is followed', async () => {
  const head = '<meta charset="windows-1252"><p>Gr'
  const content = Uint8Array.from([...new TextEncoder().encode(head), 0xfc, 0xdf, 0x65])
  expect((await htmlLoader().load({ id: 'x', content })).text).toBe('Grüße')
})

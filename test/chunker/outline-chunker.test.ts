import fc from 'fast-check'
import { expect, test } from 'vitest'
import { characterCounter, chunkNotes, htmlChunker, outlineChunker } from '../../src/chunker/index.ts'
import type { Document, MarkKind } from '../../src/index.ts'
import { htmlLoader } from '../../src/loader/index.ts'
import { hostileText } from './hostile-text.ts'
import { describeLaws } from './laws.ts'

const kinds: MarkKind[] = ['heading', 'page', 'cue', 'code', 'table', 'list', 'row', 'record', 'block']
const marked: fc.Arbitrary<Document> = hostileText.chain((text) =>
  fc
    .array(
      fc.record({
        kind: fc.constantFrom(...kinds),
        start: fc.nat(text.length + 2),
        length: fc.nat(80),
        level: fc.integer({ min: 1, max: 7 }),
      }),
      { maxLength: 12 },
    )
    .map((marks) => ({
      id: 'doc',
      text,
      outline: marks.map(({ kind, start, length, level }) => ({
        kind,
        start,
        end: start + length,
        level,
        label: `${kind} ${start}`,
      })),
    })),
)

describeLaws('outlineChunker on any marks at all', outlineChunker, { documents: marked })

const tags = 'h1 h2 p ul li table tr td pre code div span blockquote br b script'.split(' ')
const html: fc.Arbitrary<Document> = fc
  .array(fc.tuple(fc.constantFrom(...tags), fc.constantFrom('<', '</'), hostileText), { maxLength: 8 })
  .map((parts) => ({ id: 'doc', text: parts.map(([tag, open, text]) => `${open}${tag}>${text}`).join('') }))
describeLaws('htmlChunker on what htmlLoader leaves of any HTML', htmlChunker, {
  documents: html,
  load: ({ id, text }) => htmlLoader().load({ id, content: text }),
})

test('chunks follow headings, carry pages, and parts of a table carry its header', () => {
  const rows = ['Name\tValue\n', ...Array.from({ length: 12 }, (_, n) => `row ${n}\tvalue ${n}\n`)]
  const head = 'Title\n\nIntroduction of some length.\n\n'
  const text = head + rows.join('') + 'Next\n\nThe end of it.'
  let at = head.length
  const table = { kind: 'table' as const, start: at, end: at + rows.join('').length }
  const rowMarks = rows.map((row) => {
    const start = at
    at += row.length
    return { kind: 'row' as const, start, end: at }
  })
  const outline = [
    { kind: 'heading' as const, start: 0, end: 6, level: 1, label: 'Title' },
    { kind: 'page' as const, start: 0, end: table.end, page: 1 },
    table,
    ...rowMarks,
    { kind: 'heading' as const, start: table.end, end: table.end + 5, level: 2, label: 'Next' },
    { kind: 'page' as const, start: table.end, end: text.length, page: 2 },
  ]
  const chunks = [...outlineChunker({ maxTokens: 70, counter: characterCounter() }).chunk({ id: 'd', text, outline })]
  expect(chunks.at(-1)).toMatchObject({ headingPath: ['Title', 'Next'], metadata: { chunk: { page: 2 } } })
  const parts = chunks.filter((chunk) => chunk.text.startsWith('row'))
  expect(parts.length).toBeGreaterThan(1)
  for (const part of parts) expect(chunkNotes(part).tableHeader).toBe('Name\tValue')
})

test.each([
  ['a caption', '<table><caption>Cap</caption>', ''],
  ['a table in a cell of it', '<table>', '<table><tr><td>in one</td></tr><tr><td>in two</td></tr></table>'],
])('rows of a table with %s carry its first row', async (_, begin, cell) => {
  const row = (n: number) => `<tr><td>row ${n}</td><td>value ${n} ${n === 3 ? cell : ''}</td></tr>`
  const content = `${begin}<tr><th>Name</th><th>Value</th></tr>${Array.from({ length: 12 }, (_, n) => row(n)).join('')}</table><h2>Behind</h2><p>it.`
  const document = await htmlLoader().load({ id: 'd', content })
  const chunks = [...htmlChunker({ maxTokens: 40, counter: characterCounter() }).chunk(document)]
  const parts = chunks.filter(({ text }) => text.startsWith('row'))
  expect(parts.length).toBeGreaterThan(3)
  for (const part of parts) expect(chunkNotes(part).tableHeader).toBe('Name\tValue')
  const inner = chunks.filter(({ text }) => text.startsWith('in two'))
  for (const part of inner) expect(chunkNotes(part).tableHeader).toBe('in one')
  expect(chunkNotes(chunks.at(-1)!).tableHeader).toBeUndefined()
})

import { strToU8, zipSync } from 'fflate'
import { describe, expect, test } from 'vitest'
import { characterCounter, outlineChunker } from '../../src/chunker/index.ts'
import { docxLoader, toSource } from '../../src/loader/index.ts'
import { loaderConformance } from '../../src/testing/loader-conformance.ts'

const paragraph = (text: string, properties = '') =>
  `<w:p><w:pPr>${properties}</w:pPr><w:r><w:t xml:space="preserve">${text}</w:t></w:r></w:p>`
const docx = (body: string) =>
  zipSync({
    '[Content_Types].xml': strToU8('<Types/>'),
    'word/styles.xml': strToU8(
      '<w:styles><w:style w:styleId="berschrift1"><w:name w:val="heading 1"/></w:style></w:styles>',
    ),
    'docProps/core.xml': strToU8('<cp:coreProperties><dc:title>The report</dc:title></cp:coreProperties>'),
    'word/document.xml': strToU8(`<w:document><w:body>${body}</w:body></w:document>`),
  })

const report = docx(
  [
    paragraph('Results', '<w:pStyle w:val="berschrift1"/>'),
    paragraph('Profit rose &amp; costs fell.'),
    paragraph('first', '<w:numPr><w:ilvl w:val="0"/></w:numPr>'),
    paragraph('second', '<w:numPr><w:ilvl w:val="0"/></w:numPr>'),
    `<w:tbl><w:tr><w:tc>${paragraph('Year')}</w:tc><w:tc>${paragraph('Profit')}</w:tc></w:tr><w:tr><w:tc>${paragraph('2024')}</w:tc><w:tc>${paragraph('3')}</w:tc></w:tr></w:tbl>`,
    '<w:p><w:del><w:r><w:delText>deleted</w:delText></w:r></w:del><w:r><w:instrText>PAGE</w:instrText><w:t>The</w:t><w:t> end</w:t></w:r></w:p>',
  ].join(''),
)

describe('docxLoader', () => {
  for (const { name, run } of loaderConformance({
    create: docxLoader,
    sample: { content: report, contains: 'Profit rose' },
  }))
    test(name, run)
})

test('paragraphs, headings, lists and tables are laid out; deleted text and fields are left out', async () => {
  const document = await docxLoader().load({ id: 'r.docx', content: report })
  expect(document.text).toBe(
    'Results\n\nProfit rose & costs fell.\n\nfirst\nsecond\n\nYear\tProfit\n2024\t3\n\nThe end',
  )
  expect(document.title).toBe('The report')
  expect(
    document.outline?.map(({ kind, label, start, end }) => [kind, label ?? document.text.slice(start, end)]),
  ).toEqual([
    ['heading', 'Results'],
    ['list', 'first'],
    ['list', 'second'],
    ['table', 'Year\tProfit\n2024\t3'],
    ['row', 'Year\tProfit'],
    ['row', '2024\t3'],
  ])
  const [chunk] = outlineChunker({ maxTokens: 40, counter: characterCounter() }).chunk(document)
  expect(chunk!.headingPath).toEqual(['Results'])
  expect(toSource(document, chunk!)).toEqual({})
})

const textOf = async (body: string | Uint8Array) =>
  (await docxLoader().load({ id: 'd.docx', content: typeof body === 'string' ? docx(body) : body })).text
const run = (text: string, properties = '') =>
  `<w:r><w:rPr>${properties}</w:rPr><w:t xml:space="preserve">${text}</w:t></w:r>`

test('a paragraph around a text box keeps its words, and the box is read once', async () => {
  const box = `${paragraph('Box one')}${paragraph('Box two')}`
  const drawing = `<w:r><mc:AlternateContent><mc:Choice><w:txbxContent>${box}</w:txbxContent></mc:Choice><mc:Fallback><w:txbxContent>${box}</w:txbxContent></mc:Fallback></mc:AlternateContent></w:r>`
  expect(await textOf(`<w:p>${run('before ')}${drawing}${run('after')}</w:p>${paragraph('next')}`)).toBe(
    'Box one\n\nBox two\n\nbefore after\n\nnext',
  )
})

test('moved text stands where it went, hidden text is left out, hyphens that hold words together stay', async () => {
  const moved = `<w:p><w:moveFrom>${run('moved')}</w:moveFrom>${run('here')}</w:p><w:p><w:moveTo>${run('moved')}</w:moveTo></w:p>`
  expect(await textOf(moved)).toBe('here\n\nmoved')
  const shown = `${run('secret', '<w:vanish/>')}${run('seen', '<w:vanish w:val="0"/>')}${run(' too')}`
  expect(await textOf(`<w:p><w:pPr><w:rPr><w:vanish/></w:rPr></w:pPr>${shown}</w:p>`)).toBe('seen too')
  expect(await textOf('<w:p><w:r><w:t>well</w:t><w:noBreakHyphen/><w:t>known</w:t></w:r></w:p>')).toBe(
    'well\u2011known',
  )
})

test('a part in UTF-16 is read by its mark, and one in neither encoding is refused', async () => {
  const xml = `<w:document><w:body>${paragraph('Grüße')}</w:body></w:document>`
  const utf16 = new Uint8Array(Buffer.from(`\ufeff${xml}`, 'utf16le'))
  expect(await textOf(zipSync({ 'word/document.xml': utf16 }))).toBe('Grüße')
  const latin = new Uint8Array(Buffer.from(xml, 'latin1'))
  await expect(textOf(zipSync({ 'word/document.xml': latin }))).rejects.toMatchObject({ code: 'UNSUPPORTED_FORMAT' })
})

test('a zip bomb stops at the limit', async () => {
  const bomb = docx(paragraph('0'.repeat(30_000_000)))
  expect(bomb.length).toBeLessThan(100_000)
  await expect(docxLoader({ maxExpandedBytes: 1_000_000 }).load({ id: 'b', content: bomb })).rejects.toMatchObject({
    code: 'LIMIT_EXCEEDED',
    details: { limit: 'maxExpandedBytes' },
  })
})

test('damaged archives and archives of something else are refused', async () => {
  const load = (content: Uint8Array) => docxLoader().load({ id: 'x', content })
  await expect(load(zipSync({ 'a.txt': strToU8('x') }))).rejects.toMatchObject({ code: 'UNSUPPORTED_FORMAT' })
  const damaged = report.slice()
  damaged.fill(0xff, 60, 400)
  await expect(load(damaged)).rejects.toMatchObject({ code: 'UNSUPPORTED_FORMAT' })
  await expect(load(docx('<w:p>'.repeat(5000)))).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Document } from '../../src/index.ts'
import {
  codeLoader,
  csvLoader,
  htmlLoader,
  jsonLoader,
  type Loader,
  markdownLoader,
  pdfLoader,
  sourceLocator,
  subtitleLoader,
  textLoader,
  toSource,
} from '../../src/loader/index.ts'
import { pdfExtractor } from '../../src/node/pdf-extractor.ts'
import { page, pdf } from './pdf-file.ts'

const nightly = process.env.GROUNDLINE_NIGHTLY !== undefined
const numRuns = nightly ? 10_000 : 100
const timeout = nightly ? 3_600_000 : 60_000
const seed = 20_261_125

/** Files made of pieces. Each `¤` becomes a word of its own, so that a word tells where it must have come from. */
const file = (pieces: readonly string[], before = '', after = ''): fc.Arbitrary<string> =>
  fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 30 }).map((drawn) => {
    let count = 0
    return `${before}${drawn.join('')}${after}`.replace(/¤/g, () => `w${count++}w`)
  })
const plain = ['¤', ' ', '\n', '\r\n', '\r', '\t¤ ¤', '👩‍👩‍👧 ', 'é¤ü', '日本 ', '\n\n', '"¤, ¤"']

/** The word, where the file says it stands, and the line and column there, counted in another way. */
function expectWords(content: string, document: Document): void {
  const locate = sourceLocator(document)
  for (const { 0: word, index } of document.text.matchAll(/w\d+w/g)) {
    const found = locate({ start: index, end: index + word.length })
    expect(content.slice(found.sourceStart, found.sourceEnd)).toBe(word)
    const lines = content.slice(0, found.sourceStart).split(/\r\n|\r|\n/)
    expect([found.line, found.column]).toEqual([lines.length, lines.at(-1)!.length + 1])
    expect([found.endLine, found.endColumn]).toEqual([lines.length, lines.at(-1)!.length + 1 + word.length])
  }
}

const json = fc
  .json({ maxDepth: 3 })
  .chain((text) =>
    fc.constantFrom(0, 2).map((space) => JSON.stringify({ a: 'w1w', b: JSON.parse(text), c: ['w2w'] }, null, space)),
  )
const html = file(
  [
    ...plain,
    '<p>',
    '</p>',
    '<b>¤</b>',
    '<li>',
    '<ul>',
    '</ul>',
    '<pre> ¤\r\n  ¤',
    '</pre>',
    '<table><tr><td>¤<td>¤',
    '</table>',
    '&amp;',
    '&#x1F600;¤',
    '<!-- ¤ -->',
    '<br>',
    '<h2>¤</h2>',
    '<script>¤</script>',
    '<p hidden>¤</p>',
  ],
  '<!doctype html>\r\n<title>¤</title>',
)
const files: readonly (readonly [string, Loader, fc.Arbitrary<string>])[] = [
  ['textLoader', textLoader(), file(plain)],
  ['codeLoader', codeLoader(), file(plain)],
  ['markdownLoader', markdownLoader(), file([...plain, '# ¤\n', '- ¤\n', '```\n¤\n```\n', '> ¤\n'])],
  [
    'markdownLoader after front matter',
    markdownLoader(),
    file([...plain, '# ¤\n'], '---\r\ntitle: "x"\ntags: [a]\r\n---\r\n'),
  ],
  ['htmlLoader', htmlLoader(), html],
  ['csvLoader', csvLoader(), file(['¤,¤\n', '"¤\r\n¤ ""¤""",¤\r\n', '¤\n', ',,¤\r'])],
  ['jsonLoader', jsonLoader(), json],
]

test.each(files)(
  '%s: every word is where toSource says, in line and column',
  { timeout },
  async (_, loader, contents) => {
    await fc.assert(
      fc.asyncProperty(contents, async (content) => {
        const document = await loader.load({ id: 'd', content: new TextEncoder().encode(content) })
        expectWords(content, document)
        // Any span at all lies within the file, and a larger one reaches as far at least.
        const whole = toSource(document, { start: 0, end: document.text.length })
        if (document.text !== '') expect(whole.sourceStart! >= 0 && whole.sourceEnd! <= content.length).toBe(true)
      }),
      { numRuns, seed },
    )
  },
)

const cues = fc.array(fc.tuple(fc.nat(5000), fc.constantFrom('¤ ¤', '<i>¤</i> &amp; ¤', '¤\n¤', '- ¤')), {
  minLength: 1,
  maxLength: 9,
})
const stamp = (ms: number, mark: string): string =>
  `00:00:${String(Math.floor(ms / 1000)).padStart(2, '0')}${mark}${String(ms % 1000).padStart(3, '0')}`

test.each(['srt', 'vtt'] as const)(
  'subtitleLoader, %s: every word has its place and the exact times of its cue',
  { timeout },
  async (kind) => {
    await fc.assert(
      fc.asyncProperty(cues, fc.constantFrom('\n', '\r\n'), async (drawn, lineEnd) => {
        const mark = kind === 'srt' ? ',' : '.'
        let count = 0
        const times = new Map<string, [number, number]>()
        const written = drawn.map(([ms, words], index) => {
          const [start, end] = [ms, ms + 700 + index]
          const text = words.replace(/¤/g, () => {
            times.set(`w${count}w`, [start / 1000, end / 1000])
            return `w${count++}w`
          })
          return `${kind === 'srt' ? `${index + 1}\n` : ''}${stamp(start, mark)} --> ${stamp(end, mark)}\n${text}\n\n`
        })
        const content = `${kind === 'vtt' ? 'WEBVTT\n\n' : ''}${written.join('')}`.replaceAll('\n', lineEnd)
        const document = await subtitleLoader().load({ id: `d.${kind}`, content })
        expectWords(content, document)
        const words = [...document.text.matchAll(/w\d+w/g)]
        expect(words).toHaveLength(count)
        for (const { 0: word, index } of words) {
          const { startTime, endTime } = toSource(document, { start: index, end: index + word.length })
          expect([startTime, endTime]).toEqual(times.get(word))
        }
      }),
      { numRuns, seed },
    )
  },
)

const said = fc.array(fc.tuple(fc.nat(5000), fc.constantFrom('¤ ¤', ' ¤\t"¤" é', '\n¤ 👩‍👩‍👧 ¤ ', '\\¤\\', '')), {
  minLength: 1,
  maxLength: 9,
})

test.each(['segments', 'chunks', 'words'] as const)(
  'subtitleLoader, Whisper JSON with %s: every word has its place and the exact times of its cue',
  { timeout },
  async (list) => {
    await fc.assert(
      fc.asyncProperty(said, fc.constantFrom(0, 2), fc.boolean(), async (drawn, space, ascii) => {
        let count = 0
        const times: [number, number][] = []
        // Words farther apart than a second stay cues of their own.
        const items = drawn.map(([ms, words], index) => {
          const start = (list === 'words' ? index * 10_000 : ms) / 1000
          const end = start + 0.7
          const text = words.replace(/¤/g, () => `w${times.push([start, end]) - 1}w`)
          return list === 'chunks' ? { timestamp: [start, end], text } : { start, end, text }
        })
        let content = JSON.stringify({ [list]: items }, null, space)
        if (ascii)
          content = content.replace(/[^\x20-\x7e\n]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
        const document = await subtitleLoader().load({ id: 'd.json', content })
        expectWords(content, document)
        for (const { 0: word, index } of document.text.matchAll(/w\d+w/g)) {
          count += 1
          const { startTime, endTime } = toSource(document, { start: index, end: index + word.length })
          expect([startTime, endTime]).toEqual(times[Number(word.slice(1, -1))])
        }
        expect(count).toBe(times.length)
      }),
      { numRuns, seed },
    )
  },
)

// The worker is a built file, and each file starts one.
test('pdfLoader: every word is on its page', { timeout }, async () => {
  const workerUrl = new URL('../../dist/node/pdf-worker.js', import.meta.url)
  const loader = pdfLoader({ extract: pdfExtractor({ workerUrl }) })
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 8 }), async (counts) => {
      fc.pre(counts.some((count) => count > 0))
      const content = pdf(
        counts.map((count, at) =>
          page(Array.from({ length: count }, (_, n) => `(w${at + 1}w and w${at + 1}w ${n}) Tj T*`).join(' ')),
        ),
      )
      const document = await loader.load({ id: 'd.pdf', content })
      const words = [...document.text.matchAll(/w(\d+)w/g)]
      expect(words).toHaveLength(2 * counts.reduce((sum, count) => sum + count, 0))
      for (const { 0: word, 1: number, index } of words)
        expect(toSource(document, { start: index, end: index + word.length })).toEqual({
          page: Number(number),
          endPage: Number(number),
        })
    }),
    { numRuns: nightly ? 200 : 4, seed },
  )
})

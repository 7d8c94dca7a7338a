import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Chunker,
  characterCounter,
  codeChunker,
  htmlChunker,
  markdownChunker,
  outlineChunker,
} from '../../src/chunker/index.ts'
import type { Document } from '../../src/index.ts'
import { csvLoader, htmlLoader, markdownLoader } from '../../src/loader/index.ts'
import { o200kBase } from '../../src/tokenizer/o200k-base.ts'
import { everyChunker, type TestLimits } from './every-chunker.ts'
import { lawRuns, lawTimeout } from './hostile-text.ts'
import { chunksOf } from './laws.ts'

const word = fc.stringMatching(/^[a-zA-Z0-9.,!?]{1,9}$/)
const words = fc.array(word, { minLength: 1, maxLength: 12 }).map((each) => each.join(' '))
const path = fc.stringMatching(/^[a-zA-Z0-9./?=&%#:;,!_~+-]{0,60}$/)
const url = fc
  .tuple(fc.constantFrom('https://', 'http://', 'ftp://'), fc.domain(), path, fc.constantFrom(1, 1, 1, 12))
  .map(([scheme, host, rest, times]) => `${scheme}${host}/${rest.repeat(times)}x`)
const codeLine = fc.oneof(
  words,
  words.map((text) => `  const x = "${text}" // ${text}`),
  fc.constant(''),
  url,
)
const fence = fc
  .tuple(fc.array(codeLine, { minLength: 1, maxLength: 12 }), fc.constantFrom('js', '', 'c++ title="a b"'))
  .map(([lines, language]) => `\`\`\`${language}\n${lines.join('\n')}\n\`\`\``)
const table = fc
  .array(fc.tuple(words, words, fc.oneof(words, url)), { minLength: 1, maxLength: 10 })
  .map((rows) => `| a | b c | d |\n|---|:---:|--:|\n${rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}`)
const sentences = fc.array(fc.oneof({ weight: 4, arbitrary: words }, url), { minLength: 1, maxLength: 12 })
const block = fc.oneof(
  sentences.map((parts) => parts.join('. ')),
  sentences.map((parts) => parts.map((part) => `- ${part}`).join('\n')),
  words.map((text) => `## ${text}`),
  fence,
  fence.map((code) => `- item\n\n  ${code.replaceAll('\n', '\n  ')}`),
  fence.map((code) => `> ${code.replaceAll('\n', '\n> ')}`),
  table,
)
const markdown = fc.array(block, { minLength: 1, maxLength: 8 }).map((blocks) => `${blocks.join('\n\n')}\n`)
const limits: fc.Arbitrary<TestLimits> = fc.record({
  maxTokens: fc.integer({ min: 8, max: 400 }),
  counter: fc.constantFrom(characterCounter(), o200kBase()),
})

/** Cuts that part a stretch of the pattern, although the stretch is within the limit. */
async function parted(chunker: Chunker, document: Document, pattern: RegExp, { counter, maxTokens }: TestLimits) {
  const cuts = (await chunksOf(chunker, document)).map(({ end }) => end)
  return [...document.text.matchAll(pattern)].flatMap(({ 0: found, index }) =>
    counter.count(found) > maxTokens
      ? []
      : cuts
          .filter((cut) => cut > index && cut < index + found.trimEnd().length)
          .map((cut) => `${document.text.slice(index, cut)}¦${document.text.slice(cut, index + found.length)}`),
  )
}

describe.each(Object.keys(everyChunker))('%s', (name) => {
  // Cuts are after white space, so what is written around a URL belongs to it.
  test('cuts no URL that is within the limit', { timeout: lawTimeout }, async () => {
    await fc.assert(
      fc.asyncProperty(markdown, limits, async (text, drawn) => {
        const chunker = everyChunker[name]!(drawn)
        expect(await parted(chunker, { id: 'd', text }, /\S*(?:https?|ftp):\/\/\S*\s*/g, drawn)).toEqual([])
      }),
      { numRuns: lawRuns, seed: 20_261_125 },
    )
  })
})

/** A line with the blank ones behind it: the next place to cut is after them. */
const line = /[ \t]*\S[^\n]*(?:\n(?:[ \t]*\n)*)?/g
const asHtml = (text: string): string => {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  return escaped
    .replace(/^```[^\n]*\n([\s\S]*?)\n```$/gm, '<pre>$1</pre>')
    .replace(/^\|.*(?:\n\|.*)*/gm, (rows) => `<table>${rows.replace(/^\|(.*)\|$/gm, '<tr><td>$1</td></tr>')}</table>`)
}

test('markdownChunker cuts no line of code and no row of a table that is within the limit', {
  timeout: lawTimeout,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(fence, table, markdown), limits, async (text, drawn) => {
      const document = { id: 'd', text: `Before.\n\n${text}\n\nAfter.\n` }
      const { outline = [] } = await markdownLoader().load({ id: 'd', content: document.text })
      const blocks = outline.filter(({ kind }) => kind === 'code' || kind === 'table')
      const cuts = (await chunksOf(markdownChunker(drawn), document)).map((chunk) => chunk.end)
      for (const { 0: each, index } of document.text.matchAll(line)) {
        if (!blocks.some(({ start, end }) => start <= index && index < end)) continue
        if (drawn.counter.count(each) > drawn.maxTokens) continue
        expect(cuts.filter((cut) => cut > index && cut < index + each.trimEnd().length).map(() => each)).toEqual([])
      }
    }),
    { numRuns: lawRuns, seed: 20_261_125 },
  )
})

test.each([
  ['outlineChunker', outlineChunker],
  ['htmlChunker', htmlChunker],
] as const)(
  '%s cuts no line of code and no row of a table that is within the limit',
  {
    timeout: lawTimeout,
  },
  async (_, create) => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fence, table), limits, async (text, drawn) => {
        for (const document of [
          await htmlLoader().load({ id: 'd', content: `<p>Before.</p>${asHtml(text)}<p>After.</p>` }),
          await csvLoader().load({ id: 'd', content: text.replaceAll('"', '').replaceAll('| ', ',') }),
        ])
          expect(await parted(create(drawn), document, line, drawn)).toEqual([])
      }),
      { numRuns: lawRuns, seed: 20_261_125 },
    )
  },
)

test('codeChunker cuts no line that is within the limit', { timeout: lawTimeout }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(codeLine, { maxLength: 40 }), limits, async (lines, drawn) => {
      const document = { id: 'd', text: lines.join('\n') }
      for (const name of ['codeChunker by indentation', 'codeChunker by tree-sitter'])
        expect(await parted(everyChunker[name]!(drawn), document, line, drawn)).toEqual([])
      expect(codeChunker({ language: 'other', ...drawn }).id).toContain('code')
    }),
    { numRuns: lawRuns, seed: 20_261_125 },
  )
})

import { describe, expect, test } from 'vitest'
import { characterCounter, chunkNotes, outlineChunker } from '../../src/chunker/index.ts'
import { codeLoader, csvLoader, jsonLoader } from '../../src/loader/index.ts'
import { loaderConformance } from '../../src/testing/loader-conformance.ts'

describe.each([
  ['jsonLoader', jsonLoader, { content: '{"name": "Ann"}', contains: 'Ann' }],
  ['csvLoader', csvLoader, { content: 'name,age\nAnn,3\n', contains: 'Ann' }],
  ['codeLoader', codeLoader, { content: 'const ann = 3\n', contains: 'ann' }],
] as const)('%s', (_, create, sample) => {
  for (const { name, run } of loaderConformance({ create, sample })) test(name, run)
})

test('JSON records are marked with their pointers, JSON lines with their numbers', async () => {
  const { outline } = await jsonLoader().load({ id: 'a', content: '{"a/b": [1], "c": {}}' })
  expect(outline?.map(({ label }) => label)).toEqual(['/a~1b', '/c'])
  const lines = await jsonLoader().load({ id: 'a', content: '{"a":1}\n{"a":2}\n' })
  expect(lines.outline?.map(({ label, start, end }) => [label, lines.text.slice(start, end)])).toEqual([
    ['0', '{"a":1}'],
    ['1', '{"a":2}'],
  ])
})

test('broken JSON is refused with its line, and endless nesting with the limit', async () => {
  await expect(jsonLoader().load({ id: 'a', content: '{\n  "a": 1,\n  b\n}' })).rejects.toMatchObject({
    code: 'UNSUPPORTED_FORMAT',
    details: { line: 3 },
  })
  await expect(jsonLoader().load({ id: 'a', content: '['.repeat(100_000) })).rejects.toMatchObject({
    code: 'LIMIT_EXCEEDED',
  })
})

test('a string of megabytes is read, and one that never ends is refused', async () => {
  const long = `"${'a\\n'.repeat(4_000_000)}"`
  expect((await jsonLoader().load({ id: 'a', content: long })).text).toBe(long)
  await expect(jsonLoader().load({ id: 'a', content: long.slice(0, -1) })).rejects.toMatchObject({
    code: 'UNSUPPORTED_FORMAT',
  })
})

test('rows of CSV keep quoted line ends together, and parts carry the header row', async () => {
  const content = `name,note\nAnn,"two\nlines, ""quoted"""\n${Array.from({ length: 20 }, (_, n) => `Bob ${n},plain\n`).join('')}`
  const document = await csvLoader().load({ id: 'a.csv', content })
  expect(document.outline?.filter(({ kind }) => kind === 'row')).toHaveLength(22)
  const chunks = [...outlineChunker({ maxTokens: 80, counter: characterCounter() }).chunk(document)]
  for (const chunk of chunks.slice(1)) expect(chunkNotes(chunk).tableHeader).toBe('name,note')
})

test('a quote that is never closed is refused with its row', async () => {
  await expect(csvLoader().load({ id: 'a.csv', content: 'a,b\n1,"x\n2,y\n' })).rejects.toMatchObject({
    code: 'UNSUPPORTED_FORMAT',
    details: { row: 2 },
  })
})

test.each([
  ['a.mjs', 'javascript'],
  ['a.tsx', 'tsx'],
  ['a.H', 'c'],
  ['a.rb', 'other'],
  ['Makefile', 'other'],
])('%s is %s', async (id, language) => {
  expect((await codeLoader().load({ id, content: 'x' })).metadata).toEqual({ language })
})

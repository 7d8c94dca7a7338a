import { expect, test } from 'vitest'
import { characterCounter, chunkNotes, markdownChunker } from '../../src/chunker/index.ts'

const chunks = (text: string, maxTokens: number) => [
  ...markdownChunker({ maxTokens, counter: characterCounter() }).chunk({ id: 'doc', text }),
]

const guide = `Intro before any heading, long enough to stand alone.

# Guide *to* [all](x)

Welcome to the guide, dear reader of it.

## Install

Run this command:

\`\`\`sh
npm install groundline
npm run build
\`\`\`

## Use \`it\`

Import it and then call it with your text.

### Details

Some details follow here for the curious reader.
`

test('chunks end at headings and carry the path of headings above them', () => {
  const paths = chunks(guide, 120).map(({ headingPath }) => headingPath)
  expect(paths).toEqual([
    undefined,
    ['Guide to all'],
    ['Guide to all', 'Install'],
    ['Guide to all', 'Use it'],
    ['Guide to all', 'Use it', 'Details'],
  ])
})

test('fenced code stays whole when it fits, even where a chunk must end early for it', () => {
  for (let maxTokens = 60; maxTokens < 200; maxTokens += 7) {
    const code = guide.slice(guide.indexOf('```sh'), guide.lastIndexOf('```') + 4)
    expect(chunks(guide, maxTokens).some(({ text }) => text.includes(code))).toBe(true)
  }
})

test('a code block over the limit is cut between lines only', () => {
  const lines = Array.from({ length: 40 }, (_, index) => `const value${index} = compute(${index}, "a b c")`)
  const text = `\`\`\`js\n${lines.join('\n')}\n\`\`\`\n`
  for (const chunk of chunks(text, 150)) expect(text[chunk.end - 1]).toBe('\n')
})

test('a table over the limit is cut between rows, and its later parts carry the header as context', () => {
  const rows = Array.from({ length: 30 }, (_, index) => `| row ${index} | some value ${index} |`)
  const text = `Before.\n\n| Name | Value |\n|---|---|\n${rows.join('\n')}\n\nAfter.\n`
  const parts = chunks(text, 200)
  expect(parts.length).toBeGreaterThan(3)
  for (const part of parts.slice(1, -1)) {
    expect(part.text.startsWith('| row')).toBe(true)
    expect(chunkNotes(part).tableHeader).toBe('| Name | Value |\n|---|---|')
  }
  expect(parts.map(({ text: part }) => part).join('')).toBe(text)
})

test('a heading is never the end of a chunk while something follows it', () => {
  const text = Array.from(
    { length: 20 },
    (_, n) => `## Title ${n}\n\n${'Sentence of words here. '.repeat(1 + (n % 4))}\n\n`,
  ).join('')
  for (let maxTokens = 60; maxTokens < 300; maxTokens += 13) {
    for (const chunk of chunks(text, maxTokens)) expect(/## Title \d+\s*$/.test(chunk.text)).toBe(false)
  }
})

test('front matter is a block of its own and not a heading', () => {
  const [first] = chunks('---\ntitle: A\n---\n\nText.', 500)
  expect(first?.headingPath).toBeUndefined()
})

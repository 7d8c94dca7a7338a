import { expect, test } from 'vitest'
import { characterCounter, chunkNotes, codeChunker } from '../../src/chunker/index.ts'
import { describeLaws } from './laws.ts'

describeLaws('codeChunker with an outliner that says anything', (limits) =>
  codeChunker({
    ...limits,
    language: 'c',
    outliner: (text) => [
      { start: 0, end: text.length, depth: 0, parent: -1, name: 'all' },
      { start: text.length >> 2, end: text.length >> 1, depth: 1, parent: 0, name: 'half' },
    ],
  }),
)

const python = Array.from(
  { length: 6 },
  (_, n) =>
    `def function_${n}(argument):\n    value = argument + ${n}\n    if value:\n        return value\n    return None\n\n`,
).join('')

test('without a grammar functions are told apart by indentation, and a note says so', () => {
  const chunks = [
    ...codeChunker({ language: 'python', maxTokens: 130, counter: characterCounter() }).chunk({
      id: 'd',
      text: python,
    }),
  ]
  for (const chunk of chunks) {
    expect(chunk.text.startsWith('def ')).toBe(true)
    expect(chunkNotes(chunk)).toMatchObject({ language: 'python', note: 'no grammar: cut by indentation' })
  }
})

test('an unknown language is refused by name', () => {
  const language = 'klingon' as 'other'
  expect(() => codeChunker({ language })).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT', details: expect.objectContaining({ argument: 'language' }) }),
  )
})

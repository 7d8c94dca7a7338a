import { expect, test } from 'vitest'
import { characterCounter, recursiveChunker } from '../../src/chunker/index.ts'

const texts = (text: string, options: Parameters<typeof recursiveChunker>[0]): string[] =>
  [...recursiveChunker({ counter: characterCounter(), ...options }).chunk({ id: 'doc', text })].map((c) => c.text)

test('an empty text has no chunks and a short one has one', () => {
  expect(texts('', {})).toEqual([])
  expect(texts(' \n', {})).toEqual([' \n'])
  expect(texts('Hello.', { maxTokens: 6 })).toEqual(['Hello.'])
})

test('paragraphs are preferred to lines, lines to sentences, sentences to words', () => {
  expect(texts('One two.\n\nThree. Four\nfive', { maxTokens: 20 })).toEqual(['One two.\n\n', 'Three. Four\nfive'])
  expect(texts('One two\nThree. Four five', { maxTokens: 16 })).toEqual(['One two\n', 'Three. Four five'])
  expect(texts('One two. Three four', { maxTokens: 14 })).toEqual(['One two. ', 'Three four'])
})

test('a URL is cut only when it exceeds the limit by itself', () => {
  const url = 'https://example.com/a/long/path?with=query'
  expect(texts(`See ${url} for more`, { maxTokens: 45 }).some((text) => text.includes(url))).toBe(true)
  expect(texts(url, { maxTokens: 20 }).join('')).toBe(url)
})

test('overlap repeats at most its tokens and never stops progress', () => {
  const text = 'alpha beta gamma delta epsilon zeta eta theta iota kappa '.repeat(5)
  const chunks = [
    ...recursiveChunker({ maxTokens: 40, overlap: 15, counter: characterCounter() }).chunk({ id: 'd', text }),
  ]
  for (const [index, chunk] of chunks.entries()) {
    if (index === 0) continue
    const repeated = chunks[index - 1]!.end - chunk.start
    expect(repeated).toBeGreaterThan(0)
    expect(repeated).toBeLessThanOrEqual(15)
  }
})

test.each([
  [{ maxTokens: 0 }, 'maxTokens'],
  [{ maxTokens: 1.5 }, 'maxTokens'],
  [{ maxTokens: Number.NaN }, 'maxTokens'],
  [{ maxTokens: 10, overlap: 10 }, 'overlap'],
  [{ overlap: -1 }, 'overlap'],
])('options %o are refused by name', (options, argument) => {
  expect(() => recursiveChunker(options)).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT', details: expect.objectContaining({ argument }) }),
  )
})

test('metadata under the key that notes need is refused', () => {
  expect(() => recursiveChunker().chunk({ id: 'd', text: 'x', metadata: { chunk: 1 } })).toThrow(
    expect.objectContaining({ code: 'INVALID_METADATA' }),
  )
})

import { expect, test } from 'vitest'
import { characterCounter, tokenChunker } from '../../src/chunker/index.ts'

test('every chunk but the last is at least three fifths full', () => {
  const text = 'alpha beta\n\ngamma delta. '.repeat(100)
  const chunks = [...tokenChunker({ maxTokens: 100, counter: characterCounter() }).chunk({ id: 'd', text })]
  for (const { tokenCount } of chunks.slice(0, -1)) expect(tokenCount).toBeGreaterThanOrEqual(60)
})

test('chunks are as full as they are asked to be', () => {
  const counter = characterCounter()
  const words = Array.from({ length: 4000 }, (_, i) => ((i * 7919) % 99_991).toString(36))
  const text = words.join(' ')
  const fills = [0.5, 0.6, 0.8, 0.9, 1].map((minFill) => {
    const chunks = [...tokenChunker({ maxTokens: 500, minFill, counter }).chunk({ id: 'd', text })].slice(0, -1)
    // No word is longer than four units, so that one at least ends in the last hundredth.
    for (const { tokenCount } of chunks) expect(tokenCount).toBeGreaterThanOrEqual(500 * Math.min(minFill, 0.99))
    return chunks.reduce((sum, { tokenCount }) => sum + tokenCount! / 500, 0) / chunks.length
  })
  expect(fills).toEqual(fills.toSorted((a, b) => a - b))
  expect(fills[4]).toBeGreaterThan(0.99)
})

test('another fill is another chunker by its id, and fills out of range are refused', () => {
  expect(tokenChunker({ minFill: 0.6 }).id).toBe(tokenChunker().id)
  expect(tokenChunker({ minFill: 0.9 }).id).not.toBe(tokenChunker().id)
  for (const minFill of [0.4, 1.1, Number.NaN])
    expect(() => tokenChunker({ minFill })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
})

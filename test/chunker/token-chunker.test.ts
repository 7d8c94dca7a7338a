import { expect, test } from 'vitest'
import { characterCounter, tokenChunker } from '../../src/chunker/index.ts'

test('every chunk but the last is at least three fifths full', () => {
  const text = 'alpha beta\n\ngamma delta. '.repeat(100)
  const chunks = [...tokenChunker({ maxTokens: 100, counter: characterCounter() }).chunk({ id: 'd', text })]
  for (const { tokenCount } of chunks.slice(0, -1)) expect(tokenCount).toBeGreaterThanOrEqual(60)
})

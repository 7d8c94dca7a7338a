import { expect, test } from 'vitest'
import {
  characterCounter,
  chunkNotes,
  hierarchicalChunker,
  markdownChunker,
  recursiveChunker,
} from '../../src/chunker/index.ts'
import { describeLaws } from './laws.ts'

describeLaws('hierarchicalChunker', ({ maxTokens, overlap, counter }) =>
  hierarchicalChunker({
    parent: recursiveChunker({ maxTokens: maxTokens * 4, counter }),
    child: recursiveChunker({ maxTokens, overlap, counter }),
  }),
)

test('small chunks lie within their parents and know their neighbours', () => {
  const text = Array.from(
    { length: 12 },
    (_, n) => `## Part ${n}\n\n${`Sentence ${n} of the part. `.repeat(9)}\n\n`,
  ).join('')
  const counter = characterCounter()
  const chunker = hierarchicalChunker({
    parent: markdownChunker({ maxTokens: 400, counter }),
    child: markdownChunker({ maxTokens: 80, overlap: 30, counter }),
  })
  const parents = new Map([...chunker.parents({ id: 'd', text })].map((parent) => [parent.id, parent]))
  const chunks = [...chunker.chunk({ id: 'd', text })]
  expect(chunks.length).toBeGreaterThan(24)
  for (const [index, chunk] of chunks.entries()) {
    const notes = chunkNotes(chunk)
    const parent = parents.get(notes.parentId!)!
    expect([parent.start, parent.end]).toEqual([notes.parentStart, notes.parentEnd])
    expect(chunk.start).toBeGreaterThanOrEqual(parent.start)
    expect(chunk.end).toBeLessThanOrEqual(parent.end)
    expect(notes.previousId).toBe(chunks[index - 1]?.id)
    expect(notes.nextId).toBe(chunks[index + 1]?.id)
    expect(chunk.headingPath).toEqual(parent.headingPath)
  }
})

test('parents that overlap are refused', () => {
  const overlapping = recursiveChunker({ overlap: 5 })
  expect(() => hierarchicalChunker({ parent: overlapping, child: recursiveChunker() })).toThrow(
    'parent must have an overlap of 0',
  )
})

import { expect, test } from 'vitest'
import {
  characterCounter,
  chunkNotes,
  hierarchicalChunker,
  markdownChunker,
  recursiveChunker,
} from '../../src/chunker/index.ts'

test('small chunks lie within their parents and know their neighbours', () => {
  const text = Array.from(
    { length: 12 },
    (_, n) => `## Part ${n}\n\n${`Sentence ${n} of the part. `.repeat(9)}\n\n`,
  ).join('')
  const counter = characterCounter()
  const chunker = hierarchicalChunker({
    levels: [
      markdownChunker({ maxTokens: 2000, counter }),
      markdownChunker({ maxTokens: 400, counter }),
      markdownChunker({ maxTokens: 80, overlap: 30, counter }),
    ],
  })
  const [large, middle] = chunker.ancestors({ id: 'd', text })
  const parents = new Map(middle!.map((parent) => [parent.id, parent]))
  const chunks = [...chunker.chunk({ id: 'd', text })]
  expect(chunks.length).toBeGreaterThan(24)
  for (const [index, chunk] of chunks.entries()) {
    const notes = chunkNotes(chunk)
    const parent = parents.get(notes.parentId!)!
    expect([parent.start, parent.end]).toEqual([notes.parentStart, notes.parentEnd])
    expect(chunk.start).toBeGreaterThanOrEqual(parent.start)
    expect(chunk.end).toBeLessThanOrEqual(parent.end)
    const largest = large!.find(({ id }) => id === notes.ancestorIds![0])!
    expect(notes.ancestorIds).toEqual([largest.id, parent.id])
    expect(largest.start <= parent.start && parent.end <= largest.end).toBe(true)
    expect(notes.previousId).toBe(chunks[index - 1]?.id)
    expect(notes.nextId).toBe(chunks[index + 1]?.id)
    expect(chunk.headingPath).toEqual(parent.headingPath)
  }
})

test('larger chunks that overlap, and a single level, are refused', () => {
  const overlapping = recursiveChunker({ overlap: 5 })
  expect(() => hierarchicalChunker({ levels: [overlapping, recursiveChunker()] })).toThrow('overlap of 5')
  expect(() => hierarchicalChunker({ levels: [overlapping] })).toThrow('two chunkers')
})

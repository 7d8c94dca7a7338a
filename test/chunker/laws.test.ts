import { expect, test } from 'vitest'
import * as chunkers from '../../src/chunker/index.ts'
import { everyChunker } from './every-chunker.ts'
import { describeLaws } from './laws.ts'

test('every chunker that is exported is held to the laws', () => {
  const exported = Object.keys(chunkers).filter((name) => name.endsWith('Chunker'))
  const held = Object.keys(everyChunker).map((name) => name.split(' ')[0]!)
  expect(exported.length).toBeGreaterThan(10)
  expect([...new Set(held)].toSorted()).toEqual(exported.toSorted())
})

for (const [name, create] of Object.entries(everyChunker)) {
  describeLaws(name, create, name === 'sentenceWindowChunker' ? { onlyOverlap: 0 } : {})
}

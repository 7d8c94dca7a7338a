import { describe, test } from 'vitest'
import { characterCounter, markdownChunker, recursiveChunker } from '../../src/chunker/index.ts'
import { chunkerConformance } from '../../src/testing/chunker-conformance.ts'

const limits = { maxTokens: 60, counter: characterCounter() }

describe.each([
  ['recursiveChunker', () => recursiveChunker(limits)],
  ['markdownChunker', () => markdownChunker(limits)],
] as const)('%s', (_, create) => {
  for (const { name, run } of chunkerConformance({ create, maxTokens: 60, count: (text) => text.length }))
    test(name, run)
})

import { describe, test } from 'vitest'
import { characterCounter } from '../../src/chunker/index.ts'
import { chunkerConformance } from '../../src/testing/chunker-conformance.ts'
import { everyChunker } from './every-chunker.ts'

const limits = { maxTokens: 60, counter: characterCounter() }

describe.each(Object.entries(everyChunker))('%s', (_, make) => {
  for (const { name, run } of chunkerConformance({
    create: () => make(limits),
    maxTokens: 60,
    count: (text) => text.length,
  }))
    test(name, run)
})

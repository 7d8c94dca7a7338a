import { describe, test } from 'vitest'
import {
  characterCounter,
  codeChunker,
  hierarchicalChunker,
  htmlChunker,
  jsonChunker,
  markdownChunker,
  outlineChunker,
  recursiveChunker,
  semanticChunker,
  sentenceChunker,
  sentenceWindowChunker,
  tokenChunker,
  transcriptChunker,
} from '../../src/chunker/index.ts'
import { chunkerConformance } from '../../src/testing/chunker-conformance.ts'
import { fakeEmbedder } from '../../src/testing/index.ts'

const limits = { maxTokens: 60, counter: characterCounter() }

describe.each([
  ['recursiveChunker', () => recursiveChunker(limits)],
  ['markdownChunker', () => markdownChunker(limits)],
  ['sentenceChunker', () => sentenceChunker(limits)],
  ['sentenceWindowChunker', () => sentenceWindowChunker(limits)],
  ['tokenChunker', () => tokenChunker(limits)],
  ['outlineChunker', () => outlineChunker(limits)],
  ['htmlChunker', () => htmlChunker(limits)],
  ['codeChunker', () => codeChunker({ ...limits, language: 'other' })],
  ['transcriptChunker', () => transcriptChunker(limits)],
  ['jsonChunker', () => jsonChunker(limits)],
  ['semanticChunker', () => semanticChunker({ ...limits, embedder: fakeEmbedder() })],
  [
    'hierarchicalChunker',
    () => hierarchicalChunker({ levels: [recursiveChunker({ ...limits, maxTokens: 300 }), recursiveChunker(limits)] }),
  ],
] as const)('%s', (_, create) => {
  for (const { name, run } of chunkerConformance({ create, maxTokens: 60, count: (text) => text.length }))
    test(name, run)
})

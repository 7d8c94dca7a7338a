import { expect, test } from 'vitest'
import { characterCounter, semanticChunker } from '../../src/chunker/index.ts'
import { fakeEmbedder } from '../../src/testing/index.ts'
import { chunksOf } from './laws.ts'

test('it cuts where the embeddings of neighbouring sentences differ most', async () => {
  const base = fakeEmbedder({ dimensions: 2 })
  const embedder = {
    ...base,
    embed: async (inputs: readonly string[]) => ({
      vectors: inputs.map((input) => Float32Array.of(Number(input.includes('cat')), Number(input.includes('tax')))),
      usage: {},
    }),
  }
  const text =
    'A cat sat. The cat slept. My cat eats. The tax rose. A tax fell. No tax stays. My tax. Our tax. Low tax. '
  const chunks = await chunksOf(
    semanticChunker({ embedder, quantile: 0.9, maxTokens: 100, counter: characterCounter() }),
    { id: 'd', text },
  )
  expect(chunks.map((chunk) => chunk.text.includes('tax'))).toEqual([false, true])
})

test.each([-0.1, 1.1, Number.NaN])('quantile %d is refused', (quantile) => {
  expect(() => semanticChunker({ embedder: fakeEmbedder(), quantile })).toThrow('quantile')
})

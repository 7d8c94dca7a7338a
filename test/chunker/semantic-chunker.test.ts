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

const text = 'The first one. The second one. The third one. The fourth one.'
const fake = fakeEmbedder({ dimensions: 4 })
const chunked = async (embed: unknown, signal?: AbortSignal): Promise<unknown[]> => {
  const chunker = semanticChunker({ embedder: { ...fake, embed: embed as typeof fake.embed } })
  const chunks: unknown[] = []
  for await (const chunk of chunker.chunk({ id: 'd', text }, { signal })) chunks.push(chunk)
  return chunks
}
const vectors = (make: (index: number) => unknown) => async (inputs: readonly string[]) => ({
  vectors: inputs.map((_, index) => make(index)),
  usage: {},
})

test.each([
  ['NaN', vectors(() => new Float32Array(4).fill(Number.NaN))],
  ['infinity in one', vectors((index) => new Float32Array(4).fill(index === 2 ? Number.POSITIVE_INFINITY : 1))],
  ['another length in one', vectors((index) => new Float32Array(index === 3 ? 5 : 4).fill(1))],
  ['arrays', vectors(() => [1, 2, 3, 4])],
  ['holes', vectors(() => undefined)],
  ['too few', async () => ({ vectors: [new Float32Array(4)], usage: {} })],
  ['nothing', async () => undefined],
  ['no list', async () => ({ vectors: 4 })],
])('an embedder that answers with %s is refused', async (_, embed) => {
  await expect(chunked(embed)).rejects.toMatchObject({ code: 'INVALID_RESPONSE' })
})

test("an embedder's own error arrives as it is, and an abort ends a call that does not listen", async () => {
  const failure = new Error('no quota')
  await expect(chunked(async () => Promise.reject(failure))).rejects.toBe(failure)
  const controller = new AbortController()
  const reason = new Error('enough')
  const waiting = chunked(() => {
    queueMicrotask(() => controller.abort(reason))
    return new Promise(() => {})
  }, controller.signal)
  await expect(waiting).rejects.toBe(reason)
})

test('zero vectors are no error', async () => {
  expect(await chunked(vectors(() => new Float32Array(4)))).not.toEqual([])
})

test('a chunker without an embedder is refused at once', () => {
  expect(() => semanticChunker({} as never)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
})

import { describe, expect, it } from 'vitest'
import { type Embedder, embedAll, everyVector } from '../../src/embedder/index.ts'
import { fakeEmbedder } from '../../src/testing/index.ts'

const texts = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `text ${index}`)

/** A fake whose answer a test spoils. */
const spoiled = (spoil: (vectors: Float32Array[], inputs: readonly string[]) => Float32Array[]): Embedder => {
  const honest = fakeEmbedder({ limits: { items: 10 } })
  return {
    ...honest,
    async embed(inputs, options) {
      const { vectors, usage } = await honest.embed(inputs, options)
      return { vectors: spoil([...vectors], inputs), usage }
    },
  }
}

describe('embedAll', () => {
  it('gives every input the vector it gets alone, whatever the batches', async () => {
    const inputs = texts(103)
    const alone = (await fakeEmbedder().embed(inputs)).vectors
    for (const limits of [{}, { items: 1 }, { items: 7 }, { batchTokens: 20 }, { batchBytes: 30 }]) {
      const result = await embedAll(fakeEmbedder({ limits }), inputs, { concurrency: 3 })
      expect(everyVector(result)).toEqual(alone)
      expect(result.usage.tokens).toBe(inputs.join('').length)
    }
  })

  it('has at most as many calls under way as allowed', async () => {
    let running = 0
    let most = 0
    const slow: Embedder = {
      ...fakeEmbedder({ limits: { items: 1 } }),
      async embed(inputs) {
        most = Math.max(most, ++running)
        await new Promise(setImmediate)
        running--
        return fakeEmbedder().embed(inputs)
      },
    }
    await embedAll(slow, texts(40), { concurrency: 5 })
    expect(most).toBe(5)
  })

  it('loses only the items whose vectors are unusable', async () => {
    for (const fault of [Float32Array.of(1), new Float32Array(8), new Float32Array(8).fill(Number.NaN)]) {
      const result = await embedAll(
        spoiled((vectors, inputs) => vectors.map((vector, index) => (inputs[index] === 'text 13' ? fault : vector))),
        texts(30),
      )
      expect(result.failures.map(({ index, error }) => [index, error.code])).toEqual([[13, 'INVALID_RESPONSE']])
      expect(result.vectors.filter(Boolean)).toHaveLength(29)
      expect(() => everyVector(result)).toThrow(expect.objectContaining({ code: 'INVALID_RESPONSE' }))
    }
  })

  it('refuses an answer with fewer or more vectors than inputs', async () => {
    for (const spoil of [(v: Float32Array[]) => v.slice(1), (v: Float32Array[]) => [...v, ...v.slice(0, 1)]]) {
      const { failures, vectors } = await embedAll(spoiled(spoil), texts(10), { retry: { baseMs: 0 } })
      expect(failures).toHaveLength(10)
      expect(vectors.every((vector) => vector === undefined)).toBe(true)
    }
  })

  it('sums usage, and says nothing of it when one answer did not', async () => {
    const silent: Embedder = {
      ...fakeEmbedder({ limits: { items: 2 } }),
      async embed(inputs) {
        const { vectors } = await fakeEmbedder().embed(inputs)
        return { vectors, usage: inputs.includes('text 3') ? {} : { tokens: 4 } }
      },
    }
    expect((await embedAll(silent, texts(2))).usage).toEqual({ calls: 1, tokens: 4 })
    expect((await embedAll(silent, texts(6))).usage).toEqual({ calls: 3 })
  })

  it('rejects with the reason of the signal, before and during the work', async () => {
    const reason = new Error('stop')
    await expect(embedAll(fakeEmbedder(), texts(1), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const controller = new AbortController()
    const stopping: Embedder = {
      ...fakeEmbedder({ limits: { items: 1 } }),
      async embed(inputs, options) {
        if (inputs[0] === 'text 5') controller.abort(reason)
        return fakeEmbedder().embed(inputs, options)
      },
    }
    await expect(embedAll(stopping, texts(50), { signal: controller.signal })).rejects.toBe(reason)
  })

  it('takes no inputs without a call, and refuses a concurrency that is none', async () => {
    expect(await embedAll(fakeEmbedder(), [])).toMatchObject({
      vectors: [],
      failures: [],
      usage: { calls: 0, tokens: 0 },
    })
    await expect(embedAll(fakeEmbedder(), [], { concurrency: 0 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })
})

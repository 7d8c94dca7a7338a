import { existsSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { lexicalHashEmbedder, staticEmbedder } from '../../src/embedder/index.ts'
import { workerEmbedder } from '../../src/node/index.ts'

const workerUrl = new URL('../../dist/node/embedder-worker.js', import.meta.url)
const module = new URL('../../dist/embedder/index.js', import.meta.url).href
const texts = Array.from(
  { length: 100 },
  (_, index) => `Text ${index} on keys, readFile and naïve cafés, twice: ${index}`,
)

beforeAll(() => {
  if (!existsSync(workerUrl)) throw new Error('build first: npm run build:js')
})

/** An embedder that notes on which texts it was asked. */
async function watched(dimensions: 256 | 128 = 256) {
  const own = await staticEmbedder({ dimensions })
  const calls: number[] = []
  return {
    own,
    calls,
    embedder: {
      ...own,
      embed: (inputs: readonly string[], options = {}) => {
        calls.push(inputs.length)
        return own.embed(inputs, options)
      },
    },
  }
}

describe('workerEmbedder', () => {
  const origin = { module, factory: 'staticEmbedder', options: { dimensions: 256 }, workerUrl }

  test('gives the vectors of the embedder it stands for, large batches from the worker and the rest from the caller', async () => {
    const { own, calls, embedder } = await watched()
    const worker = workerEmbedder(embedder, origin)
    const expected = await own.embed(texts)
    expect(await Promise.all([worker.embed(texts), worker.embed(texts.slice(0, 40))])).toEqual([
      expected,
      await own.embed(texts.slice(0, 40)),
    ])
    expect(calls).toEqual([])
    expect((await worker.embed(texts.slice(0, 31))).vectors).toEqual(expected.vectors.slice(0, 31))
    expect((await worker.embed(texts, { role: 'query' })).vectors).toEqual(expected.vectors)
    expect(calls).toEqual([31, 100])
    await worker.close()
    expect((await worker.embed(texts)).vectors).toEqual(expected.vectors)
  })

  test('does on the calling thread what the worker cannot: a missing script, a missing module, a failing call, a closed worker', async () => {
    for (const broken of [
      { workerUrl: new URL('./nowhere.js', import.meta.url) },
      { module: new URL('./nowhere.js', import.meta.url).href },
      { factory: 'nothing' },
    ]) {
      const { calls, embedder } = await watched()
      const worker = workerEmbedder(embedder, { ...origin, ...broken })
      expect((await worker.embed(texts)).vectors).toHaveLength(100)
      expect((await worker.embed(texts)).vectors).toHaveLength(100)
      expect(calls).toEqual([100, 100])
      await worker.close()
    }
    const refusing = await staticEmbedder({ dimensions: 256, unknown: 'refuse' })
    const worker = workerEmbedder(refusing, { ...origin, options: { dimensions: 256, unknown: 'refuse' } })
    await expect(worker.embed([...texts, ''])).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      details: { index: 100 },
    })
    const pending = worker.embed(texts)
    await worker.close()
    expect((await pending).vectors).toHaveLength(100)
  })

  test('refuses a worker whose embedder has another space', async () => {
    const { embedder } = await watched(128)
    const worker = workerEmbedder(embedder, origin)
    await expect(worker.embed(texts)).rejects.toMatchObject({ code: 'SPACE_MISMATCH' })
    const other = workerEmbedder(lexicalHashEmbedder({ dimensions: 256 }), origin)
    await expect(other.embed(texts)).rejects.toMatchObject({ code: 'SPACE_MISMATCH' })
  })

  test('rejects with the reason as soon as it is aborted, and is usable afterwards', async () => {
    const { own, embedder } = await watched()
    const worker = workerEmbedder(embedder, origin)
    await worker.embed(texts)
    const controller = new AbortController()
    const reason = new Error('enough')
    const aborted = worker.embed(texts, { signal: controller.signal })
    controller.abort(reason)
    await expect(aborted).rejects.toBe(reason)
    await expect(worker.embed(texts, { signal: controller.signal })).rejects.toBe(reason)
    expect(await worker.embed(texts)).toEqual(await own.embed(texts))
    await worker.close()
  })
})

import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { env, pipeline } from '@xenova/transformers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { embedAll, everyVector } from '../../../src/embedder/index.ts'
import {
  crossEncoderReranker,
  type TransformersEmbedder,
  type TransformersLibraryName,
  transformersEmbedder,
  transformersTokenizer,
} from '../../../src/providers/transformers/index.ts'
import { embedderConformance, rerankerConformance } from '../../../src/testing/index.ts'
import { writeTinyModel } from './tiny-model.ts'

const root = mkdtempSync(join(tmpdir(), 'groundline-tiny-'))
const source = { folder: join(root, 'tiny-bert') }
const cross = { folder: join(root, 'tiny-cross-encoder') }
const library = '@xenova/transformers' as const
/** The worker runs as plain JavaScript, from the build that `npm test` makes first. */
const workerUrl = new URL('../../../dist/providers/transformers/transformers-worker.js', import.meta.url)
const successor: TransformersLibraryName = '@huggingface/transformers'
const common = { source, library, workerUrl }

let embedder: TransformersEmbedder

beforeAll(async () => {
  if (!existsSync(workerUrl)) throw new Error('build first: npm run build:js')
  writeTinyModel(source.folder, 'embedder')
  writeTinyModel(cross.folder, 'cross-encoder')
  embedder = await transformersEmbedder(common)
}, 120_000)

afterAll(async () => {
  await embedder?.close()
  rmSync(root, { recursive: true })
})

describe('transformersEmbedder with a tiny model of random weights (plumbing, not quality)', () => {
  const kit = embedderConformance({ create: () => embedder, tolerance: 1e-4 })
  for (const { name, run } of kit) it(name, run)

  it('gives what the pipeline of the library gives, for each way of pooling', async () => {
    env.localModelPath = `${root}/`
    env.allowRemoteModels = false
    const reference = await pipeline('feature-extraction', 'tiny-bert', { quantized: false })
    const texts = ['rotate the signing keys', 'river bank at night', 'a']
    for (const pooling of ['mean', 'cls'] as const) {
      await using mine = await transformersEmbedder({ ...common, pooling })
      const { vectors } = await mine.embed(texts)
      const expected = await reference(texts, { pooling, normalize: true })
      for (const [row, vector] of vectors.entries()) {
        for (const [at, component] of vector.entries())
          expect(Math.abs(component - Number(expected.data[row * 64 + at]))).toBeLessThan(1e-5)
      }
    }
  })

  it('says what the model is', () => {
    expect(embedder).toMatchObject({
      dimensions: 64,
      limits: { inputTokens: 128 },
      space: { model: 'tiny-bert', revision: 'fp32', pooling: 'mean', normalized: true },
    })
  })

  it('refuses a text of more tokens than the model reads, and embedAll fails that one alone', async () => {
    const long = 'key '.repeat(500)
    await expect(embedder.embed(['a', long])).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
      details: { index: 1, limit: 128 },
    })
    const { failures, vectors } = await embedAll(embedder, ['rotate', long, 'keys', 'river'])
    expect(failures.map(({ index }) => index)).toEqual([1])
    expect(vectors.filter(Boolean)).toHaveLength(3)
  })

  it('offers its tokenizer, with which over-long texts are split to the limit', async () => {
    const tokenizer = await transformersTokenizer({ source, library })
    expect(tokenizer.count('rotate the keys')).toBe(3)
    expect([...tokenizer.encode('keys')]).toHaveLength(1)
    expect(tokenizer.decode(tokenizer.encode('rotate the keys'))).toBe('rotate the keys')
    expect(tokenizer.count('')).toBe(0)
    const result = await embedAll(embedder, ['key '.repeat(500)], {
      countTokens: (text) => tokenizer.count(text) + 2,
      onOverlong: 'split',
    })
    expect(everyVector(result)).toHaveLength(1)
    expect(result.adjustments).toEqual([{ index: 0, change: 'split' }])
  })

  it('keeps the event loop free while it works', async () => {
    let longest = 0
    let last = performance.now()
    const timer = setInterval(() => {
      longest = Math.max(longest, performance.now() - last)
      last = performance.now()
    }, 5)
    const started = performance.now()
    await embedder.embed(Array.from({ length: 256 }, (_, index) => `${'rotate the keys '.repeat(20)} ${index}`))
    const took = performance.now() - started
    clearInterval(timer)
    expect(longest).toBeLessThan(Math.max(50, took / 2))
  })

  it('rejects at once on abort, and goes on with the next call', async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    const call = embedder.embed(['rotate'], { signal: controller.signal })
    controller.abort(reason)
    await expect(call).rejects.toBe(reason)
    expect((await embedder.embed(['rotate'])).vectors).toHaveLength(1)
  })

  it('rejects what is under way when it is closed, and every call after that', async () => {
    const closing = await transformersEmbedder(common)
    const under = closing.embed(['rotate'])
    await closing.close()
    await under.catch((error) => expect(error).toMatchObject({ code: 'CLOSED' }))
    await expect(closing.embed(['rotate'])).rejects.toMatchObject({ code: 'CLOSED' })
    await closing.close()
  })

  it('says what is missing: the library, the folder, the model file', async () => {
    const missing = transformersEmbedder({ ...common, library: successor })
    if (!installed())
      await expect(missing).rejects.toMatchObject({ code: 'MISSING_DEPENDENCY', message: /npm install/ })
    await missing.then((opened) => opened.close()).catch(() => {})
    const nowhere = { folder: join(root, 'nowhere') }
    await expect(transformersEmbedder({ ...common, source: nowhere })).rejects.toMatchObject({
      code: 'UNSUPPORTED_FORMAT',
    })
    await expect(
      transformersEmbedder({ ...common, source: cross, model: 'x' }).then((e) => e.embed(['a'])),
    ).rejects.toThrow()
  })
})

describe('crossEncoderReranker with a tiny model of random weights (plumbing, not quality)', () => {
  for (const [position, name] of rerankerConformance({
    create: () => crossEncoderReranker({ ...common, source: cross }),
  })
    .map(({ name }) => name)
    .entries()) {
    it(name, async () => {
      await using reranker = await crossEncoderReranker({ ...common, source: cross })
      await rerankerConformance({ create: () => reranker })[position]?.run()
    })
  }

  it('scores pairs, not passages: another query gives other scores, all between 0 and 1', async () => {
    await using reranker = await crossEncoderReranker({ ...common, source: cross, batchItems: 2 })
    const passages = ['rotate keys', 'river bank', `long ${'night '.repeat(300)}`].map((text, index) => ({
      id: `p${index}`,
      documentId: 'd',
      documentVersion: 'v',
      text,
      start: 0,
      end: text.length,
      metadata: {},
      score: 0,
      stages: [],
      source: {},
    }))
    const scores = async (query: string) =>
      new Map((await reranker.rerank(query, passages)).map(({ id, score }) => [id, score]))
    const [one, other] = [await scores('keys'), await scores('night')]
    for (const [id, score] of one) {
      expect(score).toBeGreaterThan(0)
      expect(score).toBeLessThan(1)
      expect(other.get(id)).not.toBe(score)
    }
    expect(new Set(one.values()).size).toBe(3)
  })
})

function installed(): boolean {
  try {
    import.meta.resolve(successor)
    return true
  } catch {
    return false
  }
}

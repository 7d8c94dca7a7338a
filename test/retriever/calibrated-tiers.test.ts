import { describe, expect, it } from 'vitest'
import {
  calibratedTieredRetriever,
  denseRetriever,
  memoryChunkStore,
  type Retriever,
} from '../../src/retriever/index.ts'
import { createRandom, fakeEmbedder } from '../../src/testing/index.ts'
import { exactIndex } from '../../src/vector-index/index.ts'
import { chunkOf } from './pipeline.ts'

/** 800 chunks under full vectors and under their first `short` components only. */
async function tiersOf(short: number) {
  const embedder = fakeEmbedder({ dimensions: 64 })
  const chunks = Array.from({ length: 800 }, (_, i) => chunkOf(`c${i}`, `chunk ${i}`))
  const store = memoryChunkStore()
  store.put(chunks)
  const { vectors } = await embedder.embed(chunks.map(({ text }) => text))
  const full = exactIndex({ dimensions: 64, space: embedder.space })
  const cut = exactIndex({ dimensions: short })
  await full.upsert(chunks.map(({ id }, i) => ({ id, vector: vectors[i]! })))
  await cut.upsert(chunks.map(({ id }, i) => ({ id, vector: vectors[i]!.slice(0, short) })))
  const byId = new Map(chunks.map(({ id }, i) => [id, vectors[i]!]))
  const truncated = {
    ...embedder,
    dimensions: short,
    embed: async (inputs: readonly string[]) => {
      const whole = await embedder.embed(inputs)
      return { ...whole, vectors: whole.vectors.map((vector) => vector.slice(0, short)) }
    },
  }
  return {
    embedder,
    exact: denseRetriever({ index: full, embedder, store }),
    first: denseRetriever({ index: cut, embedder: truncated, store }),
    vectors: async (ids: readonly string[]) => ids.map((id) => byId.get(id)),
  }
}

const asked = (from: number, count: number) => Array.from({ length: count }, (_, i) => `question ${from + i}`)

async function recallOf(retriever: Retriever, exact: Retriever, queries: readonly string[], topK: number) {
  let found = 0
  for (const query of queries) {
    const truth = new Set((await exact.retrieve(query, { topK })).passages.map(({ id }) => id))
    found += (await retriever.retrieve(query, { topK })).passages.filter(({ id }) => truth.has(id)).length
  }
  return found / (queries.length * topK)
}

describe('calibratedTieredRetriever', () => {
  it.each([32, 48])(
    'reaches .99 of the exact answer with %i of 64 dimensions first, on queries it never saw',
    async (short) => {
      const tiers = await tiersOf(short)
      const retriever = await calibratedTieredRetriever({ ...tiers, queries: asked(0, 200) })
      const { measured } = retriever
      expect(measured.recall).toBeGreaterThanOrEqual(0.99)
      expect(measured).toMatchObject({ topK: 10, queries: 200 })
      expect(measured.candidates).toBeGreaterThan(10)
      expect(measured.candidates).toBeLessThan(800)
      // Two standard errors below the target: other queries, not the ones it was measured with.
      expect(await recallOf(retriever, tiers.exact, asked(1_000, 200), 10)).toBeGreaterThan(0.983)
    },
  )

  it('gives a weaker first tier more candidates, and leaves one that is blind to the exact retriever', async () => {
    const [weak, strong] = [await tiersOf(32), await tiersOf(48)]
    const candidatesOf = async (tiers: Awaited<ReturnType<typeof tiersOf>>) =>
      (await calibratedTieredRetriever({ ...tiers, queries: asked(0, 60) })).measured.candidates
    expect(await candidatesOf(weak)).toBeGreaterThan(await candidatesOf(strong))
    const random = createRandom(5)
    const blind: Retriever = { retrieve: (_, options) => weak.first.retrieve(`noise ${random.next()}`, options) }
    const retriever = await calibratedTieredRetriever({
      ...weak,
      first: blind,
      queries: asked(0, 20),
      mostCandidates: 100,
    })
    expect(retriever.measured).toMatchObject({ candidates: 0, recall: 1 })
    expect(await recallOf(retriever, weak.exact, asked(500, 10), 10)).toBe(1)
  })

  it('refuses too few queries and impossible targets, and stops when told to', async () => {
    const tiers = await tiersOf(32)
    const refused = { code: 'INVALID_ARGUMENT' }
    await expect(calibratedTieredRetriever({ ...tiers, queries: asked(0, 19) })).rejects.toMatchObject(refused)
    await expect(calibratedTieredRetriever({ ...tiers, queries: asked(0, 20), recall: 2 })).rejects.toMatchObject(
      refused,
    )
    const signal = AbortSignal.abort('enough')
    await expect(calibratedTieredRetriever({ ...tiers, queries: asked(0, 20), signal })).rejects.toBe('enough')
  })
})

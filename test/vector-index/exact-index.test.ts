import { describe, expect, it } from 'vitest'
import { vectorIndexConformance } from '../../src/testing/index.ts'
import { exactIndex } from '../../src/vector-index/index.ts'

describe('exactIndex', () => {
  for (const { name, run } of vectorIndexConformance({ create: exactIndex })) it(name, run)

  it('replaces metadata without touching vectors', async () => {
    const index = exactIndex({ dimensions: 2 })
    await index.upsert([{ id: 'a', vector: Float32Array.of(1, 0), metadata: { n: 1 } }])
    await index.updateMetadata([{ id: 'a', metadata: { n: 2 } }])
    const matches = await index.search(Float32Array.of(1, 0), { topK: 1, filter: { op: 'eq', path: ['n'], value: 2 } })
    expect(matches).toEqual([{ id: 'a', score: 1, metadata: { n: 2 } }])
    await expect(index.updateMetadata([{ id: 'b', metadata: {} }])).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('compares vectors of extreme length', async () => {
    const index = exactIndex({ dimensions: 2 })
    await index.upsert([
      { id: 'huge', vector: Float32Array.of(3e38, 3e38) },
      { id: 'tiny', vector: Float32Array.of(1e-45, 0) },
    ])
    const matches = await index.search(Float32Array.of(2e38, 2e38), { topK: 2 })
    expect(matches.map(({ id }) => id)).toEqual(['huge', 'tiny'])
    expect(matches[0]?.score).toBeCloseTo(1, 6)
    expect(matches[1]?.score).toBeCloseTo(Math.SQRT1_2, 6)
  })

  it('takes writes in turn, each as a whole', async () => {
    const index = exactIndex({ dimensions: 1, metric: 'dot' })
    const batch = (value: number) =>
      Array.from({ length: 500 }, (_, i) => ({ id: `e${i}`, vector: Float32Array.of(value) }))
    await Promise.all([1, 2, 3].map((value) => index.upsert(batch(value))))
    const matches = await index.search(Float32Array.of(1), { topK: 1_000 })
    expect(new Set(matches.map(({ score }) => score))).toEqual(new Set([3]))
  })

  it('refuses metadata that are not JSON', async () => {
    const index = exactIndex({ dimensions: 1 })
    for (const bad of [Number.NaN, new Date(), () => 1, 1n]) {
      const metadata = { bad } as unknown as { bad: number }
      const entry = { id: 'a', vector: Float32Array.of(1), metadata }
      await expect(index.upsert([entry])).rejects.toMatchObject({ code: 'INVALID_METADATA' })
    }
    expect(await index.count()).toBe(0)
  })
})

import { describe, expect, it } from 'vitest'
import { createRandom, vectorIndexConformance } from '../../src/testing/index.ts'
import { type ExactIndexOptions, exactIndex } from '../../src/vector-index/index.ts'

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

  it('compares vectors of every length that 32-bit floats have, by every metric', async () => {
    const random = createRandom(12)
    const powers = [-45, -38, -30, -20, -12, -6, 0, 6, 12, 15, 20, 30, 37]
    const vectors = powers.flatMap((power) =>
      Array.from({ length: 5 }, () => Float32Array.from({ length: 6 }, () => (random.next() * 8 - 4) * 10 ** power)),
    )
    const usable = vectors.filter((vector) => vector.some((value) => value !== 0))
    for (const metric of ['cosine', 'dot', 'euclidean'] as const) {
      const index = exactIndex({ dimensions: 6, metric })
      await index.upsert(usable.map((vector, i) => ({ id: `e${i}`, vector })))
      for (const query of usable) {
        const matches = await index.search(query, { topK: usable.length })
        expect(matches.length).toBe(usable.length)
        for (const [i, { id, score }] of matches.entries()) {
          const other = usable[Number(id.slice(1))]!
          let [dot, distance, a, b] = [0, 0, 0, 0]
          for (let at = 0; at < 6; at++) {
            dot += query[at]! * other[at]!
            distance += (query[at]! - other[at]!) ** 2
            a += query[at]! ** 2
            b += other[at]! ** 2
          }
          const lengths = Math.sqrt(a) * Math.sqrt(b)
          const expected = metric === 'dot' ? dot : metric === 'cosine' ? dot / lengths : -distance
          const scale = metric === 'dot' ? lengths : metric === 'cosine' ? 1 : distance
          expect(Math.abs(score - expected)).toBeLessThanOrEqual(1e-5 * scale)
          expect(Number.isFinite(score)).toBe(true)
          if (i > 0) expect(matches[i - 1]!.score).toBeGreaterThanOrEqual(score)
        }
      }
    }
  })

  it.each([
    {},
    undefined,
    null,
    { dimensions: 0 },
    { dimensions: 2.5 },
    { dimensions: Number.NaN },
    { dimensions: 65_537 },
    { dimensions: '3' },
    { dimensions: 3, metric: 'manhattan' },
    { dimensions: 3, metric: null },
    { dimensions: 3, space: 5 },
  ])('refuses %o', (options) => {
    expect(() => exactIndex(options as ExactIndexOptions)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('must be') }),
    )
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

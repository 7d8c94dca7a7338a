import { describe, expect, it } from 'vitest'
import type { Metadata } from '../../src/document.ts'
import { usearchIndex } from '../../src/providers/usearch/index.ts'
import { createRandom } from '../../src/testing/index.ts'
import { exactIndex } from '../../src/vector-index/index.ts'
import type { VectorBlock, VectorIndex } from '../../src/vector-index/vector-index.ts'

const DIMENSIONS = 24
const random = createRandom(5)
const rows = Float32Array.from({ length: 700 * DIMENSIONS }, () => (random.below(2001) - 1000) / 1000)
const ids = Array.from({ length: 700 }, (_, at) => `e${at}`)
const metadata: Metadata[] = ids.map((_, at) => ({ group: at % 4 }))
const rowAt = (at: number) => rows.slice(at * DIMENSIONS, (at + 1) * DIMENSIONS)

async function* blocks(sizes: readonly number[]): AsyncGenerator<VectorBlock> {
  let from = 0
  for (const size of sizes) {
    const to = from + size
    const vectors = rows.slice(from * DIMENSIONS, to * DIMENSIONS)
    const first = from
    yield { count: size, vectors, idAt: (at) => ids[first + at]!, metadataAt: (at) => metadata[first + at] }
    from = to
  }
}

const makers: Record<string, () => Promise<VectorIndex>> = {
  exactIndex: async () => exactIndex({ dimensions: DIMENSIONS }),
  usearchIndex: () => usearchIndex({ dimensions: DIMENSIONS, directory: null, exactBelow: 200 }),
  'usearchIndex with its vectors in a file': () => usearchIndex({ dimensions: DIMENSIONS, vectors: 'file' }),
}

describe.each(Object.entries(makers))('fill of %s', (_, make) => {
  it('leaves what upsert leaves, before and after changes', async () => {
    const [filled, plain] = [await make(), exactIndex({ dimensions: DIMENSIONS })]
    await filled.fill!(blocks([300, 0, 400]), { count: 650 })
    await plain.upsert(ids.map((id, at) => ({ id, vector: rowAt(at), metadata: metadata[at]! })))
    const same = async () => {
      for (let at = 0; at < 10; at++) {
        const query = Float32Array.from({ length: DIMENSIONS }, () => (random.below(2001) - 1000) / 1000)
        const filter = at % 2 === 0 ? ({ op: 'eq', path: ['group'], value: 2 } as const) : undefined
        const each = { topK: 20, filter }
        const [found, expected] = [await filled.search(query, each), await plain.search(query, each)]
        expect(found.map(({ id, metadata: own }) => [id, own])).toEqual(
          expected.map(({ id, metadata: own }) => [id, own]),
        )
        for (const [rank, { score }] of found.entries()) expect(score).toBeCloseTo(expected[rank]!.score, 5)
      }
      expect(await filled.count()).toBe(await plain.count())
    }
    await same()
    for (const index of [filled, plain]) {
      await index.remove(['e5', 'nobody'])
      await index.upsert([
        { id: 'e6', vector: rowAt(9), metadata: { group: 3 } },
        { id: 'new', vector: rowAt(5) },
      ])
    }
    await same()
    await filled.close?.()
  })

  it('refuses a second filling and bad vectors, and is empty after a failure', async () => {
    const index = await make()
    const one = async function* (vectors: Float32Array): AsyncGenerator<VectorBlock> {
      yield* blocks([3])
      yield { count: 1, vectors, idAt: () => 'x', metadataAt: () => ({}) }
    }
    await expect(index.fill!(one(new Float32Array(3)))).rejects.toMatchObject({ code: 'DIMENSION_MISMATCH' })
    const bad = new Float32Array(DIMENSIONS).fill(Number.NaN)
    await expect(index.fill!(one(bad))).rejects.toMatchObject({ code: 'INVALID_VECTOR' })
    expect(await index.count()).toBe(0)
    await index.fill!(blocks([2]))
    await expect(index.fill!(blocks([2]))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    expect((await index.search(rowAt(1), { topK: 5 })).map(({ id }) => id)).toContain('e1')
    await index.close?.()
  })
})

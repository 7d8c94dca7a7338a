import { describe, expect, test } from 'vitest'
import { memoryStorage, openCorpus, scanCorpus } from '../../src/corpus/index.ts'
import { exactIndex } from '../../src/vector-index/index.ts'
import { collect, entryFor, space, vectorFor } from './support.ts'

describe('scanCorpus', () => {
  test('gives what an exact index over the same version gives, by every metric, filtered or not', async () => {
    const corpus = await openCorpus({ storage: memoryStorage(), maintenance: 'manual' })
    for (let index = 0; index < 30; index++) {
      const document = {
        id: `d${index % 20}`,
        text: `text ${index} over a few chunks of twenty`,
        metadata: { odd: index % 2 === 1 },
      }
      await corpus.commit({ put: [entryFor(document)], space })
    }
    const view = await corpus.at(25)
    for (const metric of ['cosine', 'dot', 'euclidean'] as const) {
      for (const each of [corpus, view]) {
        const index = exactIndex({ dimensions: 4, metric })
        for (const { chunk, vector } of await collect(each.entries())) {
          await index.upsert([{ id: chunk.id, vector: vector!, metadata: chunk.metadata }])
        }
        for (const filter of [undefined, { op: 'eq', path: ['odd'], value: true } as const]) {
          const query = vectorFor(`query ${metric}`)
          const expected = await index.search(query, { topK: 7, filter })
          const found = await scanCorpus(each, query, { topK: 7, metric, filter })
          expect(found.map(({ id }) => id)).toEqual(expected.map(({ id }) => id))
          for (const [rank, { score }] of found.entries()) expect(score).toBeCloseTo(expected[rank]!.score, 5)
        }
      }
    }
    await expect(scanCorpus(corpus, Float32Array.of(1), { topK: 1 })).rejects.toMatchObject({
      code: 'DIMENSION_MISMATCH',
    })
    await expect(scanCorpus(corpus, new Float32Array(4), { topK: 1 })).rejects.toMatchObject({ code: 'INVALID_VECTOR' })
    await expect(scanCorpus(corpus, vectorFor('x'), { topK: 0 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })
})

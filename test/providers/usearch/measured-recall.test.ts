import { existsSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { type UsearchIndex, type UsearchIndexOptions, usearchIndex } from '../../../src/providers/usearch/index.ts'
import { createRandom } from '../../../src/testing/index.ts'

// Workers run built code: `npm test` builds first.
const workerUrl = new URL('../../../dist/providers/usearch/graph-worker.js', import.meta.url)
const dimensions = 16

beforeAll(() => {
  if (!existsSync(workerUrl)) throw new Error('npm run build:js first: workers run built code')
})

const random = createRandom(31)
const newVector = () => Float32Array.from({ length: dimensions }, () => random.normal())
const newEntries = (prefix: string, size: number) =>
  Array.from({ length: size }, (_, i) => ({ id: `${prefix}${i}`, vector: newVector() }))

/** The index has measured itself with enough queries, and knows how wide searches of its graph are: 0 would scan. */
function expectMeasured(index: UsearchIndex) {
  const { recall, recallQueries, recallTarget, failure } = index.stats()
  expect(failure).toBeUndefined()
  expect(recallQueries).toBeGreaterThanOrEqual(500)
  expect(recall.map(({ topK }) => topK)).toEqual([1, 10, 100])
  for (const point of recall) {
    expect(point.recall).toBeGreaterThanOrEqual(recallTarget)
    expect(point.candidates).toBeGreaterThan(0)
  }
}

// Each builds up to three graphs: some seconds of processor time, which other work of the machine may stretch to minutes.
describe.each<[string, Partial<UsearchIndexOptions>]>([
  ['published as a file', {}],
  ['kept in its worker', { directory: null }],
  ['built on the caller', { directory: null, workerUrl: new URL('./missing.js', import.meta.url) }],
])('a graph %s', (_, options) => {
  const open = async () => {
    const index = await usearchIndex({ dimensions, exactBelow: 200, workerUrl, connectivity: 8, ...options })
    await index.upsert(newEntries('e', 6_000))
    await index.settled()
    return index
  }

  it('is still measured, and used, when build is called with nothing or little to add', async () => {
    const index = await open()
    expectMeasured(index)
    const before = index.stats().recall
    await index.build()
    expectMeasured(index)
    // Vectors that are in the graph find it easier: that narrows no search.
    for (const [i, { candidates }] of index.stats().recall.entries())
      expect(candidates).toBeGreaterThanOrEqual(options.directory === null ? 1 : before[i]!.candidates)
    await index.upsert(newEntries('few', 7))
    await index.build()
    expectMeasured(index)
    expect(index.stats()).toMatchObject({ graphNodes: 6_007, pending: 0 })
    await index.close()
  }, 300_000)

  it('is measured with 500 queries after removals and after additions', async () => {
    const index = await open()
    await index.remove(Array.from({ length: 1_450 }, (_, i) => `e${i * 4}`))
    await index.settled()
    expect(index.stats().deadNodes).toBe(1_450)
    expectMeasured(index)
    await index.upsert(newEntries('new', 750))
    await index.settled()
    expectMeasured(index)
    // What was built has no node for what was removed, and is not built again.
    expect(index.stats()).toMatchObject({ graphNodes: 5_300, deadNodes: 0, pending: 0 })
    const again = index.build()
    await new Promise(setImmediate)
    expect(index.stats().building).toBe(false)
    await again
    await index.close()
  }, 300_000)
})

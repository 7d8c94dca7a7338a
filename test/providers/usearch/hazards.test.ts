import { cp, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { type UsearchIndexOptions, usearchIndex } from '../../../src/providers/usearch/index.ts'
import { createRandom } from '../../../src/testing/index.ts'
import { exactIndex, type VectorIndex } from '../../../src/vector-index/index.ts'

// One test for each way in which raw USearch is known to fail; damaged files and short ones have tests of their own, arguments
// are cases of the conformance kit. Workers run built code: `npm test` builds first.
const workerUrl = new URL('../../../dist/providers/usearch/graph-worker.js', import.meta.url)
const dimensions = 16
const small: UsearchIndexOptions = { dimensions, exactBelow: 100, workerUrl }
const root = await mkdtemp(join(tmpdir(), 'groundline-hazards-'))
const newFolder = () => mkdtemp(join(root, 'i-'))
afterAll(() => rm(root, { recursive: true, force: true }))

const random = createRandom(31)
const centres = Array.from({ length: 30 }, () => Float32Array.from({ length: dimensions }, () => random.normal()))
const vectorOf = () => random.pick(centres).map((value) => value + 0.6 * random.normal())
const entriesOf = (count: number, prefix = 'e') =>
  Array.from({ length: count }, (_, i) => ({ id: `${prefix}${i}`, vector: vectorOf() }))
const entries = entriesOf(1_200)
const queries = Array.from({ length: 60 }, vectorOf)

async function agree(index: VectorIndex, oracle: VectorIndex, least = 0.97, topK = 10): Promise<void> {
  expect(await index.count()).toBe(await oracle.count())
  let [found, wanted] = [0, 0]
  for (const query of queries) {
    const expected = await oracle.search(query, { topK })
    const matches = await index.search(query, { topK })
    expect(matches.length).toBe(expected.length)
    const ids = new Set(expected.map(({ id }) => id))
    found += matches.filter(({ id }) => ids.has(id)).length
    wanted += expected.length
  }
  expect(found / wanted).toBeGreaterThanOrEqual(least)
}

async function oracleOf(given: readonly { id: string; vector: Float32Array }[]): Promise<VectorIndex> {
  const oracle = exactIndex({ dimensions })
  await oracle.upsert(given)
  return oracle
}

describe('usearchIndex', () => {
  it('saves a whole index while a graph is built anew, searches go on and entries change', async () => {
    const directory = await newFolder()
    const index = await usearchIndex({ ...small, directory })
    await index.upsert(entries)
    await index.settled()
    await index.save()
    const oracle = await oracleOf(entries)
    for (let round = 0; round < 4; round++) {
      // Keys of the new graph are others than those of the one that the files before name.
      const gone = entries.slice(round * 60, round * 60 + 60).map(({ id }) => id)
      const added = entriesOf(40, `r${round}-`)
      for (const each of [index, oracle]) {
        await each.remove(gone)
        await each.upsert(added)
      }
      let isBuilding = true
      const built = index.build({ compact: true }).finally(() => {
        isBuilding = false
      })
      let saves = 0
      while (isBuilding || saves === 0) {
        await Promise.all([index.save(), index.search(queries[0]!, { topK: 5 })])
        const copy = await newFolder()
        // The build's own files come and go meanwhile.
        for (const name of await readdir(directory))
          await cp(join(directory, name), join(copy, name)).catch((error: { code?: string }) => {
            if (error.code !== 'ENOENT') throw error
          })
        const opened = await usearchIndex({ ...small, exactBelow: 1e9, directory: copy })
        if (saves++ % 4 === 0) await agree(opened, oracle)
        expect(opened.stats().graphNodes).toBeGreaterThan(0)
        await opened.close()
      }
      await built
      await agree(index, oracle)
    }
    await index.save()
    expect((await readdir(directory)).length).toBe(3)
    await index.close()
    const again = await usearchIndex({ ...small, directory })
    expect(again.stats()).toMatchObject({ pending: 0, failure: undefined })
    await agree(again, oracle)
    await again.close()
  }, 60_000)

  it('rethrows the reason of an aborted save, leaves no file behind, and keeps what was saved before', async () => {
    const directory = await newFolder()
    const index = await usearchIndex({ ...small, directory })
    await index.upsert(entries)
    await index.settled()
    await index.save()
    const before = (await readdir(directory)).sort()
    const reason = new Error('enough')
    for (let turns = 0; turns < 6; turns++) {
      const controller = new AbortController()
      const saved = index.save({ signal: controller.signal }).then(
        () => 'saved',
        (error) => error,
      )
      for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate)
      controller.abort(reason)
      const outcome = await saved
      if (outcome === 'saved') break
      expect(outcome).toBe(reason)
      expect((await readdir(directory)).sort()).toEqual(before)
    }
    await index.save()
    await index.close()
    const again = await usearchIndex({ ...small, directory })
    expect(await again.count()).toBe(1_200)
    await again.close()
  })

  it('ends writes and searches under way before it closes its files', async () => {
    for (let round = 0; round < 3; round++) {
      const index = await usearchIndex({ ...small, vectors: 'file' })
      await index.upsert(entries)
      const writing = index.upsert(entriesOf(4_000, 'late'))
      const searching = index.searchMany(
        Array.from({ length: 3_000 }, (_, i) => queries[i % 60]!),
        { topK: 5 },
      )
      const outcomes = Promise.allSettled([writing, searching])
      for (let turn = 0; turn < 4 * round; turn++) await new Promise(setImmediate)
      await index.close()
      for (const outcome of await outcomes)
        if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'CLOSED' })
    }
  })

  it('views on when another process puts another file in the place of its graph, and builds anew from vectors', async () => {
    const directory = await newFolder()
    const index = await usearchIndex({ ...small, directory })
    await index.upsert(entries)
    await index.settled()
    const oracle = await oracleOf(entries)
    const name = (await readdir(directory)).find((each) => each.startsWith('graph-'))!
    const replacement = join(directory, 'other')
    const damaged = await readFile(join(directory, name))
    damaged.fill(7, 20_000, 21_000)
    await writeFile(replacement, damaged)
    await rename(replacement, join(directory, name))
    await agree(index, oracle)
    const added = entriesOf(300, 'n')
    for (const each of [index, oracle]) await each.upsert(added)
    // The graph before cannot be read again: it is not added to.
    await index.settled()
    expect(index.stats()).toMatchObject({ graphNodes: 1_500, pending: 0, failure: undefined })
    await agree(index, oracle)
    await index.close()
  })

  it.skipIf(process.platform === 'win32')('publishes graphs that nobody may write to', async () => {
    const directory = await newFolder()
    const index = await usearchIndex({ ...small, directory })
    await index.upsert(entries)
    await index.settled()
    const name = (await readdir(directory)).find((each) => each.startsWith('graph-'))!
    const { mode } = await stat(join(directory, name))
    expect(mode & 0o222).toBe(0)
    expect(mode & 0o400).toBe(0o400)
    await index.close()
  })

  it('opens with other dimensions or another metric never, and with another form of graph by building it', async () => {
    const directory = await newFolder()
    const index = await usearchIndex({ ...small, directory })
    await index.upsert(entries)
    await index.settled()
    await index.save()
    await index.close()
    for (const other of [{ dimensions: 8 }, { dimensions: 32 }, { metric: 'dot' }, { metric: 'euclidean' }] as const)
      await expect(usearchIndex({ ...small, directory, ...other })).rejects.toMatchObject({
        code: 'DIMENSION_MISMATCH',
      })
    const oracle = await oracleOf(entries)
    for (const other of [{ quantization: 'f32' }, { connectivity: 8 }, { expansionAdd: 64 }] as const) {
      const again = await usearchIndex({ ...small, directory, ...other })
      expect(again.stats().graphNodes).toBe(0)
      await agree(again, oracle, 1)
      await again.settled()
      expect(again.stats().graphNodes).toBe(1_200)
      await agree(again, oracle)
      await again.close()
    }
  })

  it('gives batches no keys that stand for nothing, with most entries gone and more asked for than there are', async () => {
    const index = await usearchIndex({ ...small })
    await index.upsert(entries)
    await index.settled()
    const left = entries.filter((_, i) => i % 4 === 0)
    await index.remove(entries.filter((_, i) => i % 4 !== 0).map(({ id }) => id))
    const oracle = await oracleOf(left)
    const many = Array.from({ length: 130 }, (_, i) => queries[i % 60]!)
    for (const topK of [1, 10, 250, 299, 300, 301, 10_000]) {
      const batch = await index.searchMany(many, { topK })
      for (const [i, matches] of batch.entries()) {
        expect(matches.length).toBe(Math.min(topK, 300))
        expect(matches.every(({ id, score }) => /^e\d+$/.test(id) && Number.isFinite(score))).toBe(true)
        if (topK >= 300)
          expect(matches.map(({ id }) => id)).toEqual((await oracle.search(many[i]!, { topK })).map(({ id }) => id))
      }
    }
    await index.close()
  })

  it('keeps no vector of a removed entry in a file once it was built anew and saved', async () => {
    const directory = await newFolder()
    const index = await usearchIndex({ ...small, directory, metric: 'dot', quantization: 'f32' })
    await index.upsert(entries)
    await index.settled()
    await index.save()
    const bytesOf = async () =>
      Buffer.concat(await Promise.all((await readdir(directory)).map((name) => readFile(join(directory, name)))))
    const canary = Buffer.from(entries[7]!.vector.buffer)
    expect((await bytesOf()).includes(canary)).toBe(true)
    await index.remove(['e7'])
    await index.build({ compact: true })
    await index.save()
    expect((await bytesOf()).includes(canary)).toBe(false)
    expect((await bytesOf()).includes(Buffer.from(entries[8]!.vector.buffer))).toBe(true)
    await index.close()
  })

  it.each([
    ['f16', 'dot', 1e6],
    ['f16', 'euclidean', 1e6],
    ['bf16', 'dot', 1e25],
    ['bf16', 'euclidean', 1e25],
    ['f32', 'euclidean', 1e30],
    ['bf16', 'cosine', 1e30],
    ['i8', 'cosine', 1e-30],
    ['f16', 'dot', 1e-10],
    ['f16', 'euclidean', 1e-10],
  ] as const)(
    'finds the nearest by %s and %s where values of about %d leave what a graph can hold',
    async (quantization, metric, size) => {
      const index = await usearchIndex({ ...small, metric, quantization })
      const oracle = exactIndex({ dimensions, metric })
      const scaled = entries.map(({ id, vector }) => ({ id, vector: vector.map((value) => value * size) }))
      for (const each of [index, oracle]) await each.upsert(scaled)
      await index.settled()
      let found = 0
      for (const query of queries) {
        const asked = query.map((value) => value * size)
        const ids = new Set((await oracle.search(asked, { topK: 10 })).map(({ id }) => id))
        const matches = await index.search(asked, { topK: 10 })
        for (const { score } of matches) expect(Number.isFinite(score)).toBe(true)
        found += matches.filter(({ id }) => ids.has(id)).length
      }
      expect(found / 600).toBeGreaterThanOrEqual(0.97)
      await index.close()
    },
  )

  it.each([
    undefined,
    null,
    {},
    { dimensions: '3' },
    { dimensions: 3, directory: 5 },
    { dimensions: 3, directory: '' },
    { dimensions: 3, vectors: 'disk' },
    { dimensions: 3, workerUrl: 5 },
    { dimensions: 3, recall: '0.99' },
    { dimensions: 3, recall: null },
    { dimensions: 3, exactBelow: -1 },
    { dimensions: 3, exactBelow: Number.POSITIVE_INFINITY },
    { dimensions: 3, space: 5 },
  ])('refuses the options %o', async (options) => {
    await expect(usearchIndex(options as UsearchIndexOptions)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('must be'),
    })
  })
})

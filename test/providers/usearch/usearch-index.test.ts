import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type UsearchIndexOptions, usearchIndex } from '../../../src/providers/usearch/index.ts'
import { createRandom, vectorIndexConformance } from '../../../src/testing/index.ts'
import { exactIndex, type VectorIndex } from '../../../src/vector-index/index.ts'

// Workers run built code: `npm test` builds first.
const workerUrl = new URL('../../../dist/providers/usearch/graph-worker.js', import.meta.url)
const dimensions = 32
const folders: string[] = []
const newFolder = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'groundline-test-'))
  folders.push(folder)
  return folder
}

beforeAll(() => {
  if (!existsSync(workerUrl)) throw new Error('npm run build:js first: workers run built code')
})
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true })
})

/** Clustered vectors, as embeddings are: `size` around `size / 50` centres. */
function clustered(seed: number, size: number) {
  const random = createRandom(seed)
  const centres = Array.from({ length: Math.ceil(size / 50) }, () =>
    Float32Array.from({ length: dimensions }, () => random.normal()),
  )
  const vector = () => {
    const centre = random.pick(centres)
    return centre.map((value) => value + 0.7 * random.normal())
  }
  const entries = Array.from({ length: size }, (_, i) => ({
    id: `e${i}`,
    vector: vector(),
    metadata: { percent: i % 100, half: i % 2 === 0 },
  }))
  return { entries, queries: Array.from({ length: 500 }, vector) }
}

async function recallOf(index: VectorIndex, oracle: VectorIndex, queries: readonly Float32Array[], options = {}) {
  let found = 0
  let wanted = 0
  for (const query of queries) {
    const expected = await oracle.search(query, { topK: 10, ...options })
    const ids = new Set((await index.search(query, { topK: 10, ...options })).map(({ id }) => id))
    expect(ids.size).toBe(expected.length)
    found += expected.filter(({ id }) => ids.has(id)).length
    wanted += expected.length
  }
  return found / wanted
}

const small: Partial<UsearchIndexOptions> = { exactBelow: 200, workerUrl }
const both: [string, Partial<UsearchIndexOptions>][] = [
  ['files', small],
  ['a worker', { ...small, directory: null }],
]

describe('usearchIndex without a graph', () => {
  for (const { name, run } of vectorIndexConformance({ create: (options) => usearchIndex({ ...options, workerUrl }) }))
    it(name, run)
})

describe.each<[string, Partial<UsearchIndexOptions>]>([
  ['built in a worker', {}],
  ['kept in the worker that built it, without a file', { directory: null }],
  ['built on the caller, without a file', { directory: null, workerUrl: new URL('./missing.js', import.meta.url) }],
  ['with vectors on file', { vectors: 'file' }],
  ['with f16', { quantization: 'f16' }],
  ['with f32', { quantization: 'f32' }],
])('usearchIndex %s', (_, options) => {
  const create = async (given: { dimensions: number; metric: 'cosine' | 'dot' | 'euclidean' }) => {
    const index = await usearchIndex({ ...given, exactBelow: 16, workerUrl, ...options })
    return {
      ...index,
      async upsert(...parameters: Parameters<typeof index.upsert>) {
        await index.upsert(...parameters)
        await index.settled()
      },
    }
  }
  for (const { name, run } of vectorIndexConformance({ create, recall: 0.98 })) it(name, run)
})

describe('usearchIndex with i8', () => {
  const create = (given: { dimensions: number; metric: 'cosine' | 'dot' | 'euclidean' }) =>
    usearchIndex({ ...given, quantization: 'i8', exactBelow: 16, workerUrl })
  for (const { name, run } of vectorIndexConformance({ create, metrics: ['cosine'], recall: 0.98 })) it(name, run)
})

describe('usearchIndex', () => {
  const { entries, queries } = clustered(7, 3_000)

  it.each(both)(
    'reaches its declared recall, measures it on held-out vectors, and keeps it through churn (%s)',
    async (_, small) => {
      const index = await usearchIndex({ dimensions, ...small })
      const oracle = exactIndex({ dimensions })
      for (const each of [index, oracle]) await each.upsert(entries)
      await index.settled()
      expect(index.stats()).toMatchObject({ graphNodes: 3_000, pending: 0, recallQueries: 500, failure: undefined })
      for (const { recall } of index.stats().recall) expect(recall).toBeGreaterThanOrEqual(0.99)
      expect(await recallOf(index, oracle, queries)).toBeGreaterThanOrEqual(0.985)

      const gone = entries.filter((_, i) => i % 10 < 3).map(({ id }) => id)
      const added = clustered(8, 400).entries.map((entry) => ({ ...entry, id: `new ${entry.id}` }))
      for (const each of [index, oracle]) {
        await each.remove(gone)
        await each.upsert(added)
      }
      expect(await recallOf(index, oracle, queries)).toBeGreaterThanOrEqual(0.985)
      await index.settled()
      expect(await recallOf(index, oracle, queries)).toBeGreaterThanOrEqual(0.985)
      await index.build({ compact: true })
      expect(index.stats()).toMatchObject({ graphNodes: 2_500, deadNodes: 0, pending: 0 })
      await index.close()
    },
    120_000,
  )

  it.each(both)(
    'gives min(topK, allowed) matches at the recall of an exact scan under every filter (%s)',
    async (_, small) => {
      const index = await usearchIndex({ dimensions, ...small })
      const oracle = exactIndex({ dimensions })
      for (const each of [index, oracle]) await each.upsert(entries)
      await index.settled()
      for (const filter of [
        { op: 'eq', path: ['half'], value: true },
        { op: 'lt', path: ['percent'], value: 10 },
        { op: 'eq', path: ['percent'], value: 1 },
        { op: 'eq', path: ['percent'], value: -1 },
      ] as const)
        expect(await recallOf(index, oracle, queries, { filter })).not.toBeLessThan(0.98)

      // Everything near the query is excluded: the graph alone would find nothing.
      const query = queries[0]!
      const near = await oracle.search(query, { topK: 1_500 })
      for (const each of [index, oracle])
        await each.updateMetadata?.(near.map(({ id }) => ({ id, metadata: { near: true } })))
      const filter = { op: 'ne', path: ['near'], value: true } as const
      expect(await recallOf(index, oracle, [query], { filter })).toBeGreaterThanOrEqual(0.95)
      await index.close()
    },
  )

  it('says how it answered', async () => {
    const index = await usearchIndex({ dimensions, ...small })
    await index.upsert(entries)
    await index.settled()
    const notes: string[] = []
    const explain = (note: string) => notes.push(note)
    await index.search(queries[0]!, { topK: 1, explain })
    await index.search(queries[0]!, { topK: 10, explain, filter: { op: 'eq', path: ['percent'], value: 1 } })
    expect(notes[0]).toMatch(/^graph: \d+ candidates/)
    expect(notes[1]).toBe('exact scan of 30 of 3000 entries')
    await index.close()
  })

  it.each(both)('answers batches as it answers single searches (%s)', async (_, small) => {
    const index = await usearchIndex({ dimensions, ...small })
    await index.upsert(entries)
    await index.settled()
    const batch = await index.searchMany(queries, { topK: 5 })
    for (const [i, query] of queries.entries()) expect(batch[i]).toEqual(await index.search(query, { topK: 5 }))
    await expect(index.searchMany(queries, { topK: 5, signal: AbortSignal.abort('stop') })).rejects.toBe('stop')
    await index.close()
  })

  it('gives a batch up as soon as it is aborted, and answers the next one', async () => {
    const index = await usearchIndex({ dimensions, ...small })
    await index.upsert(entries)
    await index.settled()
    const many = Array.from({ length: 8 }, () => queries).flat()
    await index.searchMany(queries, { topK: 5 })
    for (const wait of [1, 5, 20]) {
      const controller = new AbortController()
      // So wide that each part keeps the worker for a while.
      const batch = index.searchMany(many, { topK: 1_000, signal: controller.signal })
      const settledAt = batch.then(
        () => 0,
        () => performance.now(),
      )
      await new Promise((resolve) => setTimeout(resolve, wait))
      const abortedAt = performance.now()
      controller.abort('enough')
      await expect(batch).rejects.toBe('enough')
      expect((await settledAt) - abortedAt).toBeLessThan(50)
    }
    const [first] = await index.searchMany(queries, { topK: 5 })
    expect(first).toEqual(await index.search(queries[0]!, { topK: 5 }))
    await index.close()
  })

  it.each(both)(
    'finds entries that were added, replaced and removed while a graph was built (%s)',
    async (_, small) => {
      const index = await usearchIndex({ dimensions, ...small })
      await index.upsert(entries)
      const moved = { id: 'e5', vector: entries[6]!.vector.map((value) => -value) }
      await index.upsert([moved, { id: 'fresh', vector: entries[7]!.vector.map((value) => -value) }])
      await index.remove(['e8'])
      await index.settled()
      expect((await index.search(moved.vector, { topK: 1 }))[0]?.id).toBe('e5')
      const [first] = await index.search(
        entries[7]!.vector.map((value) => -value),
        { topK: 1 },
      )
      expect(first?.id).toBe('fresh')
      const ids = (await index.search(entries[8]!.vector, { topK: 50 })).map(({ id }) => id)
      expect(ids).not.toContain('e8')
      await index.close()
    },
  )

  it('gives back and iterates what it holds', async () => {
    const index = await usearchIndex({ dimensions, ...small })
    await index.upsert(entries.slice(0, 20))
    expect(await index.get(['e3', 'none'])).toEqual([entries[3], undefined])
    expect([...index.entries()]).toEqual(entries.slice(0, 20))
    await index.close()
  })

  it('saves, opens and answers alike, from vectors in memory or on file', async () => {
    const directory = await newFolder()
    const index = await usearchIndex({ dimensions, ...small, directory })
    await index.upsert(entries)
    await index.settled()
    await index.remove(['e1'])
    await index.save()
    const answers = await Promise.all(queries.map((query) => index.search(query, { topK: 10 })))
    await index.close()
    for (const vectors of ['memory', 'file'] as const) {
      const again = await usearchIndex({ dimensions, ...small, directory, vectors })
      expect(again.stats()).toMatchObject({ entries: 2_999, graphNodes: 3_000, deadNodes: 1, pending: 0 })
      for (const [i, query] of queries.entries()) {
        const matches = await again.search(query, { topK: 10 })
        expect(matches.map(({ id }) => id)).toEqual(answers[i]?.map(({ id }) => id))
      }
      await again.close()
    }
    await expect(usearchIndex({ dimensions: 8, directory })).rejects.toMatchObject({ code: 'DIMENSION_MISMATCH' })
  })

  it('answers as the oracle does after changes to an index that was opened with its vectors on file', async () => {
    const directory = await newFolder()
    const index = await usearchIndex({ dimensions, ...small, directory })
    await index.upsert(entries)
    await index.settled()
    await index.save()
    await index.close()
    const oracle = exactIndex({ dimensions })
    await oracle.upsert(entries)
    let again = await usearchIndex({ dimensions, ...small, directory, vectors: 'file' })
    const replaced = entries.slice(0, 50).map(({ id, vector }) => ({ id, vector: vector.map((value) => -value) }))
    for (const each of [again, oracle]) {
      await each.remove(entries.slice(100, 200).map(({ id }) => id))
      await each.upsert(replaced)
      await each.upsert([{ ...entries[60]!, metadata: { percent: 1_000, half: false } }])
      await each.updateMetadata?.([{ id: 'e61', metadata: { percent: 1_000, half: true } }])
      await each.upsert([{ id: 'e150', vector: entries[7]!.vector }])
      await each.upsert([{ id: 'new', vector: entries[8]!.vector, metadata: { percent: 1_000, half: true } }])
      await expect(
        each.upsert([
          { id: 'e1', vector: entries[1]!.vector },
          { id: '', vector: entries[2]!.vector },
        ]),
      ).rejects.toThrow()
    }
    const asked = [...queries.slice(0, 50), ...replaced.map(({ vector }) => vector)]
    const same = async () => {
      expect(await again.count()).toBe(await oracle.count())
      expect(await recallOf(again, oracle, queries.slice(0, 200))).toBeGreaterThanOrEqual(0.98)
      // So few are allowed that both scan.
      for (const query of asked)
        for (const value of [1_000, 3]) {
          const search = { topK: 3, filter: { op: 'eq', path: ['percent'], value } } as const
          const found = await again.search(query, search)
          expect(found.map(({ id, metadata }) => [id, metadata])).toEqual(
            (await oracle.search(query, search)).map(({ id, metadata }) => [id, metadata]),
          )
        }
    }
    await same()
    expect(await again.get(['e1', 'e61', 'e120', 'e150'])).toEqual([
      replaced[1],
      { ...entries[61], metadata: { percent: 1_000, half: true } },
      undefined,
      { id: 'e150', vector: entries[7]!.vector },
    ])
    await again.build({ compact: true })
    await same()
    await again.save()
    const listed = new Map([...again.entries()].map((entry) => [entry.id, entry]))
    await again.close()
    again = await usearchIndex({ dimensions, ...small, directory, vectors: 'file' })
    await same()
    expect(new Map([...again.entries()].map((entry) => [entry.id, entry]))).toEqual(listed)
    await again.close()
  })

  it('builds again when more recall is asked for than a saved graph was measured for', async () => {
    const directory = await newFolder()
    const index = await usearchIndex({ dimensions, ...small, directory, recall: 0.95 })
    await index.upsert(entries)
    await index.settled()
    await index.save()
    const [before] = index.stats().recall
    await index.close()
    const again = await usearchIndex({ dimensions, ...small, directory, recall: 0.99 })
    await again.settled()
    const [after] = again.stats().recall
    expect(after!.recall).toBeGreaterThanOrEqual(0.99)
    expect(after!.candidates).toBeGreaterThan(before!.candidates)
    await again.close()
  })

  it.each(both)(
    'scans when a filter excludes what is near, and forgets the slots of a filter when metadata change (%s)',
    async (_, small) => {
      const index = await usearchIndex({ dimensions, ...small })
      const oracle = exactIndex({ dimensions })
      for (const each of [index, oracle]) await each.upsert(entries)
      await index.settled()
      const filter = { op: 'ne', path: ['near'], value: true } as const
      expect(await index.count({ filter })).toBe(3_000)
      const near = await oracle.search(queries[0]!, { topK: 1_000 })
      const marked = near.map(({ id }) => ({ id, metadata: { near: true } }))
      for (const each of [index, oracle]) await each.updateMetadata?.(marked)
      expect(await index.count({ filter })).toBe(2_000)
      expect(await index.search(queries[0]!, { topK: 10, filter })).toEqual(
        await oracle.search(queries[0]!, { topK: 10, filter }),
      )
      await index.close()
    },
  )

  it('never opens a damaged file: a graph is built again, entries are CORRUPT_DATA', async () => {
    const directory = await newFolder()
    const index = await usearchIndex({ dimensions, ...small, directory })
    await index.upsert(entries)
    await index.settled()
    await index.save()
    await index.close()
    const random = createRandom(4)
    const files = await readdir(directory)
    expect(files.length).toBe(3)
    for (const name of files) {
      const path = join(directory, name)
      const original = await readFile(path)
      for (let i = 0; i < 6; i++) {
        const damaged = Buffer.from(original)
        const at = random.below(damaged.length)
        damaged[at]! ^= 1 << random.below(8)
        await writeFile(path, damaged)
        if (i === 5) await truncate(path, random.below(original.length))
        const opened = usearchIndex({ dimensions, ...small, directory })
        if (name.startsWith('graph')) {
          const again = await opened
          expect(await again.count()).toBe(3_000)
          expect(again.stats().graphNodes).toBe(0)
          expect((await again.search(queries[0]!, { topK: 10 })).length).toBe(10)
          await again.close()
        } else {
          await expect(opened).rejects.toMatchObject({ code: 'CORRUPT_DATA' })
        }
        await writeFile(path, original)
      }
    }
  })

  it('holds the event loop for no longer than a moment while it builds', async () => {
    const index = await usearchIndex({ dimensions, ...small })
    let longest = 0
    let last = performance.now()
    const timer = setInterval(() => {
      longest = Math.max(longest, performance.now() - last)
      last = performance.now()
    }, 1)
    await index.upsert(clustered(9, 20_000).entries)
    longest = 0
    await index.settled()
    clearInterval(timer)
    // The bench holds it to 50 ms on a quiet machine.
    expect(longest).toBeLessThan(250)
    await index.close()
  })

  it('stops building when it is closed, or when the caller of build gives up', async () => {
    const index = await usearchIndex({ dimensions, ...small })
    await index.upsert(entries)
    const controller = new AbortController()
    const built = index.build({ signal: controller.signal })
    controller.abort('enough')
    await expect(built).rejects.toBe('enough')
    expect((await index.search(queries[0]!, { topK: 3 })).length).toBe(3)
    await index.close()
    await expect(index.search(queries[0]!, { topK: 3 })).rejects.toMatchObject({ code: 'CLOSED' })
  })

  it.each<Partial<UsearchIndexOptions>>([
    { dimensions: 0 },
    { recall: 0.5 },
    { recall: Number.NaN },
    { connectivity: 1e9 },
    { expansionAdd: Number.NaN },
    { quantization: 'b1' as 'i8' },
    { metric: 'dot', quantization: 'i8' },
    { directory: null, vectors: 'file' },
  ])('refuses %o', async (options) => {
    await expect(usearchIndex({ dimensions, ...options })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })
})

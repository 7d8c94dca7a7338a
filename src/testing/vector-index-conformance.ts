import type { Filter } from '../filter.ts'
import type { VectorEntry, VectorIndex, VectorMatch, VectorMetric } from '../vector-index/vector-index.ts'
import { type ConformanceCase, check, checkAborts, checkEqual, checkThrows } from './conformance.ts'
import { EDGE_METADATA, edgeFilters } from './edge-filters.ts'
import { invalidFilters } from './invalid-filters.ts'
import { createRandom, type Random } from './random.ts'
import { passesFilter, randomFilter, randomMetadata } from './random-filters.ts'
import { axis, badInputCases, entry } from './vector-index-input.ts'

/** What the cases need to know of an implementation. */
export interface VectorIndexConformanceOptions {
  /** Makes an empty index. */
  readonly create: (options: { dimensions: number; metric: VectorMetric }) => Promise<VectorIndex> | VectorIndex
  /** Metrics it offers. Default: all three. */
  readonly metrics?: readonly VectorMetric[]
  /** Mean share of the true nearest entries that a search must find. Default 1. */
  readonly recall?: number
  /** Entries of the larger cases. Default 300. */
  readonly size?: number
}

/** The laws of {@link VectorIndex}, checked against a plain loop over the entries. */
// @__NO_SIDE_EFFECTS__
export function vectorIndexConformance(options: VectorIndexConformanceOptions): readonly ConformanceCase[] {
  const { metrics = ['cosine', 'dot', 'euclidean'], recall = 1, size = 300 } = options
  const using = async (metric: VectorMetric, run: (index: VectorIndex) => Promise<void>, dimensions = 8) => {
    const index = await options.create({ dimensions, metric })
    try {
      await run(index)
    } finally {
      await index.close?.()
    }
  }
  const first = metrics[0]!
  return [
    ...metrics.map((metric) => ({
      name: `finds the nearest entries by ${metric}, with or without a filter, as a plain loop does`,
      run: () => using(metric, (index) => checkSearches(index, metric, size, recall)),
    })),
    {
      name: 'replaces vector and metadata, forgets removed entries, counts what is left',
      run: () =>
        using(first, async (index) => {
          await index.upsert([entry('a', 0, { n: 1 }), entry('b', 1), entry('c', 2)])
          await index.upsert([entry('a', 3, { n: 2 })])
          await index.remove(['b', 'unknown'])
          checkEqual(await index.count(), 2, 'count after an upsert of three, a replacement and a removal')
          checkEqual(await index.count({ filter: { op: 'eq', path: ['n'], value: 1 } }), 0, 'old metadata')
          const [best] = await index.search(axis(3), { topK: 1 })
          checkEqual([best?.id, best?.metadata], ['a', { n: 2 }], 'the replaced entry at its new place')
          const all = await index.search(axis(1), { topK: 10 })
          checkEqual(all.map(({ id }) => id).sort(), ['a', 'c'], 'everything that is left')
        }),
    },
    {
      name: 'breaks ties by id',
      run: () =>
        using(first, async (index) => {
          await index.upsert(['d', 'b', 'a', 'c'].map((id) => entry(id, 0)))
          const found = await index.search(axis(0), { topK: 3 })
          checkEqual(
            found.map(({ id }) => id),
            ['a', 'b', 'c'],
            'equal scores',
          )
        }),
    },
    {
      name: 'returns nothing from an empty index',
      run: () => using(first, async (index) => checkEqual(await index.search(axis(0), { topK: 5 }), [], 'matches')),
    },
    ...badInputCases(metrics, using),
    {
      name: 'refuses a topK that is no integer from 1 to 10,000',
      run: () =>
        using(first, async (index) => {
          await index.upsert([entry('a', 0)])
          for (const topK of [0, -1, 2.5, Number.NaN, 1e9, Number.POSITIVE_INFINITY, '3' as unknown as number])
            for (const call of [
              () => index.search(axis(0), { topK }),
              ...(index.searchMany === undefined ? [] : [() => index.searchMany!([axis(0)], { topK })]),
            ])
              await checkThrows(call, 'INVALID_ARGUMENT', `topK ${String(topK)}`)
          checkEqual((await index.search(axis(0), { topK: 10_000 })).length, 1, 'matches of the largest topK')
        }),
    },
    {
      name: 'refuses an id twice in one batch and stores none of the batch',
      run: () =>
        using(first, async (index) => {
          await checkThrows(() => index.upsert([entry('a', 0), entry('a', 1)]), 'DUPLICATE_ID', 'the batch')
          checkEqual(await index.count(), 0, 'count')
        }),
    },
    {
      name: 'gives filters over unknown fields, other types, nothing and very much their one meaning',
      run: () =>
        using(first, async (index) => {
          const entries = EDGE_METADATA.map((metadata, i) => entry(`e${String(i).padStart(2, '0')}`, 0, metadata))
          await index.upsert(entries)
          for (const { name, filter } of edgeFilters()) {
            const expected = entries.filter(({ metadata }) => passesFilter(filter, metadata)).map(({ id }) => id)
            const found = await index.search(axis(0), { topK: 100, filter })
            checkEqual(found.map(({ id }) => id).sort(), expected, name)
            checkEqual(await index.count({ filter }), expected.length, `count of ${name}`)
          }
        }),
    },
    {
      name: 'refuses every malformed filter',
      run: () =>
        using(first, async (index) => {
          await index.upsert([entry('a', 0, { a: 1 })])
          for (const { name, filter } of invalidFilters()) {
            const bad = filter as Filter
            await checkThrows(() => index.search(axis(0), { topK: 1, filter: bad }), 'INVALID_FILTER', name)
            await checkThrows(() => index.count({ filter: bad }), 'INVALID_FILTER', name)
          }
        }),
    },
    {
      name: 'keeps its own copy of vectors and metadata',
      run: () =>
        using(first, async (index) => {
          const vector = axis(0)
          const metadata = { tags: ['x'] }
          await index.upsert([{ id: 'a', vector, metadata }, entry('b', 1)])
          vector.fill(7)
          metadata.tags[0] = 'y'
          const filter: Filter = { op: 'contains', path: ['tags'], value: 'x' }
          const [best] = await index.search(axis(0), { topK: 1, filter })
          checkEqual(best?.id, 'a', 'the entry as it was stored')
        }),
    },
    {
      name: 'takes an aborted signal at its word, and works afterwards',
      run: () =>
        using(first, async (index) => {
          await checkAborts((signal) => index.upsert([entry('a', 0)], { signal }), 'upsert')
          checkEqual(await index.count(), 0, 'count after the aborted upsert')
          await index.upsert([entry('a', 0)])
          await checkAborts((signal) => index.search(axis(0), { topK: 1, signal }), 'search')
          await checkAborts((signal) => index.remove(['a'], { signal }), 'remove')
          checkEqual(await index.count(), 1, 'count after the aborted remove')
        }),
    },
    {
      name: 'after close every call is CLOSED',
      run: async () => {
        const index = await options.create({ dimensions: 8, metric: first })
        if (index.close === undefined) return
        await index.upsert([entry('a', 0)])
        await index.close()
        await index.close()
        await checkThrows(() => index.search(axis(0), { topK: 1 }), 'CLOSED', 'search')
        await checkThrows(() => index.upsert([entry('b', 0)]), 'CLOSED', 'upsert')
        await checkThrows(() => index.count(), 'CLOSED', 'count')
      },
    },
  ]
}

async function checkSearches(index: VectorIndex, metric: VectorMetric, size: number, recall: number): Promise<void> {
  const random = createRandom(20)
  const entries: VectorEntry[] = Array.from({ length: size }, (_, i) => ({
    id: `e${i}`,
    vector: gaussian(random, index.dimensions),
    metadata: randomMetadata(random),
  }))
  await index.upsert(entries.slice(0, size / 2))
  await index.upsert(entries.slice(size / 3))
  let found = 0
  let wanted = 0
  for (let i = 0; i < 60; i++) {
    const query = gaussian(random, index.dimensions)
    const filter = i % 3 === 0 ? undefined : randomFilter(random)
    const topK = random.pick([1, 3, 10, 50])
    const expected = plainSearch(entries, metric, query, topK, filter)
    const actual = await index.search(query, { topK, filter })
    const label = `query ${i}, filter ${JSON.stringify(filter)}`
    checkEqual(actual.length, expected.length, `number of matches of ${label}`)
    checkMatches(actual, entries, metric, query, label)
    const ids = new Set(expected.map(({ id }) => id))
    found += actual.filter(({ id }) => ids.has(id)).length
    wanted += expected.length
    const allowed =
      filter === undefined ? size : entries.filter(({ metadata }) => passesFilter(filter, metadata)).length
    checkEqual(await index.count({ filter }), allowed, `count of ${label}`)
  }
  check(found >= recall * wanted, `recall must be at least ${recall}, got ${found / wanted}`)
}

function checkMatches(
  matches: readonly VectorMatch[],
  entries: readonly VectorEntry[],
  metric: VectorMetric,
  query: Float32Array,
  label: string,
): void {
  const byId = new Map(entries.map((each) => [each.id, each]))
  matches.forEach(({ id, score, metadata }, i) => {
    const stored = byId.get(id)
    check(stored !== undefined, `${label} returned ${id}, which was never stored`)
    const expected = plainScore(metric, query, stored.vector)
    const tolerance = 1e-5 * Math.max(1, Math.abs(expected))
    check(Math.abs(score - expected) <= tolerance, `score of ${id} in ${label} must be ${expected}, got ${score}`)
    checkEqual(metadata, stored.metadata, `metadata of ${id} in ${label}`)
    const before = matches[i - 1]
    const ordered = before === undefined || before.score > score || (before.score === score && before.id < id)
    check(ordered, `${label} must be best first, ties by id`)
  })
  checkEqual(new Set(matches.map(({ id }) => id)).size, matches.length, `distinct ids of ${label}`)
}

function plainSearch(
  entries: readonly VectorEntry[],
  metric: VectorMetric,
  query: Float32Array,
  topK: number,
  filter: Filter | undefined,
): readonly { id: string; score: number }[] {
  return entries
    .filter(({ metadata }) => filter === undefined || passesFilter(filter, metadata))
    .map(({ id, vector }) => ({ id, score: plainScore(metric, query, vector) }))
    .sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1))
    .slice(0, topK)
}

function plainScore(metric: VectorMetric, a: Float32Array, b: Float32Array): number {
  let [dot, distance, lengthA, lengthB] = [0, 0, 0, 0]
  a.forEach((x, i) => {
    const y = b[i]!
    dot += x * y
    distance += (x - y) ** 2
    lengthA += x * x
    lengthB += y * y
  })
  return metric === 'dot' ? dot : metric === 'euclidean' ? -distance : dot / Math.sqrt(lengthA * lengthB)
}

function gaussian(random: Random, dimensions: number): Float32Array {
  return Float32Array.from({ length: dimensions }, () => random.normal())
}

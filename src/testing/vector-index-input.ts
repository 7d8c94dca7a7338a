import type { Metadata } from '../document.ts'
import type { VectorBlock, VectorEntry, VectorIndex, VectorMetric } from '../vector-index/vector-index.ts'
import { type ConformanceCase, checkEqual, checkThrows } from './conformance.ts'

/** Runs a case with an empty index of 8 dimensions. */
export type UsingIndex = (metric: VectorMetric, run: (index: VectorIndex) => Promise<void>) => Promise<void>

/** What is no vector of 8 dimensions, with the code it is refused with. */
export function badVectors(
  metric: VectorMetric,
): readonly (readonly [name: string, vector: unknown, code: BadVector])[] {
  const detached = axis(0)
  structuredClone(detached, { transfer: [detached.buffer] })
  const zeros: readonly [string, unknown, BadVector] = ['all zeros', new Float32Array(8), 'INVALID_VECTOR']
  return [
    ['NaN', axis(0).fill(Number.NaN, 7), 'INVALID_VECTOR'],
    ['Infinity', axis(0).fill(Number.POSITIVE_INFINITY, 7), 'INVALID_VECTOR'],
    ['−Infinity', axis(0).fill(Number.NEGATIVE_INFINITY, 7), 'INVALID_VECTOR'],
    ['both infinities', axis(0).map((_, i) => (i % 2 === 0 ? 1 : -1) / 0), 'INVALID_VECTOR'],
    ['NaN in shared memory', shared(axis(0).fill(Number.NaN, 3)), 'INVALID_VECTOR'],
    ['nothing at all', new Float32Array(0), 'INVALID_VECTOR'],
    ['too short', new Float32Array(7).fill(1), 'DIMENSION_MISMATCH'],
    ['twice as long', new Float32Array(16).fill(1), 'DIMENSION_MISMATCH'],
    ['a detached buffer', detached, 'INVALID_VECTOR'],
    ['a plain array', [1, 0, 0, 0, 0, 0, 0, 0], 'INVALID_VECTOR'],
    ['a Float64Array', new Float64Array(8).fill(1), 'INVALID_VECTOR'],
    ['bytes', new Uint8Array(32).fill(1), 'INVALID_VECTOR'],
    ['a buffer', new ArrayBuffer(32), 'INVALID_VECTOR'],
    ['null', null, 'INVALID_VECTOR'],
    ['nothing', undefined, 'INVALID_VECTOR'],
    ...(metric === 'cosine' ? [zeros] : []),
  ]
}

type BadVector = 'INVALID_VECTOR' | 'DIMENSION_MISMATCH'

/** The cases about arguments that are not what their types say, and about memory that its owner goes on using. */
export function badInputCases(metrics: readonly VectorMetric[], using: UsingIndex): readonly ConformanceCase[] {
  const first = metrics[0]!
  return [
    ...metrics.map((metric) => ({
      name: `refuses what is no vector before anything is stored, by ${metric}`,
      run: () => using(metric, (index) => checkBadVectors(index, metric)),
    })),
    {
      name: 'refuses what is no entry, id, metadata, filter or options, and changes nothing',
      run: () => using(first, checkBadArguments),
    },
    {
      name: 'takes vectors that are parts of larger buffers, or in memory shared with other threads',
      run: () =>
        using(first, async (index) => {
          const places = [0, 1, 2, 3].map((at) => ({ id: `e${at}`, vector: within(axis(at), at) }))
          await index.upsert(places)
          await index.upsert([{ id: 'shared', vector: shared(axis(4)) }])
          for (const at of [0, 1, 2, 3])
            checkEqual((await index.search(within(axis(at), 5 - at), { topK: 1 }))[0]?.id, `e${at}`, `axis ${at}`)
          checkEqual((await index.search(shared(axis(4)), { topK: 1 }))[0]?.id, 'shared', 'a shared query')
        }),
    },
    {
      name: 'reads a query when it is called, and not again when its owner has changed or detached it',
      run: () =>
        using(first, async (index) => {
          await index.upsert(Array.from({ length: 40 }, (_, i) => entry(`e${i}`, i % 8)))
          const expected = await index.search(axis(2), { topK: 3 })
          for (const spoil of [
            (vector: Float32Array<ArrayBuffer>) => vector.fill(Number.NaN),
            (vector: Float32Array<ArrayBuffer>) => structuredClone(vector, { transfer: [vector.buffer] }),
          ]) {
            const [one, many] = [axis(2), [axis(2), axis(2)]]
            const found = index.search(one, { topK: 3 })
            const batch = index.searchMany?.(many, { topK: 3 })
            for (const vector of [one, ...many]) spoil(vector)
            checkEqual(await found, expected, 'matches of a query that was changed later')
            if (batch !== undefined) checkEqual(await batch, [expected, expected], 'the same in a batch')
          }
        }),
    },
  ]
}

/** A vector along an axis. */
export function axis(at: number): Float32Array<ArrayBuffer> {
  const vector = new Float32Array(8)
  vector[at] = 1
  return vector
}

/** An entry along an axis. */
export function entry(id: string, at: number, metadata?: Metadata): VectorEntry {
  return metadata === undefined ? { id, vector: axis(at) } : { id, vector: axis(at), metadata }
}

/** The vector as a part of a larger buffer, `before` floats from its start, with others around it. */
function within(vector: Float32Array, before: number): Float32Array {
  const buffer = new Float32Array(before + vector.length + 3).fill(9)
  buffer.set(vector, before)
  return buffer.subarray(before, before + vector.length)
}

/** The vector in shared memory; as it is where a runtime has none. */
function shared(vector: Float32Array): Float32Array {
  if (typeof SharedArrayBuffer !== 'function') return vector
  const copy = new Float32Array(new SharedArrayBuffer(vector.byteLength))
  copy.set(vector)
  return copy as Float32Array
}

async function checkBadVectors(index: VectorIndex, metric: VectorMetric): Promise<void> {
  for (const [name, value, code] of badVectors(metric)) {
    const vector = value as Float32Array
    const batch = [entry('good', 0), entry('fine', 1), { id: 'bad', vector }, entry('late', 2)]
    await checkThrows(() => index.upsert(batch), code, `upsert of ${name}`)
    checkEqual(await index.count(), 0, `count after the upsert of ${name}`)
    await checkThrows(() => index.search(vector, { topK: 1 }), code, `search for ${name}`)
    if (index.searchMany !== undefined)
      await checkThrows(() => index.searchMany!([axis(0), vector], { topK: 1 }), code, `searches for ${name}`)
    if (index.fill !== undefined && value instanceof Float32Array && value.length === 8)
      await checkThrows(() => index.fill!(blockOf(vector)), code, `filling with ${name}`)
    checkEqual(await index.count(), 0, `count after ${name}`)
  }
  await index.upsert([entry('a', 0, { n: 1 })])
  for (const [name, value, code] of badVectors(metric)) {
    const batch = [entry('a', 3, { n: 2 }), { id: 'bad', vector: value as Float32Array }]
    await checkThrows(() => index.upsert(batch), code, `replacement together with ${name}`)
  }
  const [best] = await index.search(axis(0), { topK: 1 })
  checkEqual([await index.count(), best?.id, best?.metadata], [1, 'a', { n: 1 }], 'the entry that was not replaced')
}

async function* blockOf(vector: Float32Array): AsyncGenerator<VectorBlock> {
  yield { count: 1, vectors: axis(0), idAt: () => 'good', metadataAt: () => ({}) }
  yield { count: 1, vectors: vector, idAt: () => 'bad', metadataAt: () => ({}) }
}

async function checkBadArguments(index: VectorIndex): Promise<void> {
  await index.upsert([entry('a', 0, { n: 1 }), entry('b', 1)])
  const refuses = (call: () => unknown, what: string) => checkThrows(call, 'INVALID_ARGUMENT', what)
  const as = <T>(value: unknown) => value as T
  for (const bad of [undefined, null, 5, 'entries', {}]) {
    await refuses(() => index.upsert(as(bad)), `upsert of ${String(bad)}`)
    await refuses(() => index.remove(as(bad)), `remove of ${String(bad)}`)
    await refuses(() => index.upsert([entry('c', 2), as(bad)]), `upsert of an entry and ${String(bad)}`)
    if (typeof bad !== 'string') await refuses(() => index.remove(['a', as(bad)]), `remove of an id and ${String(bad)}`)
    if (index.updateMetadata !== undefined) {
      await refuses(() => index.updateMetadata!(as(bad)), `updateMetadata of ${String(bad)}`)
      const updates = [{ id: 'a', metadata: { n: 2 } }, as<{ id: string; metadata: Metadata }>(bad)]
      await refuses(() => index.updateMetadata!(updates), `updateMetadata of an entry and ${String(bad)}`)
    }
    if (index.searchMany !== undefined) await refuses(() => index.searchMany!(as(bad), { topK: 1 }), 'searchMany')
  }
  for (const options of [undefined, null, 5, {}, { topK: null }])
    await refuses(() => index.search(axis(0), as(options)), `search with ${JSON.stringify(options)}`)
  for (const id of [undefined, null, 5, '', '\u0000', 'a\nb', '\ud800', 'x'.repeat(1_025)])
    await refuses(() => index.upsert([{ id: as(id), vector: axis(2) }]), `the id ${JSON.stringify(id)}`)
  for (const metadata of [null, [], 'text', { n: Number.NaN }, { n: 1n }, { f: () => 1 }, new Date(0)]) {
    const upserted = () => index.upsert([entry('c', 2), { id: 'd', vector: axis(3), metadata: as(metadata) }])
    await checkThrows(upserted, 'INVALID_METADATA', 'metadata')
    const updates = [
      { id: 'a', metadata: { n: 2 } },
      { id: 'b', metadata: as<Metadata>(metadata) },
    ]
    if (index.updateMetadata !== undefined)
      await checkThrows(() => index.updateMetadata!(updates), 'INVALID_METADATA', 'metadata of an update')
  }
  for (const filter of [null, 5]) {
    await checkThrows(() => index.search(axis(0), { topK: 1, filter: as(filter) }), 'INVALID_FILTER', 'filter')
    await checkThrows(() => index.count({ filter: as(filter) }), 'INVALID_FILTER', 'filter of count')
  }
  const left = await index.search(axis(0), { topK: 10 })
  checkEqual(
    left.map(({ id, metadata = {} }) => [id, metadata]),
    [
      ['a', { n: 1 }],
      ['b', {}],
    ],
    'what there was before',
  )
}

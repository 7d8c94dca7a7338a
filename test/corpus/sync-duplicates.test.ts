import { expect, test } from 'vitest'
import type { Chunker } from '../../src/chunker/chunker.ts'
import { memoryStorage, nearDuplicates, openCorpus, planSync, type Source, syncCorpus } from '../../src/corpus/index.ts'
import type { Document } from '../../src/document.ts'
import type { LoaderInput } from '../../src/loader/loader.ts'
import { chunksOf } from './support.ts'

const chunker: Chunker = { id: 'slices-20', chunk: (document) => chunksOf(document) }
const load = async ({ id, content }: LoaderInput): Promise<Document> => {
  if (content === 'unloadable') throw new Error('no text')
  return { id, text: String(content) }
}
/** With revisions, an item that did not change is not read. */
const sourceOf = (files: Readonly<Record<string, string>>): Source => ({
  scope: 'test',
  items: async function* () {
    for (const [id, content] of Object.entries(files))
      yield { id, revision: `${content.length} ${content.slice(-20)}`, read: async () => ({ id, content }) }
  },
})

const long = Array.from({ length: 120 }, (_, index) => `word${index * 7}`).join(' ')
const near = `${long} trailing`

async function syncing(policy: 'skip' | 'link') {
  const corpus = await openCorpus({ storage: memoryStorage() })
  const optionsFor = (files: Readonly<Record<string, string>>) => ({
    corpus,
    source: sourceOf(files),
    load,
    chunker,
    duplicates: { finder: nearDuplicates(), policy },
  })
  return {
    corpus,
    run: (files: Readonly<Record<string, string>>) => syncCorpus(optionsFor(files)),
    plan: (files: Readonly<Record<string, string>>) => planSync(optionsFor(files)),
    optionsFor,
    /** Ids of the documents that can be found. */
    found: async () => {
      const ids: string[] = []
      for await (const { id, chunkIds } of corpus.documents()) if (chunkIds.length > 0) ids.push(id)
      return ids
    },
  }
}

test.each(['skip', 'link'] as const)('a duplicate stays one in later syncs, by %s', async (policy) => {
  const { run, found, corpus } = await syncing(policy)
  const files = { a: long, b: near, c: 'something else' }
  await run(files)
  const { version } = corpus.info()
  const again = await run(files)
  expect(again.added.concat(again.changed, again.removed)).toEqual([])
  expect(again.skipped).toEqual(policy === 'skip' ? [{ id: 'b', duplicateOf: 'a' }] : [])
  expect(corpus.info().version).toBe(version)
  expect(await found()).toEqual(['a', 'c'])
})

test.each(['skip', 'link'] as const)(
  'a new document that says what a stored one says is found out, by %s',
  async (policy) => {
    const { run, plan, found } = await syncing(policy)
    await run({ m: long, n: 'other' })
    // Listed before its original, and still the original is the one that was there.
    const files = { a: near, m: long, n: 'other' }
    expect((await plan(files)).skipped).toEqual(policy === 'skip' ? [{ id: 'a', duplicateOf: 'm' }] : [])
    await run(files)
    expect(await found()).toEqual(['m', 'n'])
  },
)

test.each(['skip', 'link'] as const)(
  'a duplicate takes the place of an original that went or changed, by %s',
  async (policy) => {
    const { run, found, corpus } = await syncing(policy)
    await run({ a: long, b: near })
    expect(await found()).toEqual(['a'])
    await run({ b: near })
    expect(await found()).toEqual(['b'])
    await run({ b: near, c: long })
    expect(await found()).toEqual(['b'])
    await run({ b: 'a wholly different text', c: long })
    expect(await found()).toEqual(['b', 'c'])
    expect((await corpus.document('c'))?.text).toBe(long)
  },
)

test('an original that cannot be read this time keeps its duplicates out', async () => {
  const { run, found } = await syncing('skip')
  await run({ a: long })
  const { failed, skipped } = await run({ a: 'unloadable', b: near })
  expect(failed.map(({ id }) => id)).toEqual(['a'])
  expect(skipped).toEqual([{ id: 'b', duplicateOf: 'a' }])
  expect(await found()).toEqual(['a'])
})

test('a plan carried out finds the duplicates of what it did not look at', async () => {
  const { run, plan, found, optionsFor } = await syncing('skip')
  await run({ a: long })
  const planned = await plan({ a: long, b: 'new' })
  await syncCorpus({ ...optionsFor({ a: long, b: 'new', c: near }), plan: planned })
  expect(await found()).toEqual(['a', 'b'])
})

test('without a policy, or with another, linked documents are indexed again', async () => {
  const { run, found, optionsFor } = await syncing('link')
  const files = { a: long, b: near }
  await run(files)
  const { duplicates: _, ...kept } = optionsFor(files)
  expect((await syncCorpus(kept)).changed).toEqual(['a', 'b'])
  expect(await found()).toEqual(['a', 'b'])
})

test('an empty document is stored once', async () => {
  const { run, corpus } = await syncing('link')
  await run({ empty: '' })
  expect((await run({ empty: '' })).reused).toEqual(['empty'])
  expect(corpus.info().documents).toBe(1)
})

test('a damaged original is compared with nothing, and ends no sync', async () => {
  const storage = memoryStorage()
  const options = { load, chunker, duplicates: { finder: nearDuplicates(), policy: 'skip' } } as const
  await syncCorpus({ ...options, corpus: await openCorpus({ storage }), source: sourceOf({ a: long }) })
  const damaged = memoryStorage()
  for (const name of await storage.list('')) {
    const bytes = await storage.read(name)
    const at = Buffer.from(bytes).indexOf('word77')
    if (at > 0) bytes[at]! ^= 1
    await damaged.writeNew(name, bytes)
  }
  const corpus = await openCorpus({ storage: damaged })
  const duplicates = { finder: nearDuplicates(), policy: 'skip' } as const
  const report = await syncCorpus({ ...options, corpus, source: sourceOf({ a: long, b: near }), duplicates })
  expect(report).toMatchObject({ added: ['b'], reused: ['a'], skipped: [], failed: [] })
  expect(corpus.info().damage).toMatchObject([{ documents: ['a'] }])
  // What is known to be damaged is taken in again.
  expect((await syncCorpus({ ...options, corpus, source: sourceOf({ a: long }), duplicates })).changed).toEqual(['a'])
})

test('a finder that serves many syncs forgets what changed and trusts nothing that went', async () => {
  const finder = nearDuplicates()
  const { run, found, optionsFor } = await syncing('skip')
  const shared = (files: Readonly<Record<string, string>>) =>
    syncCorpus({ ...optionsFor(files), duplicates: { finder, policy: 'skip' } })
  await shared({ a: long })
  await shared({ a: 'changed', b: near })
  expect(await found()).toEqual(['a', 'b'])
  await shared({ c: long })
  expect(await found()).toEqual(['c'])
  await run({ c: long })
  expect(finder.add('x', 'changed')).toBe('a')
  expect(finder.add('a', 'now this')).toBeUndefined()
  expect(finder.add('y', 'changed')).toBeUndefined()
})

test('an item that cannot be stored fails by itself, typed, and before it is embedded', async () => {
  const corpus = await openCorpus({ storage: memoryStorage() })
  const circle: Record<string, unknown> = {}
  circle.self = circle
  const bad: Readonly<Record<string, [code: string, document: Record<string, unknown>]>> = {
    'line\nbreak': ['INVALID_DOCUMENT', {}],
    [`${'x'.repeat(4096)}`]: ['INVALID_DOCUMENT', {}],
    '\ud800': ['INVALID_DOCUMENT', {}],
    circle: ['INVALID_METADATA', { metadata: circle }],
    big: ['INVALID_METADATA', { metadata: { n: 1n } }],
    call: ['INVALID_METADATA', { metadata: { f: () => 1 } }],
    proto: ['INVALID_METADATA', { metadata: JSON.parse('{"__proto__": 1}') }],
    text: ['INVALID_DOCUMENT', { text: 7 }],
    chunk: ['INVALID_DOCUMENT', { title: 'bad chunk id' }],
    member: ['INVALID_METADATA', { title: 'bad chunk metadata' }],
  }
  const ids = ['good', ...Object.keys(bad), 'also good']
  const source: Source = {
    scope: 'test',
    items: async function* () {
      for (const id of ids) yield { id, read: async () => ({ id, content: `text of ${id.slice(0, 10)}` }) }
    },
  }
  const embedded: string[] = []
  const hostile: Chunker = {
    id: 'hostile',
    chunk: (document) =>
      chunksOf(document).map((chunk) => ({
        ...chunk,
        ...(document.title === 'bad chunk id' && { id: 'a\u0000' }),
        ...(document.title === 'bad chunk metadata' && { metadata: { f: 1n } as never }),
      })),
  }
  const options = {
    corpus,
    source,
    load: async ({ id, content }: LoaderInput) => ({ id, text: String(content), ...bad[id]?.[1] }) as Document,
    chunker: hostile,
  }
  const planned = await planSync(options)
  const report = await syncCorpus({
    ...options,
    embed: async (chunks) => {
      embedded.push(...chunks.map(({ documentId }) => documentId))
      return chunks.map(() => Float32Array.of(1, 2))
    },
    space: { model: 'two', dimensions: 2, normalized: false },
  })
  expect(report.added.toSorted()).toEqual(['also good', 'good'])
  const codes = (failed: readonly { readonly id: string; readonly error: Error }[]) =>
    new Map(failed.map(({ id, error }) => [id, (error as Error & { code?: string }).code]))
  expect(codes(report.failed)).toEqual(new Map(Object.entries(bad).map(([id, [code]]) => [id, code])))
  expect(planned.failed).toHaveLength(8)
  expect(new Set(embedded)).toEqual(new Set(['good', 'chunk', 'member', 'also good']))
})

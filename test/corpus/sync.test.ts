import { describe, expect, test } from 'vitest'
import type { Chunker } from '../../src/chunker/chunker.ts'
import {
  type Corpus,
  iterableSource,
  memoryStorage,
  nearDuplicates,
  openCorpus,
  planSync,
  redactor,
  type Source,
  syncCorpus,
} from '../../src/corpus/index.ts'
import type { Document } from '../../src/document.ts'
import { GroundlineError } from '../../src/errors.ts'
import type { LoaderInput } from '../../src/loader/loader.ts'
import { chunksOf, collect, space, textsOf, vectorFor } from './support.ts'

const chunker: Chunker = { id: 'slices-20', chunk: (document) => chunksOf(document) }
const load = async ({ id, content, metadata }: LoaderInput): Promise<Document> => {
  if (content === 'unloadable') throw new GroundlineError('UNSUPPORTED_FORMAT', 'no text')
  return { id, text: String(content), ...(metadata && { metadata }) }
}

/** A source over a plain object; a value that is an Error is a failure to read. */
function sourceOf(files: Record<string, string | Error>, revisions: 'known' | 'unknown' = 'unknown'): Source {
  return {
    scope: 'test',
    items: async function* () {
      for (const [id, content] of Object.entries(files)) {
        yield {
          id,
          ...(revisions === 'known' && { revision: String(content).length.toString() }),
          read: async () => {
            if (content instanceof Error) throw content
            return { id, content }
          },
        }
      }
    },
  }
}

/** An embedder that remembers which texts it saw. */
function countingEmbed() {
  const seen: string[] = []
  return {
    seen,
    embed: async (chunks: readonly { readonly text: string }[]) => {
      seen.push(...chunks.map(({ text }) => text))
      return chunks.map(({ text }) => (text.includes('poison') ? new Error('poisoned') : vectorFor(text)))
    },
  }
}

const open = (): Promise<Corpus> => openCorpus({ storage: memoryStorage() })

describe('syncCorpus', () => {
  test('a sync reports added, changed, removed, reused and failed, and the corpus holds what the source lists', async () => {
    const corpus = await open()
    const { embed, seen } = countingEmbed()
    const run = (files: Record<string, string | Error>) =>
      syncCorpus({ corpus, source: sourceOf(files), load, chunker, embed, space })
    const first = await run({ a: 'one', b: 'two', c: 'unloadable', d: new Error('unreadable'), e: 'poison' })
    expect(first).toMatchObject({ added: ['a', 'b'], changed: [], removed: [], reused: [] })
    expect(first.failed.map(({ id }) => id).sort()).toEqual(['c', 'd', 'e'])
    seen.length = 0
    const second = await run({ a: 'one', b: 'two, changed', c: 'loadable' })
    expect(second).toMatchObject({ added: ['c'], changed: ['b'], removed: [], reused: ['a'], failed: [] })
    expect(seen).toEqual(['two, changed', 'loadable'])
    const third = await run({ a: 'one', b: new Error('unreadable') })
    expect(third).toMatchObject({ removed: ['c'], reused: ['a'] })
    expect(await textsOf(corpus)).toEqual(new Map(Object.entries({ a: 'one', b: 'two, changed' })))
  })

  test('an item that fails keeps its earlier version', async () => {
    const corpus = await open()
    const { embed } = countingEmbed()
    for (const a of ['good', 'poison', 'unloadable', new Error('gone')]) {
      await syncCorpus({ corpus, source: sourceOf({ a }), load, chunker, embed, space })
      expect(await textsOf(corpus)).toEqual(new Map([['a', 'good']]))
    }
  })

  test('documents of other sources and those added by hand are neither removed nor overwritten', async () => {
    const corpus = await open()
    const other: Source = { ...sourceOf({ x: 'theirs' }), scope: 'other' }
    await syncCorpus({ corpus, source: other, load, chunker })
    await corpus.commit({ put: [{ document: { id: 'y', text: 'by hand' }, chunks: [], vectors: [] }] })
    const report = await syncCorpus({ corpus, source: sourceOf({ x: 'ours', z: 'z' }), load, chunker })
    expect(report.failed).toMatchObject([{ id: 'x', error: { code: 'ALREADY_EXISTS' } }])
    expect(await textsOf(corpus)).toEqual(new Map(Object.entries({ x: 'theirs', y: 'by hand', z: 'z' })))
  })

  test('a folder that cannot be listed keeps its documents', async () => {
    const corpus = await open()
    await syncCorpus({ corpus, source: sourceOf({ 'sub/a': 'a', b: 'b', 'sub2/c': 'c' }), load, chunker })
    const source: Source = {
      scope: 'test',
      items: async function* () {
        yield { id: 'sub', error: new Error('no permission') }
      },
    }
    const report = await syncCorpus({ corpus, source, load, chunker })
    expect(report.removed.toSorted()).toEqual(['b', 'sub2/c'])
    expect([...(await textsOf(corpus)).keys()]).toEqual(['sub/a'])
  })

  test('an item whose revision is known is not read again', async () => {
    const corpus = await open()
    const options = { corpus, load, chunker }
    await syncCorpus({ ...options, source: sourceOf({ a: 'same' }, 'known') })
    const source: Source = {
      scope: 'test',
      items: async function* () {
        yield { id: 'a', revision: '4', read: () => Promise.reject(new Error('must not be read')) }
      },
    }
    expect(await syncCorpus({ ...options, source })).toMatchObject({ reused: ['a'], failed: [] })
  })

  test('another chunker or pipeline indexes everything again, and unchanged chunks are not embedded again', async () => {
    const corpus = await open()
    const { embed, seen } = countingEmbed()
    const text = 'first slice of text, second slice of tex'
    const options = { corpus, source: sourceOf({ a: text }, 'known'), load, embed, space }
    await syncCorpus({ ...options, chunker })
    expect(seen.length).toBe(2)
    const longer: Chunker = { id: 'slices-40', chunk: (document) => chunksOf(document, 40) }
    expect(await syncCorpus({ ...options, chunker: longer })).toMatchObject({ changed: ['a'] })
    expect(seen.length).toBe(3)
    expect(await syncCorpus({ ...options, chunker: longer, pipeline: 'other' })).toMatchObject({ changed: ['a'] })
    expect(seen.length).toBe(3)
    expect(await collect(corpus.entries())).toHaveLength(1)
  })

  test('a change of nested metadata is seen', async () => {
    const corpus = await open()
    const source = (value: number): Source => ({
      scope: 'test',
      items: async function* () {
        yield { id: 'a', read: async () => ({ id: 'a', content: 'x', metadata: { deep: { er: [{ value }] } } }) }
      },
    })
    await syncCorpus({ corpus, source: source(1), load, chunker })
    expect(await syncCorpus({ corpus, source: source(1), load, chunker })).toMatchObject({ reused: ['a'] })
    expect(await syncCorpus({ corpus, source: source(2), load, chunker })).toMatchObject({ changed: ['a'] })
    expect(corpus.record('a')?.metadata).toEqual({ deep: { er: [{ value: 2 }] } })
  })

  test('an interrupted sync keeps its batches, and the next one embeds only the rest', async () => {
    const files = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`f${index}`, `text ${index}`]))
    for (const stopAfter of [1, 7, 29]) {
      const corpus = await open()
      const { embed, seen } = countingEmbed()
      const controller = new AbortController()
      const reason = new Error('stop')
      const onProgress = ({ done }: { done: number }) => {
        if (done === stopAfter) controller.abort(reason)
      }
      const options = { corpus, source: sourceOf(files), load, chunker, embed, space, batchChunks: 4 }
      await expect(syncCorpus({ ...options, onProgress, signal: controller.signal })).rejects.toBe(reason)
      const report = await syncCorpus(options)
      expect(report.added.length + report.reused.length).toBe(30)
      expect(corpus.info().documents).toBe(30)
      expect(seen.length).toBeLessThanOrEqual(30 + 4)
    }
  })

  test('embeds a part of a batch while the part before is committed, and never has more than a batch embedded and not committed', async () => {
    const files = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`f${index}`, `text ${index}`]))
    const corpus = await open()
    let [embedded, committed, most, overlaps, committing] = [0, 0, 0, 0, false]
    const watched = {
      ...corpus,
      commit: async (...given: Parameters<typeof corpus.commit>) => {
        committing = true
        const before = embedded
        // As a disk would, it leaves the next part time to begin.
        for (let turn = 0; turn < 50 && embedded === before; turn++) await new Promise((next) => setImmediate(next))
        const commit = await corpus.commit(...given)
        committing = false
        committed += commit.added.length
        return commit
      },
    }
    const embed = async (chunks: readonly { readonly text: string }[]) => {
      const vectors = chunks.map(({ text }) => vectorFor(text))
      embedded += vectors.length
      most = Math.max(most, embedded - committed)
      if (committing) overlaps++
      return vectors
    }
    await syncCorpus({ corpus: watched, source: sourceOf(files), load, chunker, embed, space, batchChunks: 8 })
    expect(corpus.info().documents).toBe(40)
    expect(most).toBe(8)
    expect(overlaps).toBeGreaterThan(0)
  })

  test('asks for the next part before the embedder is done with the last, and for no third', async () => {
    const files = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`f${index}`, `text ${index}`]))
    let [underWay, most] = [0, 0]
    const embed = async (chunks: readonly { readonly text: string }[]) => {
      most = Math.max(most, ++underWay)
      for (let turn = 0; turn < 20; turn++) await new Promise((next) => setImmediate(next))
      underWay--
      return chunks.map(({ text }) => vectorFor(text))
    }
    const corpus = await open()
    await syncCorpus({ corpus, source: sourceOf(files), load, chunker, embed, space, batchChunks: 16 })
    expect(corpus.info().documents).toBe(40)
    expect(most).toBe(2)
  })

  test('writes nothing more once it has rejected', async () => {
    const files = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`f${index}`, `text ${index}`]))
    for (const stopAfter of [5, 6, 9, 20, 40]) {
      const corpus = await open()
      const controller = new AbortController()
      const onProgress = ({ done }: { done: number }) => {
        if (done === stopAfter) controller.abort(new Error('stop'))
      }
      const { embed } = countingEmbed()
      const options = { corpus, source: sourceOf(files), load, chunker, embed, space, batchChunks: 4 }
      await expect(syncCorpus({ ...options, onProgress, signal: controller.signal })).rejects.toThrow('stop')
      const { version } = corpus.info()
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
      expect(corpus.info().version).toBe(version)
    }
  })

  test('onCommit sees every batch, and an index that follows it holds what the corpus holds', async () => {
    const corpus = await open()
    const index = new Set<string>()
    const run = (files: Record<string, string>) =>
      syncCorpus({
        corpus,
        source: sourceOf(files),
        load,
        chunker,
        batchChunks: 2,
        onCommit: (commit, { put = [] }) => {
          for (const id of commit.removedChunkIds) index.delete(id)
          for (const { chunks } of put) for (const { id } of chunks) index.add(id)
        },
      })
    await run({ a: 'one', b: 'two', c: 'a text that makes more than a single chunk' })
    await run({ a: 'one', c: 'another text that makes more than a single chunk', d: 'new' })
    expect([...index].sort()).toEqual((await collect(corpus.entries())).map(({ chunk }) => chunk.id).sort())
  })

  test('a failing storage stops the sync with its error', async () => {
    const storage = memoryStorage()
    const failing = { ...storage, writeNew: () => Promise.reject(new GroundlineError('STORAGE_FAILED', 'disk full')) }
    const corpus = await openCorpus({ storage: failing })
    await expect(syncCorpus({ corpus, source: sourceOf({ a: 'x' }), load, chunker })).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
    })
  })

  test('an embedder that is down fails its batches, and after three of them the sync', async () => {
    const corpus = await open()
    const down = new Error('503')
    const files = Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`f${index}`, `text ${index}`]))
    const options = { corpus, load, chunker, space, batchChunks: 2, embed: () => Promise.reject(down) }
    await expect(syncCorpus({ ...options, source: sourceOf(files) })).rejects.toBe(down)
    const few = await syncCorpus({ ...options, source: sourceOf({ a: '1', b: '2' }) })
    expect(few.failed).toEqual([
      { id: 'a', error: down },
      { id: 'b', error: down },
    ])
  })
})

describe('planSync', () => {
  test('a plan says what the sync does and costs, writes nothing, and the sync carries it out', async () => {
    const storage = memoryStorage()
    const corpus = await openCorpus({ storage })
    const { embed, seen } = countingEmbed()
    const options = {
      corpus,
      load,
      chunker,
      embed,
      space,
      countTokens: (text: string) => text.length,
      pricePerMillion: 2,
    }
    const text = 'first slice of text, second slice of tex'
    await syncCorpus({ ...options, source: sourceOf({ a: text, b: 'two', c: 'gone' }) })
    const files = await storage.list('')
    const source = sourceOf({ a: text.replace('second', 'other!'), b: 'two', d: 'brand new', e: 'unloadable' })
    seen.length = 0
    const plan = await planSync({ ...options, source })
    expect(plan).toMatchObject({
      added: ['d'],
      changed: ['a'],
      removed: ['c'],
      reused: ['b'],
      chunks: 3,
      embedChunks: 2,
    })
    expect(plan.embedTokens).toBe('brand new'.length + 20)
    expect(plan.price).toBeCloseTo((plan.embedTokens / 1e6) * 2)
    expect(plan.failed.map(({ id }) => id)).toEqual(['e'])
    expect(seen).toEqual([])
    expect(await storage.list('')).toEqual(files)
    const report = await syncCorpus({ ...options, source, plan })
    expect(report).toMatchObject({
      added: plan.added,
      changed: plan.changed,
      removed: plan.removed,
      reused: plan.reused,
    })
    expect(seen).toHaveLength(plan.embedChunks)
  })

  test('a document that appeared after the plan is not removed by it', async () => {
    const corpus = await open()
    const options = { corpus, load, chunker }
    await syncCorpus({ ...options, source: sourceOf({ a: 'a', b: 'b' }) })
    const plan = await planSync({ ...options, source: sourceOf({ a: 'a', b: 'b' }) })
    expect(await syncCorpus({ ...options, source: sourceOf({ a: 'a' }), plan })).toMatchObject({ removed: [] })
    expect(corpus.info().documents).toBe(2)
  })
})

describe('renames, duplicates and preparation', () => {
  test('a renamed document keeps its vectors', async () => {
    const corpus = await open()
    const { embed, seen } = countingEmbed()
    const run = (files: Record<string, string>) =>
      syncCorpus({ corpus, source: sourceOf(files), load, chunker, embed, space })
    await run({ 'old/name': 'a text that makes more than one slice', b: 'b' })
    seen.length = 0
    const report = await run({ 'new/name': 'a text that makes more than one slice', b: 'b' })
    expect(report).toMatchObject({
      added: ['new/name'],
      removed: ['old/name'],
      renamed: [{ from: 'old/name', to: 'new/name' }],
    })
    expect(seen).toEqual([])
    for (const { chunk, vector } of await collect(corpus.entries())) expect(vector).toEqual(vectorFor(chunk.text))
  })

  test('near-duplicates are skipped or linked as the policy says', async () => {
    const long = Array.from({ length: 120 }, (_, index) => `word${index * 7}`).join(' ')
    const files = { a: long, b: `${long} trailing`, c: 'something else entirely' }
    for (const policy of ['skip', 'link'] as const) {
      const corpus = await open()
      const duplicates = { finder: nearDuplicates(), policy }
      const report = await syncCorpus({ corpus, source: sourceOf(files), load, chunker, duplicates })
      expect(report.skipped).toEqual(policy === 'skip' ? [{ id: 'b', duplicateOf: 'a' }] : [])
      expect(corpus.record('b')?.chunkIds).toEqual(policy === 'skip' ? undefined : [])
      expect(corpus.record('c')?.chunkIds).toHaveLength(2)
    }
  })

  test('what is redacted reaches neither the embedder nor the storage', async () => {
    const storage = memoryStorage()
    const corpus = await openCorpus({ storage })
    const { embed, seen } = countingEmbed()
    const redact = redactor()
    const prepare = (document: Document) => ({ ...document, text: redact(document.text) })
    const source = sourceOf({ a: 'Write to jane@example.com' })
    await syncCorpus({ corpus, source, load, chunker, embed, space, prepare })
    expect(seen.join()).not.toContain('jane')
    for (const name of await storage.list('')) {
      expect(Buffer.from(await storage.read(name)).includes('jane')).toBe(false)
    }
    expect(await syncCorpus({ corpus, source, load, chunker, embed, space, prepare })).toMatchObject({ reused: ['a'] })
  })

  test('whatever can be iterated is a source', async () => {
    const corpus = await open()
    const source = iterableSource('rows', () => [
      { id: 'r1', content: 'one' },
      { id: 'r2', content: 'two' },
    ])
    expect(await syncCorpus({ corpus, source, load, chunker })).toMatchObject({ added: ['r1', 'r2'] })
    const failing = iterableSource('rows', () => {
      throw new Error('database is down')
    })
    await expect(syncCorpus({ corpus, source: failing, load, chunker })).rejects.toThrow('database is down')
    expect(corpus.info().documents).toBe(2)
  })

  test('streams are read when their item is taken in, up to the limit; others are not held meanwhile', async () => {
    const corpus = await openCorpus({ storage: memoryStorage() })
    const events: string[] = []
    const bytes = async function* (name: string, count: number) {
      events.push(`read ${name}`)
      for (let at = 0; at < count; at++) yield new TextEncoder().encode('0123456789')
    }
    const source = iterableSource(
      'streams',
      function* () {
        for (const [id, count] of [
          ['a', 2],
          ['big', 100],
          ['b', 1],
        ] as const) {
          events.push(`list ${id}`)
          yield { id, content: bytes(id, count) }
        }
      },
      { maxBytes: 25 },
    )
    const decode = async ({ id, content }: LoaderInput) => ({
      id,
      text: new TextDecoder().decode(content as Uint8Array),
    })
    const totals: number[] = []
    const report = await syncCorpus({
      corpus,
      source,
      load: decode,
      chunker,
      onProgress: ({ total }) => totals.push(total),
    })
    expect(events).toEqual(['list a', 'read a', 'list big', 'read big', 'list b', 'read b'])
    expect(report).toMatchObject({ added: ['a', 'b'], failed: [{ id: 'big', error: { code: 'LIMIT_EXCEEDED' } }] })
    expect(totals).toEqual([1, 2, 3])
    expect((await corpus.document('a'))!.text).toBe('01234567890123456789')
  })
})

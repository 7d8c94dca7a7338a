import { describe, expect, test, vi } from 'vitest'
import { memoryStorage, openCorpus, type VersionedCorpus } from '../../src/corpus/index.ts'
import type { Metadata } from '../../src/document.ts'
import type { StoredChunk } from '../../src/retriever/retriever.ts'
import { collect, entryFor, space, textsOf, vectorFor } from './support.ts'

const put = (corpus: VersionedCorpus, id: string, text: string) =>
  corpus.commit({ put: [entryFor({ id, text })], space })
const wide = { model: 'wide', dimensions: 8, normalized: false }
const embedWide = async (chunks: readonly StoredChunk<Metadata>[]) =>
  chunks.map(({ text }) => vectorFor(`wide ${text}`, 8))

describe('versions', () => {
  test('every commit is a version that can be viewed, and rollback returns to it exactly', async () => {
    const storage = memoryStorage()
    const corpus = await openCorpus({ storage })
    for (let version = 1; version <= 5; version++) await put(corpus, `d${version % 3}`, `text ${version}`)
    expect((await corpus.versions()).map(({ version }) => version)).toEqual([1, 2, 3, 4, 5])
    const view = await corpus.at(2)
    expect(await textsOf(view)).toEqual(
      new Map([
        ['d1', 'text 1'],
        ['d2', 'text 2'],
      ]),
    )
    const before = await collect(view.entries())
    await expect(view.commit({})).rejects.toMatchObject({ code: 'READ_ONLY' })
    expect(await corpus.rollback(2)).toBe(6)
    expect(await collect(corpus.entries())).toEqual(before)
    expect(await textsOf(await openCorpus({ storage }))).toEqual(await textsOf(view))
    expect(await textsOf(await corpus.at(5))).toEqual(
      new Map([
        ['d0', 'text 3'],
        ['d1', 'text 4'],
        ['d2', 'text 5'],
      ]),
    )
    for (const unknown of [0, 99, -1, 1.5, 'none']) {
      await expect(corpus.at(unknown)).rejects.toMatchObject({ code: 'NOT_FOUND' })
      await expect(corpus.rollback(unknown)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    }
    await view.close()
    await expect(collect(view.entries())).rejects.toMatchObject({ code: 'CLOSED' })
  })

  test('compaction keeps every document, forgets the dead ones, and views survive it', async () => {
    const storage = memoryStorage()
    const corpus = await openCorpus({ storage, maintenance: 'manual' })
    for (let index = 0; index < 20; index++) await put(corpus, `d${index % 7}`, `text ${index}`)
    await corpus.commit({ remove: ['d1', 'd2'] })
    const view = await corpus.at(10)
    const [now, then] = [await collect(corpus.entries()), await collect(view.entries())]
    await corpus.compact()
    expect(await collect(corpus.entries())).toEqual(now)
    await corpus.collect({ keep: { versions: 1, milliseconds: 0 } })
    expect(await collect(view.entries())).toEqual(then)
    await view.close()
    await corpus.collect({ keep: { versions: 1, milliseconds: 0 } })
    expect((await storage.list('segments/')).length).toBe(1)
    expect(await storage.list('manifests/')).toHaveLength(1)
    expect(await collect((await openCorpus({ storage })).entries())).toEqual(now)
    expect(await corpus.verify()).toEqual([])
  })

  test('a tag keeps its version through compaction and collection, and untag lets it go', async () => {
    const storage = memoryStorage()
    const corpus = await openCorpus({ storage })
    await put(corpus, 'a', 'first')
    await corpus.tag('release')
    await expect(corpus.tag('release')).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
    await expect(corpus.tag('7')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    for (let index = 0; index < 5; index++) await put(corpus, 'a', `later ${index}`)
    await corpus.compact()
    await corpus.collect({ keep: { versions: 1, milliseconds: 0 } })
    const view = await corpus.at('release')
    expect(await textsOf(view)).toEqual(new Map([['a', 'first']]))
    await view.close()
    expect(await textsOf(await (await openCorpus({ storage })).at(1))).toEqual(new Map([['a', 'first']]))
    await corpus.rollback('release')
    expect(await textsOf(corpus)).toEqual(new Map([['a', 'first']]))
    await corpus.untag('release')
    await put(corpus, 'a', 'last')
    await corpus.compact()
    await corpus.collect({ keep: { versions: 1, milliseconds: 0 } })
    await expect(corpus.at('release')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    // The newest segment and manifest, and the audit entry of the rollback.
    expect((await storage.list('')).length).toBe(3)
  })

  test('small commits are joined and old versions collected without being asked', async () => {
    const storage = memoryStorage()
    const corpus = await openCorpus({ storage, keep: { versions: 4, milliseconds: 0 } })
    for (let index = 0; index < 200; index++) await put(corpus, `d${index % 50}`, `text ${index}`)
    expect((await storage.list('')).length).toBeLessThan(150)
    expect(corpus.info().documents).toBe(50)
    expect(await textsOf(await openCorpus({ storage }))).toEqual(
      new Map(Array.from({ length: 50 }, (_, index) => [`d${index}`, `text ${150 + index}`] as const).sort()),
    )
  })

  test('a version is kept for a while from when it was followed, however long ago it was made', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: new Date('2030-01-01T00:00:00Z') })
    try {
      const keep = { versions: 2, milliseconds: 600_000 }
      const storage = memoryStorage()
      const corpus = await openCorpus({ storage, keep, maintenance: 'manual' })
      await put(corpus, 'a', 'old')
      vi.setSystemTime(new Date('2030-01-02T00:00:00Z'))
      // Opened while it is the newest, by another process.
      const view = await (await openCorpus({ storage })).at(1)
      for (let index = 0; index < 5; index++) await put(corpus, 'a', `new ${index}`)
      await corpus.compact()
      await corpus.collect()
      expect(await textsOf(view)).toEqual(new Map([['a', 'old']]))
      vi.setSystemTime(new Date('2030-01-02T00:11:00Z'))
      expect((await corpus.collect()).versions).toContain(1)
      await expect(corpus.at(1)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    } finally {
      vi.useRealTimers()
    }
  })

  test('a writer that has not looked for long compacts, commits and purges what is there now', async () => {
    const storage = memoryStorage()
    const other = await openCorpus({ storage, maintenance: 'manual' })
    for (let index = 0; index < 40; index++) await put(other, `d${index}`, `text ${index}`)
    const calls: ((stale: VersionedCorpus) => Promise<unknown>)[] = [
      (stale) => put(stale, 'new', 'of a stale writer'),
      (stale) => stale.compact(),
      (stale) => stale.compact({ mode: 'small' }),
      (stale) => stale.purge(),
    ]
    for (const [step, call] of calls.entries()) {
      // So many small segments that a commit joins them first.
      for (let index = 0; index < 40; index++) await put(other, `d${index}`, `text ${index} ${step}`)
      const stale = await openCorpus({ storage })
      await other.compact()
      await other.collect({ keep: { versions: 1, milliseconds: 0 } })
      await call(stale)
      await other.refresh()
      expect((await textsOf(other)).get('d7')).toBe(`text 7 ${step}`)
      expect(await other.verify()).toEqual([])
    }
    expect((await textsOf(other)).get('new')).toBe('of a stale writer')
  })

  test('a writer whose segment a collection condemned writes it again', async () => {
    const storage = memoryStorage()
    const other = await openCorpus({ storage })
    await put(other, 'a', '1')
    let interfere = true
    const slow = await openCorpus({
      storage: {
        ...storage,
        publish: async (name, bytes, options) => {
          // Between writing its segment and naming it, another process collects.
          if (interfere) {
            interfere = false
            await other.collect({ keep: { versions: 1, milliseconds: 0 } })
          }
          return storage.publish(name, bytes, options)
        },
      },
    })
    await put(slow, 'b', '2')
    const again = await openCorpus({ storage })
    expect(await textsOf(again)).toEqual(
      new Map([
        ['a', '1'],
        ['b', '2'],
      ]),
    )
    expect(await again.verify()).toEqual([])
  })

  test('a writer that claims a number collected long ago takes it back and tries again', async () => {
    const storage = memoryStorage()
    const other = await openCorpus({ storage, maintenance: 'manual' })
    await put(other, 'a', '0')
    let interfere = true
    const slow = await openCorpus({
      storage: {
        ...storage,
        publish: async (name, bytes, options) => {
          if (interfere) {
            interfere = false
            for (let index = 1; index <= 5; index++) await put(other, 'a', String(index))
            await other.compact()
            await other.collect({ keep: { versions: 1, milliseconds: 0 } })
          }
          return storage.publish(name, bytes, options)
        },
      },
    })
    await put(slow, 'b', 'mine')
    for (const corpus of [slow, await openCorpus({ storage })]) {
      expect(await textsOf(corpus)).toEqual(
        new Map([
          ['a', '5'],
          ['b', 'mine'],
        ]),
      )
    }
  })
})

describe('embedding versions', () => {
  test('a candidate is built beside the corpus, promoted at once, and rolled back exactly', async () => {
    const corpus = await openCorpus({ storage: memoryStorage() })
    for (let index = 0; index < 9; index++) await put(corpus, `d${index}`, `text ${index} of some length or other`)
    const before = await collect(corpus.entries())
    expect(await corpus.planReembed(wide)).toEqual({ documents: 9, chunks: before.length, tokens: 0, price: 0 })
    const units = before.reduce((sum, { chunk }) => sum + chunk.text.length, 0)
    const priced = { countTokens: ({ text }: StoredChunk<Metadata>) => text.length, pricePerMillion: 2 }
    expect(await corpus.planReembed(wide, priced)).toMatchObject({ tokens: units, price: (units / 1_000_000) * 2 })
    await expect(corpus.promote()).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await corpus.reembed({ space: wide, embed: embedWide, batchChunks: 4 })
    expect(await collect(corpus.entries())).toEqual(before)
    await put(corpus, 'late', 'a late document')
    await corpus.commit({ remove: ['d3'] })
    await expect(corpus.promote()).rejects.toMatchObject({ code: 'CONFLICT' })
    await corpus.reembed({ space: wide, embed: embedWide })
    const old = await collect(corpus.entries())
    const version = corpus.info().version
    await corpus.promote()
    expect(corpus.info()).toMatchObject({ space: wide, documents: 9 })
    for (const { chunk, vector } of await collect(corpus.entries()))
      expect(vector).toEqual(vectorFor(`wide ${chunk.text}`, 8))
    await corpus.rollback(version)
    expect(corpus.info().space).toEqual(space)
    expect(await collect(corpus.entries())).toEqual(old)
  })

  test('what was written again meanwhile is what is promoted, though neither its text nor its metadata changed', async () => {
    const corpus = await openCorpus({ storage: memoryStorage(), maintenance: 'manual' })
    const entry = entryFor({ id: 'a', text: 'the text' })
    await corpus.commit({ put: [entry, entryFor({ id: 'b', text: 'another' })], space })
    await corpus.reembed({ space: wide, embed: embedWide })
    const outline = [{ kind: 'heading' as const, start: 0, end: 3, level: 1 }]
    const chunks = entry.chunks.map((chunk) => ({ ...chunk, metadata: { page: 7 } }))
    const again = { ...entry, document: { ...entry.document, outline }, chunks, expires: '2030-01-01T00:00:00.000Z' }
    await corpus.commit({ put: [again], space })
    await expect(corpus.promote()).rejects.toMatchObject({ code: 'CONFLICT' })
    expect(await corpus.planReembed(wide)).toMatchObject({ documents: 1 })
    await corpus.compact()
    await corpus.reembed({ space: wide, embed: embedWide })
    await corpus.promote()
    expect(corpus.record('a')?.expires).toBe('2030-01-01T00:00:00.000Z')
    expect((await corpus.document('a'))?.outline).toEqual(outline)
    expect((await corpus.get([chunks[0]!.id]))[0]?.metadata).toEqual({ page: 7 })
  })

  test('an interrupted reembed goes on where it stopped', async () => {
    const storage = memoryStorage()
    const corpus = await openCorpus({ storage })
    for (let index = 0; index < 12; index++) await put(corpus, `d${index}`, `text ${index}`)
    let calls = 0
    const failing = async (chunks: readonly StoredChunk<Metadata>[]) => {
      if (++calls === 3) throw new Error('down')
      return embedWide(chunks)
    }
    await expect(corpus.reembed({ space: wide, embed: failing, batchChunks: 3 })).rejects.toThrow('down')
    const again = await openCorpus({ storage })
    expect(await again.planReembed(wide)).toMatchObject({ documents: 6, chunks: 6 })
    await again.reembed({ space: wide, embed: embedWide, batchChunks: 3 })
    await again.promote()
    expect((await collect(again.entries())).every(({ vector }) => vector?.length === 8)).toBe(true)
    await expect(put(again, 'x', 'old space')).rejects.toMatchObject({ code: 'SPACE_MISMATCH' })
  })

  test('a candidate of another space is a conflict until it is discarded', async () => {
    const corpus = await openCorpus({ storage: memoryStorage() })
    await put(corpus, 'a', 'text')
    await corpus.reembed({ space: wide, embed: embedWide })
    const other = { ...wide, model: 'other' }
    await expect(corpus.reembed({ space: other, embed: embedWide })).rejects.toMatchObject({ code: 'CONFLICT' })
    const view = await corpus.candidate()
    expect((await collect(view.entries()))[0]?.vector).toHaveLength(8)
    await corpus.discardCandidate()
    await corpus.reembed({ space: other, embed: embedWide })
    await corpus.promote()
    expect(corpus.info().space).toEqual(other)
  })
})

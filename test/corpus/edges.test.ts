import { describe, expect, test } from 'vitest'
import { memoryStorage, openCorpus, restoreCorpus, type Storage, type VersionedCorpus } from '../../src/corpus/index.ts'
import type { Metadata } from '../../src/document.ts'
import { GroundlineError } from '../../src/errors.ts'
import type { StoredChunk } from '../../src/retriever/retriever.ts'
import { collect, entryFor, space, textsOf, vectorFor } from './support.ts'

const put = (corpus: VersionedCorpus, id: string, text: string) =>
  corpus.commit({ put: [entryFor({ id, text })], space })
const wide = { model: 'wide', dimensions: 8, normalized: false }
const embedWide = async (chunks: readonly StoredChunk<Metadata>[]) =>
  chunks.map(({ text }) => vectorFor(`wide ${text}`, 8))
const newestOnly = { keep: { versions: 1, milliseconds: 0 } }
const down = new GroundlineError('STORAGE_FAILED', 'the disk is gone')

/** Puts zeros over a file, or over the bytes from `start` to `end`. */
async function spoil(storage: Storage, name: string, start = 0, end?: number): Promise<void> {
  const bytes = await storage.read(name)
  await storage.remove(name)
  await storage.writeNew(name, bytes.fill(0, start, end))
}

const manifest = (version: number) => `manifests/${String(version).padStart(12, '0')}.man`
const segmentsOf = (storage: Storage) => storage.list('segments/')

/** Zeros where the text or vector stands in whichever segment holds it. */
async function spoilBytes(storage: Storage, needle: Uint8Array): Promise<void> {
  for (const name of await segmentsOf(storage)) {
    const at = Buffer.from(await storage.read(name)).lastIndexOf(needle)
    if (at >= 0) return spoil(storage, name, at, at + needle.length)
  }
  throw new Error('no segment holds these bytes')
}
const spoilText = (storage: Storage, text: string) => spoilBytes(storage, Buffer.from(`"text":"${text}"`))

describe('a corpus without a version', () => {
  test('has nothing to list, tag, promote or give up, and says so', async () => {
    const storage = memoryStorage()
    const corpus = await openCorpus({ storage })
    expect(await corpus.versions()).toEqual([])
    expect(await corpus.collect()).toEqual({ versions: [], files: [] })
    expect(await corpus.planReembed(wide)).toMatchObject({ documents: 0, chunks: 0 })
    expect(await collect(corpus.vectors())).toEqual([])
    await corpus.compact()
    await corpus.discardCandidate()
    for (const call of [corpus.tag('first'), corpus.untag('first'), corpus.promote(), corpus.candidate(), corpus.at(1)])
      await expect(call).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(corpus.untag('first')).rejects.toThrow('there is no tag "first"')
    expect(await storage.list('')).toEqual([])
  })

  test('is purged of leftovers, and names what is not its own', async () => {
    const storage = memoryStorage()
    await storage.writeNew('derived/index.bin', new Uint8Array(1))
    await storage.writeNew('keys/0.key', new Uint8Array(1))
    await storage.writeNew('notes.txt', new Uint8Array(1))
    const corpus = await openCorpus({ storage })
    const report = await corpus.purge()
    expect(report).toMatchObject({ documents: [], tags: [], removedFiles: ['derived/index.bin'] })
    expect(report.files.map(({ purpose }) => purpose)).toEqual(['audit trail, without ids and text', 'wrapped keys'])
    expect(report.unaccounted).toEqual(['notes.txt'])
  })

  test('can be given a space by an empty candidate', async () => {
    const corpus = await openCorpus({ storage: memoryStorage() })
    await corpus.reembed({ space: wide, embed: embedWide })
    expect(await corpus.promote()).toBe(2)
    expect(corpus.info()).toMatchObject({ documents: 0, space: wide })
  })
})

describe('history', () => {
  test('a damaged manifest is left out of the versions and reported; a failing storage is an error', async () => {
    const storage = memoryStorage()
    let isDown = false
    const read: Storage['read'] = async (name, ...rest) => {
      if (isDown) throw down
      return storage.read(name, ...rest)
    }
    const corpus = await openCorpus({ storage: { ...storage, read }, maintenance: 'manual' })
    for (const text of ['1', '2', '3']) await put(corpus, 'a', text)
    await spoil(storage, manifest(2), 40)
    expect((await corpus.versions()).map(({ version }) => version)).toEqual([1, 3])
    expect(corpus.info().damage).toMatchObject([{ file: manifest(2) }])
    await expect(corpus.at(2)).rejects.toMatchObject({ code: 'CORRUPT_DATA' })
    isDown = true
    await expect(corpus.versions()).rejects.toBe(down)
    await expect(corpus.at(1)).rejects.toBe(down)
    await expect(corpus.collect()).rejects.toBe(down)
    isDown = false
    expect((await corpus.collect(newestOnly)).versions).toEqual([1, 2, 3])
    expect(await textsOf(corpus)).toEqual(new Map([['a', '3']]))
  })

  test('a manifest that goes between listing and reading is left out', async () => {
    const storage = memoryStorage()
    const corpus = await openCorpus({
      storage: { ...storage, list: async (prefix, each) => [...(await storage.list(prefix, each))] },
    })
    const stale = await openCorpus({
      storage: {
        ...storage,
        read: async (name, ...rest) => {
          if (name === manifest(1)) await storage.remove(name)
          return storage.read(name, ...rest)
        },
      },
    })
    await put(corpus, 'a', '1')
    await put(corpus, 'a', '2')
    expect((await stale.versions()).map(({ version }) => version)).toEqual([2])
  })

  test('a view can be closed twice, and two views of one version are closed apart', async () => {
    const corpus = await openCorpus({ storage: memoryStorage() })
    await put(corpus, 'a', '1')
    const [first, second] = [await corpus.at(1), await corpus.at(1)]
    await first.close()
    await first.close()
    expect(() => first.info()).toThrow(expect.objectContaining({ code: 'CLOSED' }))
    expect(await second.refresh()).toBe(false)
    expect(await textsOf(second)).toEqual(new Map([['a', '1']]))
  })

  test('a version whose segments are being collected cannot be viewed, and the next collection ends what stopped', async () => {
    const storage = memoryStorage()
    let isDown = false
    const remove: Storage['remove'] = async (...parts) => {
      if (isDown) throw down
      return storage.remove(...parts)
    }
    const corpus = await openCorpus({ storage: { ...storage, remove }, maintenance: 'manual' })
    await put(corpus, 'a', '1')
    await put(corpus, 'a', '2')
    await corpus.compact()
    isDown = true
    await expect(corpus.collect(newestOnly)).rejects.toBe(down)
    await expect(corpus.at(1)).rejects.toMatchObject({ code: 'NOT_FOUND', details: { version: 1 } })
    isDown = false
    await corpus.collect(newestOnly)
    expect(await segmentsOf(storage)).toHaveLength(1)
    expect(await textsOf(corpus)).toEqual(new Map([['a', '2']]))
  })
})

describe('publishing a version', () => {
  /** A corpus in which `act` runs once after the first manifest of that name was published. */
  const followedBy = async (storage: Storage, name: string, act: () => Promise<unknown>) => {
    let isDue = true
    const publish: Storage['publish'] = async (file, ...rest) => {
      await storage.publish(file, ...rest)
      if (!isDue || file !== name) return
      isDue = false
      await act()
    }
    return openCorpus({ storage: { ...storage, publish } })
  }

  test('a version that another writer builds on at once is published', async () => {
    const storage = memoryStorage()
    const other = await openCorpus({ storage })
    const corpus = await followedBy(storage, manifest(1), async () => {
      await other.refresh()
      await put(other, 'b', 'on top')
    })
    expect(await put(corpus, 'a', 'first')).toMatchObject({ version: 1, added: ['a'] })
    await corpus.refresh()
    expect((await textsOf(corpus)).size).toBe(2)
  })

  test('a follower that cannot be read is the error of the commit', async () => {
    const storage = memoryStorage()
    const corpus = await followedBy(storage, manifest(1), () => storage.writeNew(manifest(2), new Uint8Array(9)))
    await expect(put(corpus, 'a', 'first')).rejects.toMatchObject({ code: 'CORRUPT_DATA' })
  })

  test('a storage that calls a number taken and does not list it is an error that names the file', async () => {
    const taken = new GroundlineError('ALREADY_EXISTS', 'taken')
    const corpus = await openCorpus({ storage: { ...memoryStorage(), publish: () => Promise.reject(taken) } })
    await expect(put(corpus, 'a', 'first')).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      details: { file: manifest(1) },
    })
  })

  test('the newest manifest may be collected while it is read, and a listed one that is not there is an error', async () => {
    const storage = memoryStorage()
    const writer = await openCorpus({ storage, maintenance: 'manual' })
    await put(writer, 'a', '1')
    let isDue = true
    const read: Storage['read'] = async (name, ...rest) => {
      if (isDue && name === manifest(1)) {
        isDue = false
        await put(writer, 'a', '2')
        await writer.collect(newestOnly)
      }
      return storage.read(name, ...rest)
    }
    expect(await textsOf(await openCorpus({ storage: { ...storage, read } }))).toEqual(new Map([['a', '2']]))
    const list: Storage['list'] = async (prefix) => (prefix === 'manifests/' ? [manifest(9)] : [])
    await expect(openCorpus({ storage: { ...storage, list } })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      details: { file: manifest(9) },
    })
  })

  test('a corpus whose files are removed while it is opened is an empty one', async () => {
    const storage = memoryStorage()
    await put(await openCorpus({ storage }), 'a', '1')
    const read: Storage['read'] = async (name, ...rest) => {
      await storage.remove(name)
      return storage.read(name, ...rest)
    }
    expect((await openCorpus({ storage: { ...storage, read } })).info()).toMatchObject({ version: 0, documents: 0 })
  })

  test('a collection goes on when a version appears under its hands', async () => {
    const storage = memoryStorage()
    const other = await openCorpus({ storage, maintenance: 'manual' })
    await put(other, 'a', '1')
    let lists = 0
    const list: Storage['list'] = async (prefix, each) => {
      if (prefix === 'manifests/' && ++lists === 3) await put(other, 'b', '2')
      return storage.list(prefix, each)
    }
    const corpus = await openCorpus({ storage: { ...storage, list }, maintenance: 'manual' })
    await corpus.collect(newestOnly)
    expect((await textsOf(corpus)).size).toBe(2)
    expect(await storage.list('manifests/')).toHaveLength(1)
  })
})

describe('backup', () => {
  test('a failing target or a vanished segment ends it with that error, and nothing is named in the target', async () => {
    const storage = memoryStorage()
    const corpus = await openCorpus({ storage })
    await put(corpus, 'a', '1')
    const target = memoryStorage()
    await expect(corpus.backup({ ...target, publish: () => Promise.reject(down) })).rejects.toBe(down)
    for (const name of await segmentsOf(storage)) await storage.remove(name)
    await expect(corpus.backup(target)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await target.list('')).toEqual([])
    await expect(corpus.backup(target, { signal: AbortSignal.abort(down) })).rejects.toBe(down)
  })

  test('two restores into one storage share the work, and a foreign file among the manifests is no version', async () => {
    const [storage, to] = [memoryStorage(), memoryStorage()]
    const corpus = await openCorpus({ storage })
    await put(corpus, 'a', '1')
    await put(corpus, 'b', '2')
    await storage.writeNew('manifests/readme.txt', new Uint8Array(1))
    const reports = await Promise.all([restoreCorpus({ from: storage, to }), restoreCorpus({ from: storage, to })])
    expect(reports.map(({ version }) => version)).toEqual([2, 2])
    expect(reports.flatMap(({ copied }) => copied).sort()).toEqual(await to.list(''))
    expect(await textsOf(await openCorpus({ storage: to }))).toEqual(await textsOf(corpus))
  })
})

describe('compaction and purge of damaged or mixed segments', () => {
  test('a damaged record stops them with the segments as they were', async () => {
    const storage = memoryStorage()
    const corpus = await openCorpus({ storage, maintenance: 'manual' })
    await put(corpus, 'a', 'alpha')
    await put(corpus, 'b', 'beta')
    await put(corpus, 'b', 'gamma')
    await spoilText(storage, 'alpha')
    const before = await storage.list('')
    await corpus.compact()
    await expect(corpus.purge()).rejects.toMatchObject({ code: 'CORRUPT_DATA' })
    expect(await storage.list('')).toEqual(before)
    expect(corpus.info().damage).toMatchObject([{ documents: ['a'] }])
  })

  test('a segment that cannot be opened stays named, its documents stay hidden, and the others are joined', async () => {
    const storage = memoryStorage()
    const corpus = await openCorpus({ storage, maintenance: 'manual' })
    await put(corpus, 'a', 'alpha')
    const [first] = await segmentsOf(storage)
    await put(corpus, 'b', 'beta')
    await put(corpus, 'c', 'gamma')
    await corpus.commit({ remove: ['b'] })
    await spoil(storage, first!)
    const again = await openCorpus({ storage, maintenance: 'manual' })
    await expect(again.purge()).rejects.toThrow('cannot purge while the corpus is damaged')
    await again.compact()
    await again.collect(newestOnly)
    expect(await segmentsOf(storage)).toHaveLength(2)
    const last = await openCorpus({ storage })
    expect(await textsOf(last)).toEqual(new Map([['c', 'gamma']]))
    expect(last.info().damage).toMatchObject([{ file: first }])
  })

  test('documents without vectors or chunks are joined, scanned and embedded again', async () => {
    const storage = memoryStorage()
    const corpus = await openCorpus({ storage, maintenance: 'manual' })
    await put(corpus, 'a', 'alpha')
    await corpus.commit({ put: [{ document: { id: 'bare', text: 'bare' }, chunks: [], vectors: [] }] })
    await corpus.tag('all')
    expect((await collect(corpus.vectors())).map(({ documentId }) => documentId)).toEqual(['a'])
    await corpus.compact()
    expect(await corpus.purge()).toMatchObject({ documents: [], tags: [] })
    expect((await textsOf(corpus)).size).toBe(2)
    await corpus.reembed({ space: wide, embed: embedWide, batchChunks: 1 })
    await corpus.commit({ remove: ['a'] })
    await corpus.reembed({ space: wide, embed: embedWide })
    await corpus.collect(newestOnly)
    const view = await corpus.candidate()
    expect([...(await textsOf(view)).keys()]).toEqual(['bare'])
    await view.close()
    await corpus.promote()
    expect(corpus.info()).toMatchObject({ documents: 1, space: wide, damage: [] })
    await corpus.reembed({ space, embed: () => Promise.reject(down) })
    expect(await corpus.verify()).toEqual([])
  })

  test('a segment is closed once it has 32 MiB, and what follows goes into the next', async () => {
    const storage = memoryStorage()
    const corpus = await openCorpus({ storage, maintenance: 'manual' })
    const text = 'large '.repeat(6_000_000)
    await corpus.commit({ put: [{ document: { id: 'a', text }, chunks: [], vectors: [] }] })
    await put(corpus, 'b', 'beta')
    await put(corpus, 'b', 'gamma')
    await corpus.compact()
    await corpus.collect(newestOnly)
    expect(await segmentsOf(storage)).toHaveLength(2)
    expect((await corpus.document('a'))?.text === text).toBe(true)
    expect((await corpus.document('b'))?.text).toBe('gamma')
  })

  test('a damaged vector record is reported with its document and the others are given', async () => {
    const storage = memoryStorage()
    const corpus = await openCorpus({ storage })
    await corpus.commit({ put: ['a', 'b'].map((id) => entryFor({ id, text: `text ${id}` })), space })
    await spoilBytes(storage, Buffer.from(vectorFor('text a').buffer))
    expect((await collect(corpus.vectors())).map(({ documentId }) => documentId)).toEqual(['b'])
    expect(corpus.info().damage).toMatchObject([{ documents: ['a'] }])
    await expect(corpus.reembed({ space: wide, embed: embedWide })).rejects.toMatchObject({ code: 'CORRUPT_DATA' })
  })
})

describe('embedding again', () => {
  test('wrong vectors, an abort and a read-only corpus are typed errors that leave no candidate', async () => {
    const storage = memoryStorage()
    const corpus = await openCorpus({ storage })
    await put(corpus, 'a', 'alpha')
    await expect(
      corpus.reembed({ space: wide, embed: async (all) => all.map(({ text }) => vectorFor(text)) }),
    ).rejects.toMatchObject({ code: 'DIMENSION_MISMATCH', details: { id: 'a', expected: 8, actual: 4 } })
    const signal = AbortSignal.abort(down)
    await expect(corpus.reembed({ space: wide, embed: embedWide, signal })).rejects.toBe(down)
    const reader = await openCorpus({ storage, readOnly: true })
    await expect(reader.reembed({ space: wide, embed: embedWide })).rejects.toMatchObject({ code: 'READ_ONLY' })
    await expect(corpus.candidate()).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  test('a candidate whose view could not be opened is collected once it is given up', async () => {
    const storage = memoryStorage()
    const writer = await openCorpus({ storage })
    await put(writer, 'a', 'alpha')
    await writer.reembed({ space: wide, embed: embedWide })
    const reader = await openCorpus({ storage })
    await expect(reader.candidate({ signal: AbortSignal.abort(down) })).rejects.toBe(down)
    await reader.discardCandidate()
    await reader.collect(newestOnly)
    expect(await segmentsOf(storage)).toHaveLength(1)
  })
})

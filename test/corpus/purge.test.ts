import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { expireDocuments, memoryStorage, openCorpus } from '../../src/corpus/index.ts'
import { fileStorage } from '../../src/node/index.ts'
import { filesBelow } from './child-process.ts'
import { entryFor, space, textsOf } from './support.ts'

describe('purge', () => {
  test('of another process, between the reading of a manifest and of its segments, takes nothing from a reader', async () => {
    const storage = memoryStorage()
    const writer = await openCorpus({ storage, maintenance: 'manual' })
    await writer.commit({ put: [entryFor({ id: 'a', text: 'first' })], space })
    let meanwhile: (() => Promise<unknown>) | undefined
    const reader = await openCorpus({
      readOnly: true,
      storage: {
        ...storage,
        read: async (name, ...rest) => {
          const now = name.startsWith('segments/') ? meanwhile : undefined
          if (now) meanwhile = undefined
          await now?.()
          return storage.read(name, ...rest)
        },
      },
    })
    await writer.commit({ put: [entryFor({ id: 'a', text: 'second' }), entryFor({ id: 'b', text: 'b' })], space })
    meanwhile = async () => {
      await writer.commit({ remove: ['b'] })
      await writer.purge()
    }
    expect(await reader.refresh()).toBe(true)
    expect(meanwhile).toBeUndefined()
    expect(reader.info()).toMatchObject({ version: writer.info().version, documents: 1, damage: [] })
    expect(await textsOf(reader)).toEqual(new Map([['a', 'second']]))
  })

  test('after remove and purge no byte of text, vector or id is left in any file, tags and older versions included', async () => {
    const root = await mkdtemp(join(tmpdir(), 'groundline-purge-'))
    const storage = fileStorage(root)
    const corpus = await openCorpus({ storage, maintenance: 'manual' })
    const canary = entryFor({
      id: 'canary-id',
      text: 'canary text to be gone',
      title: 'canary title',
      metadata: { canary: 'value' },
    })
    await corpus.commit({ put: [canary, entryFor({ id: 'kept', text: 'first kept text' })], space })
    await corpus.tag('tagged')
    await corpus.commit({ put: [entryFor({ id: 'kept', text: 'second kept text' })], space })
    await corpus.compact()
    await storage.writeNew('derived/old-index.bin', Buffer.from('canary text'))
    await storage.writeNew(`segments/${'0'.repeat(32)}.seg`, Buffer.from('an orphan with canary text'))
    const wide = { model: 'wide', dimensions: 8, normalized: false }
    await corpus.reembed({ space: wide, embed: async (chunks) => chunks.map(() => new Float32Array(8).fill(0.123)) })
    const view = await corpus.at(1)
    await corpus.commit({ remove: ['canary-id'] })
    const report = await corpus.purge()
    expect(report).toMatchObject({ documents: ['canary-id'], tags: ['tagged'], unaccounted: [] })
    const needles = [
      'canary',
      ...canary.vectors.map((vector) => Buffer.from(vector.buffer)),
      Buffer.from(new Float32Array([0.123, 0.123]).buffer),
    ]
    for (const [name, bytes] of await filesBelow(root)) {
      for (const needle of needles) expect(bytes.includes(needle), name).toBe(false)
    }
    for (const opened of [corpus, await openCorpus({ storage })]) {
      expect(await textsOf(opened)).toEqual(new Map([['kept', 'second kept text']]))
      expect(await textsOf(await opened.at('tagged'))).toEqual(new Map([['kept', 'first kept text']]))
      expect(await opened.verify()).toEqual([])
    }
    await view.close()
    expect(await corpus.audit()).toMatchObject([
      { number: 1, action: 'purge', details: { documents: 1 } },
      { number: 2, action: 'purged', details: { files: report.removedFiles.length } },
    ])
    await rm(root, { recursive: true })
  })

  test('a hold refuses the purge until it is released, and both are in the audit trail', async () => {
    const storage = memoryStorage()
    const corpus = await openCorpus({ storage })
    await corpus.commit({ put: [entryFor({ id: 'a', text: 'held' }), entryFor({ id: 'b', text: 'free' })], space })
    await corpus.tag('case 7', { hold: 'litigation' })
    await corpus.commit({ remove: ['a'] })
    const before = await storage.list('')
    await expect(corpus.purge()).rejects.toMatchObject({ code: 'LEGAL_HOLD', details: { hold: 'litigation' } })
    expect((await corpus.at('case 7')).info().documents).toBe(2)
    for (const name of before) expect(await storage.list('')).toContain(name)
    expect(await corpus.tags()).toEqual([{ name: 'case 7', version: 1, hold: 'litigation' }])
    await corpus.untag('case 7')
    expect(await corpus.tags()).toEqual([])
    await corpus.purge()
    expect((await corpus.audit()).map(({ action }) => action)).toEqual(['hold', 'release', 'purge', 'purged'])
    const audit = (await storage.list('audit/'))[1]!
    await storage.remove(audit)
    await expect(corpus.audit()).rejects.toMatchObject({ code: 'CORRUPT_DATA' })
  })

  test('documents go when their time has come and not before', async () => {
    const corpus = await openCorpus({ storage: memoryStorage() })
    const expiring = (id: string, expires: string) => ({ ...entryFor({ id, text: id }), expires })
    await corpus.commit({
      put: [
        expiring('a', '2030-01-01T00:00:00Z'),
        expiring('b', '2040-01-01T00:00:00+02:00'),
        entryFor({ id: 'c', text: 'c' }),
      ],
      space,
    })
    expect((await expireDocuments(corpus, { now: new Date('2029-12-31') })).removed).toEqual([])
    expect((await expireDocuments(corpus, { now: new Date('2035-01-01') })).removed).toEqual(['a'])
    expect((await expireDocuments(corpus, { now: new Date('2039-12-31T22:00:00Z') })).removed).toEqual(['b'])
    await expect(corpus.commit({ put: [expiring('d', 'soon')], space })).rejects.toMatchObject({
      code: 'INVALID_DOCUMENT',
    })
  })
})

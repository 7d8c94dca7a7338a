import { describe, expect, test } from 'vitest'
import { memoryStorage, openCorpus, openKeyring, restoreCorpus } from '../../src/corpus/index.ts'
import { localKey, nodeCipher } from '../../src/node/index.ts'
import { collect, entryFor, space, textsOf } from './support.ts'

const put = (id: string, text: string) => ({ put: [entryFor({ id, text })], space })

describe('backup', () => {
  test('a backup taken while a writer commits, compacts and collects is one of its versions, whole', async () => {
    const storage = memoryStorage()
    const writer = await openCorpus({ storage, maintenance: 'manual' })
    const other = await openCorpus({ storage })
    for (let index = 0; index < 5; index++) await writer.commit(put(`d${index}`, `first ${index}`))
    await writer.tag('kept')
    let step = 0
    const target = memoryStorage()
    const slow = {
      ...target,
      publish: async (...parts: Parameters<typeof target.publish>) => {
        await writer.commit(put(`d${step % 5}`, `later ${step++}`))
        if (step % 3 === 0) await writer.compact()
        if (step % 4 === 0) await writer.collect({ keep: { versions: 1, milliseconds: 0 } })
        return target.publish(...parts)
      },
    }
    await other.backup(slow).catch((error: unknown) => expect(error).toMatchObject({ code: 'NOT_FOUND' }))
    const report = await other.backup(target)
    const restored = memoryStorage()
    await restoreCorpus({ from: target, to: restored })
    const corpus = await openCorpus({ storage: restored })
    expect(corpus.info().version).toBe(report.version)
    expect(await collect(corpus.entries())).toEqual(await collect(other.entries()))
    expect(await textsOf(await corpus.at('kept'))).toEqual(await textsOf(await other.at('kept')))
    expect(await corpus.verify()).toEqual([])
    await corpus.commit(put('new', 'goes on'))
  })

  test('a second backup copies what is new only, and an encrypted one stays encrypted', async () => {
    const storage = memoryStorage()
    const keyProvider = localKey(new Uint8Array(32).fill(6))
    const open = async (from: typeof storage) => {
      const { sealer } = await openKeyring({ storage: from, cipher: nodeCipher(), keyProvider })
      return openCorpus({ storage: from, sealer })
    }
    const corpus = await open(storage)
    await corpus.commit(put('a', 'secret text'))
    const target = memoryStorage()
    expect((await corpus.backup(target)).copied).toHaveLength(3)
    await corpus.commit(put('b', 'more secret text'))
    expect(await corpus.backup(target)).toMatchObject({ version: 2, present: 2 })
    expect((await corpus.backup(target)).copied).toEqual([])
    for (const name of await target.list(''))
      expect(Buffer.from(await target.read(name)).includes('secret')).toBe(false)
    const restored = memoryStorage()
    await restoreCorpus({ from: target, to: restored })
    expect((await textsOf(await open(restored))).size).toBe(2)
    await expect(restoreCorpus({ from: target, to: restored })).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
    const empty = memoryStorage()
    await expect(restoreCorpus({ from: empty, to: memoryStorage() })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect((await openCorpus({ storage: empty })).backup(target)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})

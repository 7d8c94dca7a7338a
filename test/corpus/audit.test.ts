import { describe, expect, test } from 'vitest'
import { FORMAT } from '../../src/corpus/container.ts'
import { crc32c } from '../../src/corpus/crc32c.ts'
import { memoryStorage, openCorpus, restoreCorpus, type Storage, type VersionedCorpus } from '../../src/corpus/index.ts'
import { GroundlineError } from '../../src/errors.ts'
import { entryFor, space } from './support.ts'

const down = new GroundlineError('STORAGE_FAILED', 'the disk is gone')
const put = (corpus: VersionedCorpus, id: string, text: string) =>
  corpus.commit({ put: [entryFor({ id, text })], space })
const actionsOf = async (corpus: VersionedCorpus) => (await corpus.audit()).map(({ action }) => action)

/** A storage over another whose files stay, that fails from the nth call on as if its process had ended there. */
function dyingAt(storage: Storage, nth: number): { storage: Storage; calls(): number } {
  let calls = 0
  const living = <A extends unknown[], R>(call: (...args: A) => Promise<R>) => {
    return async (...args: A): Promise<R> => {
      if (++calls >= nth) throw down
      return call(...args)
    }
  }
  const { read, writeNew, publish, list, remove } = storage
  const dying: Storage = {
    read: living(read),
    writeNew: living(writeNew),
    publish: living(publish),
    list: living(list),
    remove: living(remove),
  }
  return { storage: dying, calls: () => calls }
}

describe('the audit trail', () => {
  test('lacks nothing that was done, whichever call a process dies at, and says nothing twice', async () => {
    const wide = { model: 'wide', dimensions: 8, normalized: false }
    const embed = async (chunks: readonly unknown[]) => chunks.map(() => new Float32Array(8).fill(1))
    const work = async (storage: Storage, done: (action: string) => void) => {
      const corpus = await openCorpus({ storage, maintenance: 'manual' })
      await put(corpus, 'a', 'one')
      await put(corpus, 'b', 'two')
      const steps: [action: string, step: () => Promise<unknown>][] = [
        ['hold', () => corpus.tag('case', { hold: 'litigation' })],
        ['rollback', () => corpus.rollback(1)],
        ['', () => put(corpus, 'c', 'three')],
        ['', () => corpus.reembed({ space: wide, embed })],
        ['promote', () => corpus.promote()],
        ['release', () => corpus.untag('case')],
        ['', () => corpus.commit({ remove: ['c'] })],
        ['purge', () => corpus.purge()],
      ]
      for (const [action, step] of steps) {
        await step()
        if (action !== '') done(action)
      }
    }
    const { calls } = await (async () => {
      const counted = dyingAt(memoryStorage(), Number.POSITIVE_INFINITY)
      await work(counted.storage, () => undefined)
      return counted
    })()
    const order = ['hold', 'rollback', 'promote', 'release', 'purge', 'purged']
    for (let nth = 1; nth <= calls(); nth++) {
      const storage = memoryStorage()
      const acknowledged: string[] = []
      await work(dyingAt(storage, nth).storage, (action) => acknowledged.push(action)).catch((error: unknown) =>
        expect(error).toBe(down),
      )
      const reader = await openCorpus({ storage })
      const found = await actionsOf(reader)
      expect(found, `call ${nth}`).toEqual(order.slice(0, found.length))
      expect(found.length, `call ${nth}`).toBeGreaterThanOrEqual(acknowledged.length)
      // What a version says was done is in the trail, entered or not.
      const { action: last } = (await reader.versions()).at(-1) ?? {}
      if (last === 'rollback' || last === 'promote' || last === 'purge') expect(found).toContain(last)
      // Entered by whoever writes next, as it was told before.
      const told = await reader.audit()
      await (await openCorpus({ storage })).commit({
        put: [{ document: { id: 'z', text: 'z' }, chunks: [], vectors: [] }],
      })
      const entered = await (await openCorpus({ storage })).audit()
      expect(entered).toEqual(told)
      expect(await storage.list('audit/')).toHaveLength(told.length)
    }
  })

  test('of two writers has each entry once, in the order of the versions they made, and other files are no entries', async () => {
    const storage = memoryStorage()
    const other = await openCorpus({ storage })
    await put(other, 'a', '1')
    await storage.writeNew('audit/readme.txt', new Uint8Array(1))
    let isDue = true
    const publish: Storage['publish'] = async (name, ...rest) => {
      if (isDue && name.startsWith('audit/')) {
        isDue = false
        await other.refresh()
        await other.tag('theirs', { hold: 'second' })
      }
      return storage.publish(name, ...rest)
    }
    const corpus = await openCorpus({ storage: { ...storage, publish } })
    await corpus.tag('ours', { hold: 'first' })
    expect((await corpus.audit()).map(({ details }) => details.reason)).toEqual(['first', 'second'])
    expect(await storage.list('audit/')).toHaveLength(3)
  })

  test('tells what another process did, though nobody here has looked for its version', async () => {
    const storage = memoryStorage()
    const other = await openCorpus({ storage })
    await put(other, 'a', '1')
    const reader = await openCorpus({ storage, readOnly: true })
    const publish: Storage['publish'] = async (name, ...rest) => {
      if (name.startsWith('audit/')) throw down
      return storage.publish(name, ...rest)
    }
    const writer = await openCorpus({ storage: { ...storage, publish } })
    await writer.tag('held', { hold: 'why' })
    await writer.rollback(1)
    expect(await actionsOf(reader)).toEqual(['hold', 'rollback'])
    expect(reader.info().version).toBe(1)
    expect(await storage.list('audit/')).toEqual([])
    await other.refresh()
    await put(other, 'b', '2')
    expect(await storage.list('audit/')).toHaveLength(2)
    expect(await actionsOf(reader)).toEqual(['hold', 'rollback'])
  })

  test('goes with a backup, with what is not entered yet', async () => {
    const [storage, target, restored] = [memoryStorage(), memoryStorage(), memoryStorage()]
    let isDown = false
    const publish: Storage['publish'] = async (name, ...rest) => {
      if (isDown && name.startsWith('audit/')) throw down
      return storage.publish(name, ...rest)
    }
    const corpus = await openCorpus({ storage: { ...storage, publish } })
    await put(corpus, 'a', '1')
    await corpus.tag('held', { hold: 'why' })
    isDown = true
    await corpus.rollback(1)
    const told = await corpus.audit()
    expect(await storage.list('audit/')).toHaveLength(1)
    await corpus.backup(target)
    await restoreCorpus({ from: target, to: restored })
    const copy = await openCorpus({ storage: restored })
    expect(await copy.audit()).toEqual(told)
    await put(copy, 'b', '2')
    expect(await restored.list('audit/')).toHaveLength(2)
    expect(await copy.audit()).toEqual(told)
  })

  test('of a newer format refuses what it could not enter, before it is done; a damaged one keeps no purge back', async () => {
    const storage = memoryStorage()
    const corpus = await openCorpus({ storage, maintenance: 'manual' })
    await put(corpus, 'a', '1')
    await corpus.tag('held', { hold: 'why' })
    const [name] = await storage.list('audit/')
    const bytes = await storage.read(name!)
    const write = async (changed: Uint8Array) => {
      await storage.remove(name!)
      await storage.writeNew(name!, changed)
    }
    const newer = bytes.slice()
    const view = new DataView(newer.buffer)
    view.setUint16(8, FORMAT + 1, true)
    view.setUint32(36, crc32c(newer.subarray(0, 36)), true)
    await write(newer)
    const before = await storage.list('')
    for (const call of [() => corpus.rollback(1), () => corpus.purge(), () => corpus.untag('held')])
      await expect(call()).rejects.toMatchObject({ code: 'UNSUPPORTED_FORMAT' })
    expect(await storage.list('')).toEqual(before)
    expect(await storage.read(name!)).toEqual(newer)
    const damaged = bytes.slice()
    damaged[damaged.length - 9]! ^= 1
    await write(damaged)
    await corpus.untag('held')
    await corpus.commit({ remove: ['a'] })
    expect(await corpus.purge()).toMatchObject({ documents: [], unaccounted: [] })
    await expect(corpus.audit()).rejects.toMatchObject({ code: 'CORRUPT_DATA' })
    await write(bytes)
    expect(await actionsOf(corpus)).toEqual(['hold', 'release', 'purge'])
    await put(await openCorpus({ storage }), 'b', '2')
    expect(await storage.list('audit/')).toHaveLength(3)
  })
})

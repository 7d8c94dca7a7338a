import type { Storage } from '../corpus/storage.ts'
import { type ConformanceCase, check, checkAborts, checkEqual, checkThrows } from './conformance.ts'

/** How to make storages to check. */
export interface StorageConformanceOptions {
  /** A fresh, empty storage for each case. */
  readonly create: () => Storage | Promise<Storage>
  /** Another handle on the same files; absent when a storage lives in one object only. */
  readonly reopen?: (storage: Storage) => Storage | Promise<Storage>
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

/**
 * The laws of {@link Storage}, to be run in any test runner.
 *
 * @example
 * ```ts
 * import { memoryStorage } from 'groundline/corpus'
 * import { storageConformance } from 'groundline/testing'
 *
 * for (const { name, run } of storageConformance({ create: memoryStorage })) test(name, run)
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function storageConformance({ create, reopen }: StorageConformanceOptions): readonly ConformanceCase[] {
  const law = (name: string, run: (storage: Storage) => Promise<void>): ConformanceCase => ({
    name,
    run: async () => run(await create()),
  })
  return [
    law('a file reads back as it was written, whole and by range', async (storage) => {
      await storage.writeNew('a/one.bin', bytes(1, 2, 3, 4, 5))
      checkEqual(await storage.read('a/one.bin'), [1, 2, 3, 4, 5], 'the whole file')
      checkEqual(await storage.read('a/one.bin', { start: 1, end: 3 }), [2, 3], 'a range')
      checkEqual(await storage.read('a/one.bin', { start: 3, end: 99 }), [4, 5], 'a range past the end')
      checkEqual(await storage.read('a/one.bin', { start: 9, end: 12 }), [], 'a range after the end')
    }),
    law('a read into given memory gives the same bytes, whether there is room or not', async (storage) => {
      await storage.writeNew('a/one.bin', bytes(1, 2, 3, 4, 5))
      for (const room of [0, 1, 2, 7]) {
        const into = new Uint8Array(room).fill(9)
        checkEqual(await storage.read('a/one.bin', { start: 1, end: 3 }, { into }), [2, 3], `room for ${room}`)
        checkEqual([...into.subarray(2)], new Array(Math.max(0, room - 2)).fill(9), 'the memory behind it')
      }
      const whole = new Uint8Array(8)
      checkEqual(await storage.read('a/one.bin', { start: 3, end: 99 }, { into: whole }), [4, 5], 'past the end')
    }),
    law('an empty file is a file', async (storage) => {
      await storage.writeNew('empty', bytes())
      checkEqual(await storage.read('empty'), [], 'its bytes')
      checkEqual(await storage.list(''), ['empty'], 'the listing')
    }),
    law('what is stored does not change with the array that was given or returned', async (storage) => {
      const given = bytes(7, 7)
      await storage.writeNew('file', given)
      given[0] = 0
      const returned = await storage.read('file')
      checkEqual(returned, [7, 7], 'after the given array changed')
      returned[0] = 0
      checkEqual(await storage.read('file'), [7, 7], 'after the returned array changed')
    }),
    law('a missing file is NOT_FOUND', async (storage) => {
      await checkThrows(() => storage.read('nothing'), 'NOT_FOUND', 'read')
      await checkThrows(() => storage.read('nothing/below', { start: 0, end: 1 }), 'NOT_FOUND', 'read a range')
    }),
    law('neither writeNew nor publish overwrites', async (storage) => {
      await storage.writeNew('one', bytes(1))
      await storage.publish('two', bytes(2))
      for (const name of ['one', 'two']) {
        await checkThrows(() => storage.writeNew(name, bytes(9)), 'ALREADY_EXISTS', `writeNew of ${name}`)
        await checkThrows(() => storage.publish(name, bytes(9)), 'ALREADY_EXISTS', `publish of ${name}`)
      }
      checkEqual(await storage.read('one'), [1], 'the first file')
      checkEqual(await storage.read('two'), [2], 'the second file')
    }),
    law('of many publishers of one name exactly one succeeds', async (storage) => {
      const contents = Array.from({ length: 16 }, (_, index) => bytes(index))
      const results = await Promise.allSettled(contents.map((content) => storage.publish('swap/1', content)))
      const winners = results.flatMap((result, index) => (result.status === 'fulfilled' ? [index] : []))
      checkEqual(winners.length, 1, 'how many succeeded')
      checkEqual(await storage.read('swap/1'), winners, 'whose bytes are there')
    }),
    law('a listing is sorted and holds the names with the prefix', async (storage) => {
      for (const name of ['b/2', 'a/10', 'a/9', 'ab', 'a/deep/er']) await storage.writeNew(name, bytes(0))
      checkEqual(await storage.list(''), ['a/10', 'a/9', 'a/deep/er', 'ab', 'b/2'], 'all')
      checkEqual(await storage.list('a/'), ['a/10', 'a/9', 'a/deep/er'], 'a folder')
      checkEqual(await storage.list('a'), ['a/10', 'a/9', 'a/deep/er', 'ab'], 'a prefix within a segment')
      checkEqual(await storage.list('zzz'), [], 'a prefix of nothing')
    }),
    law('a removed file is gone, and its name is free', async (storage) => {
      await storage.writeNew('file', bytes(1))
      await storage.remove('file')
      await storage.remove('file')
      await checkThrows(() => storage.read('file'), 'NOT_FOUND', 'read')
      checkEqual(await storage.list(''), [], 'the listing')
      await storage.publish('file', bytes(2))
      checkEqual(await storage.read('file'), [2], 'the new file')
    }),
    law('hostile names are INVALID_ARGUMENT', async (storage) => {
      const names = ['', '.', '..', '../up', 'a/../b', '/root', 'a//b', 'a/', 'C:\\x', 'a\u0000b', 'ü', 'A', 'a b', '~']
      for (const name of [...names, 'x'.repeat(4096), 'a/b/c/d/e/f/g/h/i']) {
        for (const call of [storage.writeNew, storage.publish]) {
          await checkThrows(() => call(name, bytes(1)), 'INVALID_ARGUMENT', `writing ${JSON.stringify(name)}`)
        }
        await checkThrows(() => storage.read(name), 'INVALID_ARGUMENT', `reading ${JSON.stringify(name)}`)
        await checkThrows(() => storage.remove(name), 'INVALID_ARGUMENT', `removing ${JSON.stringify(name)}`)
      }
      checkEqual(await storage.list(''), [], 'the listing')
    }),
    law('an aborted call rejects with the reason and does nothing', async (storage) => {
      await storage.writeNew('kept', bytes(1))
      await checkAborts((signal) => storage.read('kept', undefined, { signal }), 'read')
      await checkAborts((signal) => storage.writeNew('new', bytes(1), { signal }), 'writeNew')
      await checkAborts((signal) => storage.publish('new', bytes(1), { signal }), 'publish')
      await checkAborts((signal) => storage.list('', { signal }), 'list')
      await checkAborts((signal) => storage.remove('kept', { signal }), 'remove')
      checkEqual(await storage.list(''), ['kept'], 'the listing')
    }),
    law('another handle sees the same files', async (storage) => {
      if (!reopen) return
      await storage.writeNew('a', bytes(1))
      await storage.publish('b', bytes(2))
      const other = await reopen(storage)
      checkEqual(await other.list(''), ['a', 'b'], 'the listing')
      checkEqual(await other.read('b'), [2], 'a file')
      await checkThrows(() => other.publish('b', bytes(3)), 'ALREADY_EXISTS', 'publish')
      check((await other.read('a')).length === 1, 'a file has its length')
    }),
  ]
}

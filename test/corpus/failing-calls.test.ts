import { describe, expect, test } from 'vitest'
import { derivedFiles, openCorpus, openKeyring } from '../../src/corpus/index.ts'
import { isGroundlineError } from '../../src/errors.ts'
import { type FileSystem, fileStorage, localKey, nodeCipher } from '../../src/node/index.ts'
import { scaled } from './scale.ts'
import { simulatedFileSystem } from './simulated-file-system.ts'
import { entryFor, space, textsOf, vectorFor } from './support.ts'

type Fault = 'EIO' | 'ENOSPC' | 'EMFILE' | 'EACCES' | 'short write'

/** Fails the n-th call. A short write takes half of the bytes and then says that the disk is full. */
function failingOnce(files: FileSystem, nth: number, fault: Fault): { files: FileSystem; calls: () => number } {
  let calls = 0
  let full = false
  const guard = async <T>(call: () => Promise<T>): Promise<T> => {
    if (++calls === nth && fault !== 'short write') throw Object.assign(new Error(fault), { code: fault })
    return call()
  }
  return {
    calls: () => calls,
    files: {
      open: (path, flags) =>
        guard(async () => {
          const handle = await files.open(path, flags)
          return {
            size: () => guard(() => handle.size()),
            read: (...parts) => guard(() => handle.read(...parts)),
            write: async (source, offset, length, position) => {
              if (full) {
                full = false
                throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })
              }
              full = calls + 1 === nth && fault === 'short write'
              const wanted = full ? Math.floor(length / 2) : length
              return guard(() => handle.write(source, offset, wanted, position))
            },
            sync: () => guard(() => handle.sync()),
            close: () => guard(() => handle.close()),
          }
        }),
      mkdir: (path) => guard(() => files.mkdir(path)),
      readdir: (path) => guard(() => files.readdir(path)),
      link: (from, to) => guard(() => files.link(from, to)),
      unlink: (path) => guard(() => files.unlink(path)),
      modified: (path) => guard(() => files.modified(path)),
    },
  }
}

/** Mixed work; each step is tried again when it fails, and `onError` sees why. */
async function work(files: FileSystem, onError: (error: unknown) => void): Promise<Map<string, string>> {
  const storage = fileStorage('/kb', { fileSystem: files })
  const attempt = async <T>(step: () => Promise<T>): Promise<T> => {
    try {
      return await step()
    } catch (error) {
      onError(error)
      return step()
    }
  }
  let corpus = await attempt(() => openCorpus({ storage, maintenance: 'manual' }))
  const put = (id: string, text: string) => attempt(() => corpus.commit({ put: [entryFor({ id, text })], space }))
  await put('a', 'first a')
  await put('b', 'first b')
  await put('a', 'second a')
  await attempt(() => corpus.commit({ remove: ['b'] }))
  await put('c', 'first c')
  await attempt(() => corpus.compact())
  await attempt(() => corpus.collect({ keep: { versions: 1, milliseconds: 0 } }))
  await attempt(() => corpus.document('a'))
  corpus = await attempt(() => openCorpus({ storage }))
  await put('d', 'first d')
  return attempt(() => textsOf(corpus))
}

/** The same for everything else that writes: keys, history, spaces, purges, tenants' erasure, backups and derived files. */
async function upkeep(files: FileSystem, onError: (error: unknown) => void): Promise<Map<string, string>> {
  const storage = fileStorage('/kb', { fileSystem: files })
  /** A step that was carried out before its last call failed says so when it is repeated. */
  const attempt = async <T>(step: () => Promise<T>, done?: 'ALREADY_EXISTS' | 'NOT_FOUND'): Promise<T | undefined> => {
    try {
      return await step()
    } catch (error) {
      onError(error)
      return step().catch((again: unknown) => {
        if (isGroundlineError(again) && again.code === done) return undefined
        throw again
      })
    }
  }
  const keyed = { storage, cipher: nodeCipher(), keyProvider: localKey(new Uint8Array(32).fill(7)) }
  const keyring = (await attempt(() => openKeyring(keyed)))!
  const { sealer } = keyring
  const corpus = (await attempt(() => openCorpus({ storage, sealer, maintenance: 'manual' })))!
  const put = (id: string, text: string) => attempt(() => corpus.commit({ put: [entryFor({ id, text })], space }))
  await put('a', 'kept')
  await put('gone', 'purged')
  await attempt(() => corpus.tag('first', { hold: 'litigation' }), 'ALREADY_EXISTS')
  await attempt(() => keyring.rotate())
  await put('b', 'to be rolled back')
  await attempt(() => corpus.rollback('first'))
  const wide = { model: 'wide', dimensions: 8, normalized: false }
  const embed = async (chunks: readonly { readonly text: string }[]) => chunks.map(({ text }) => vectorFor(text, 8))
  await attempt(() => corpus.reembed({ space: wide, embed }))
  await attempt(() => corpus.promote(), 'NOT_FOUND')
  await attempt(() => derivedFiles({ storage, sealer }).write('test', { head: 1, body: Uint8Array.of(1) }))
  await attempt(() => corpus.commit({ remove: ['gone'] }))
  await attempt(() => corpus.untag('first'), 'NOT_FOUND')
  await attempt(() => corpus.purge())
  await attempt(() => corpus.backup(fileStorage('/backup', { fileSystem: files })))
  await attempt(() => corpus.audit())
  expect(corpus.info().space).toEqual(wide)
  const backup = fileStorage('/backup', { fileSystem: files })
  const restored = (await attempt(() => openCorpus({ storage: backup, sealer: keyring.sealer })))!
  expect(await attempt(() => textsOf(restored))).toEqual(new Map([['a', 'kept']]))
  return (await attempt(() => textsOf(corpus)))!
}

describe('failing calls', () => {
  const expected = new Map([
    ['a', 'second a'],
    ['c', 'first c'],
    ['d', 'first d'],
  ])

  const stride = scaled({ quick: 5, short: 1, full: 1 })
  const upkeepStride = scaled({ quick: 40, short: 5, full: 1 })

  test.each(['EIO', 'ENOSPC', 'EMFILE', 'EACCES', 'short write'] as const)(
    'every call that fails once with %s is a typed error, loses nothing, and the corpus goes on',
    async (fault) => {
      const counted = failingOnce(simulatedFileSystem(), 0, fault)
      expect(await work(counted.files, () => undefined)).toEqual(expected)
      const total = counted.calls()
      expect(total).toBeGreaterThan(100)
      let failures = 0
      for (let nth = 1 + (fault.length % stride); nth <= total; nth += stride) {
        const simulated = simulatedFileSystem()
        const { files } = failingOnce(simulated, nth, fault)
        const found = await work(files, (error) => {
          failures++
          expect(isGroundlineError(error) && error.code, `call ${nth}: ${String(error)}`).toBe('STORAGE_FAILED')
        })
        expect(found, `call ${nth}`).toEqual(expected)
        const again = await openCorpus({ storage: fileStorage('/kb', { fileSystem: simulated }) })
        expect(await textsOf(again), `call ${nth}`).toEqual(expected)
        expect(await again.verify(), `call ${nth}`).toEqual([])
      }
      expect(failures).toBeGreaterThan(0)
    },
    300_000,
  )

  test.each(['EIO', 'ENOSPC', 'short write'] as const)(
    'nor does a call of keys, history, purge and backup that fails once with %s',
    async (fault) => {
      const kept = new Map([['a', 'kept']])
      const counted = failingOnce(simulatedFileSystem(), 0, fault)
      expect(await upkeep(counted.files, () => undefined)).toEqual(kept)
      let failures = 0
      for (let nth = 1 + (fault.length % upkeepStride); nth <= counted.calls(); nth += upkeepStride) {
        const simulated = simulatedFileSystem()
        const { files } = failingOnce(simulated, nth, fault)
        const found = await upkeep(files, (error) => {
          failures++
          expect(isGroundlineError(error) && error.code, `call ${nth}: ${String(error)}`).toBe('STORAGE_FAILED')
        })
        expect(found, `call ${nth}`).toEqual(kept)
        const storage = fileStorage('/kb', { fileSystem: simulated })
        const keyProvider = localKey(new Uint8Array(32).fill(7))
        const { sealer } = await openKeyring({ storage, cipher: nodeCipher(), keyProvider })
        const again = await openCorpus({ storage, sealer })
        expect(await textsOf(again), `call ${nth}`).toEqual(kept)
        expect(await again.verify(), `call ${nth}`).toEqual([])
        expect((await again.audit()).map(({ action }) => action)).toEqual(
          expect.arrayContaining(['hold', 'release', 'purge']),
        )
      }
      expect(failures).toBeGreaterThan(0)
    },
    300_000,
  )
})

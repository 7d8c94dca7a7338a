import { describe, expect, test } from 'vitest'
import { openCorpus } from '../../src/corpus/index.ts'
import { isGroundlineError } from '../../src/errors.ts'
import { type FileSystem, fileStorage } from '../../src/node/index.ts'
import { scaled } from './scale.ts'
import { simulatedFileSystem } from './simulated-file-system.ts'
import { entryFor, space, textsOf } from './support.ts'

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

describe('failing calls', () => {
  const expected = new Map([
    ['a', 'second a'],
    ['c', 'first c'],
    ['d', 'first d'],
  ])

  const stride = scaled({ quick: 5, short: 1, full: 1 })

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
    120_000,
  )
})

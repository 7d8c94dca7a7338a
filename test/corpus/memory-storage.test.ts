import { describe, expect, test } from 'vitest'
import { folderStorage, memoryStorage, openCorpus, type Storage } from '../../src/corpus/index.ts'
import { GroundlineError } from '../../src/errors.ts'
import { requireStorageName } from '../../src/internal/storage-name.ts'
import { fileStorage } from '../../src/node/index.ts'
import { corpusConformance } from '../../src/testing/corpus-conformance.ts'
import { storageConformance } from '../../src/testing/storage-conformance.ts'
import { simulatedFileSystem } from './simulated-file-system.ts'

describe('memoryStorage', () => {
  test.each(storageConformance({ create: memoryStorage }))('$name', ({ run }) => run())
})

describe('folderStorage', () => {
  const create = () => folderStorage(memoryStorage(), 'tenants/a')
  test.each(storageConformance({ create }))('$name', ({ run }) => run())

  test('reaches nothing beside its folder', async () => {
    const whole = memoryStorage()
    await whole.writeNew('tenants/ab/file', Uint8Array.of(1))
    expect(await folderStorage(whole, 'tenants/a').list('')).toEqual([])
  })
})

describe('fileStorage over the simulated file system', () => {
  const create = () => fileStorage('/kb', { fileSystem: simulatedFileSystem() })
  test.each(storageConformance({ create }))('$name', ({ run }) => run())
})

/** An object store as its protocol has it: keys and bytes, puts that may ask for the key to be free, listings by page. */
function bucket() {
  const objects = new Map<string, Uint8Array>()
  return {
    get: async (key: string) => objects.get(key),
    put: async (key: string, bytes: Uint8Array, ifNoneMatch?: '*') => {
      if (ifNoneMatch && objects.has(key)) return 412
      objects.set(key, bytes)
      return 200
    },
    delete: async (key: string) => void objects.delete(key),
    list: async (prefix: string, after: string) =>
      [...objects.keys()]
        .filter((key) => key.startsWith(prefix) && key > after)
        .sort()
        .slice(0, 3),
  }
}

/** What a backend on object storage comes to. */
function objectStorage(objects: ReturnType<typeof bucket>): Storage {
  const create: Storage['publish'] = async (name, bytes, { signal } = {}) => {
    requireStorageName(name)
    signal?.throwIfAborted()
    if ((await objects.put(name, bytes.slice(), '*')) === 412)
      throw new GroundlineError('ALREADY_EXISTS', `${name} exists already`)
  }
  return {
    read: async (name, range, { signal } = {}) => {
      requireStorageName(name)
      signal?.throwIfAborted()
      const bytes = await objects.get(name)
      if (!bytes) throw new GroundlineError('NOT_FOUND', `there is no file ${name}`)
      return bytes.slice(range?.start ?? 0, range?.end)
    },
    writeNew: create,
    publish: create,
    list: async (prefix, { signal } = {}) => {
      const names: string[] = []
      for (;;) {
        signal?.throwIfAborted()
        const page = await objects.list(prefix, names.at(-1) ?? '')
        if (page.length === 0) return names
        names.push(...page)
      }
    },
    remove: async (name, { signal } = {}) => {
      requireStorageName(name)
      signal?.throwIfAborted()
      await objects.delete(name)
    },
  }
}

describe('an object store behind Storage', () => {
  const buckets = new WeakMap<object, ReturnType<typeof bucket>>()
  const create = () => {
    const objects = bucket()
    const storage = objectStorage(objects)
    buckets.set(storage, objects)
    return storage
  }
  const reopen = (storage: Storage) => objectStorage(buckets.get(storage)!)
  test.each(storageConformance({ create, reopen }))('$name', ({ run }) => run())
  test.each(corpusConformance({ create: () => openCorpus({ storage: create() }) }))('$name', ({ run }) => run())
})

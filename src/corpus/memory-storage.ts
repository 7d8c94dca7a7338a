import type { AbortOptions } from '../document.ts'
import { GroundlineError } from '../errors.ts'
import { requireStorageName } from '../internal/storage-name.ts'
import type { ByteRange, Storage } from './storage.ts'

/**
 * A {@link Storage} that lives as long as the object: for tests, and for corpora without a path. Bytes are copied on
 * the way in and on the way out.
 *
 * @example
 * ```ts
 * import { memoryStorage, openCorpus } from 'groundline/corpus'
 *
 * const corpus = await openCorpus({ storage: memoryStorage() })
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function memoryStorage(): Storage {
  const files = new Map<string, Uint8Array>()

  const create = async (name: string, bytes: Uint8Array, options?: AbortOptions): Promise<void> => {
    requireStorageName(name)
    options?.signal?.throwIfAborted()
    if (files.has(name)) {
      throw new GroundlineError('ALREADY_EXISTS', `${name} exists already`, { details: { file: name } })
    }
    files.set(name, bytes.slice())
  }

  return {
    read: async (name: string, range?: ByteRange, options?: AbortOptions): Promise<Uint8Array> => {
      requireStorageName(name)
      options?.signal?.throwIfAborted()
      const bytes = files.get(name)
      if (!bytes) throw new GroundlineError('NOT_FOUND', `there is no file ${name}`, { details: { file: name } })
      return bytes.slice(range?.start ?? 0, range?.end)
    },
    writeNew: create,
    publish: create,
    list: async (prefix: string, options?: AbortOptions): Promise<readonly string[]> => {
      options?.signal?.throwIfAborted()
      return [...files.keys()].filter((name) => name.startsWith(prefix)).sort()
    },
    remove: async (name: string, options?: AbortOptions): Promise<void> => {
      requireStorageName(name)
      options?.signal?.throwIfAborted()
      files.delete(name)
    },
  }
}

import type { AbortOptions } from '../document.ts'
import { isGroundlineError } from '../errors.ts'
import { checksumSealer } from './checksum-sealer.ts'
import { FRAME_BYTES, HEADER_BYTES, newFile, openFile, requireKnownFormat } from './container.ts'
import type { Sealer } from './sealer.ts'
import type { Storage } from './storage.ts'

/** A file made from a corpus that can be made again: an index, a cache. */
export interface DerivedFile {
  /** Says what it was made from; JSON. */
  readonly head: unknown
  /** Its content. */
  readonly body: Uint8Array
}

/** The derived files of one corpus. They are sealed as its records are, so with a key nothing of them is in the clear. */
export interface DerivedFiles {
  /** The newest file of a kind that can be read; undefined when there is none, or it is damaged, foreign or sealed under a lost key. Never a reason not to start. */
  read(kind: string, options?: AbortOptions): Promise<DerivedFile | undefined>
  /** The same for all files of a kind, oldest first. */
  readAll(kind: string, options?: AbortOptions): Promise<readonly DerivedFile[]>
  /** Writes a new file of a kind durably, and removes the older ones, but for those of a newer format. */
  write(kind: string, file: DerivedFile, options?: AbortOptions): Promise<void>
  /** Writes a new file of a kind durably beside the older ones. */
  append(kind: string, file: DerivedFile, options?: AbortOptions): Promise<void>
  /** Removes every file of a kind. */
  remove(kind: string, options?: AbortOptions): Promise<void>
}

const RECORD = { head: 1, body: 2 } as const

/**
 * Keeps derived files beside a corpus, in `derived/`. A purge removes them, because they may hold what is purged.
 *
 * @example
 * ```ts
 * import { derivedFiles, memoryStorage } from 'groundline/corpus'
 *
 * const files = derivedFiles({ storage: memoryStorage() })
 * await files.write('words', { head: { version: 3 }, body: new Uint8Array(10) })
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function derivedFiles({
  storage,
  sealer = checksumSealer(),
}: {
  /** The corpus's own storage. */
  readonly storage: Storage
  /** The corpus's own sealer. Default: checksums. */
  readonly sealer?: Sealer | undefined
}): DerivedFiles {
  const namesOf = async (kind: string, options?: AbortOptions): Promise<readonly string[]> => {
    const names = await storage.list(`derived/${kind}-`, options)
    return names.filter((name) => /^derived\/[a-z]+-\d{12}\.der$/.test(name))
  }

  const readOne = async (name: string, options?: AbortOptions): Promise<DerivedFile | undefined> => {
    try {
      return await readDerived(storage, sealer, name, options)
    } catch (error) {
      // Damaged, of a newer format, under another key, or just removed: it is made again.
      if (!isGroundlineError(error)) throw error
      return undefined
    }
  }

  const writeAfter = async (names: readonly string[], kind: string, file: DerivedFile, options?: AbortOptions) => {
    const number = Number(names.at(-1)?.slice(-16, -4) ?? 0) + 1
    const name = `derived/${kind}-${String(number).padStart(12, '0')}.der`
    await publishDerived(storage, sealer, name, file, options)
  }

  /** Whether a file is not of a newer format, which is another program's to remove. */
  const isKnown = async (name: string, options?: AbortOptions): Promise<boolean> => {
    try {
      requireKnownFormat(await storage.read(name, { start: 0, end: HEADER_BYTES }, options), name)
    } catch (error) {
      if (!isGroundlineError(error) || error.code === 'STORAGE_FAILED') throw error
      return error.code !== 'UNSUPPORTED_FORMAT'
    }
    return true
  }

  const removeAll = async (names: readonly string[], options?: AbortOptions) => {
    for (const name of names) await storage.remove(name, options)
  }

  return {
    read: async (kind, options) => {
      for (const name of (await namesOf(kind, options)).toReversed()) {
        const file = await readOne(name, options)
        if (file) return file
      }
      return undefined
    },
    readAll: async (kind, options) => {
      const files: DerivedFile[] = []
      for (const name of await namesOf(kind, options)) {
        const file = await readOne(name, options)
        if (file) files.push(file)
      }
      return files
    },
    write: async (kind, file, options) => {
      const names = await namesOf(kind, options)
      await writeAfter(names, kind, file, options)
      for (const name of names) if (await isKnown(name, options)) await storage.remove(name, options)
    },
    append: async (kind, file, options) => writeAfter(await namesOf(kind, options), kind, file, options),
    remove: async (kind, options) => removeAll(await namesOf(kind, options), options),
  }
}

/** Writes one derived file durably. */
export async function publishDerived(
  storage: Storage,
  sealer: Sealer,
  name: string,
  { head, body }: DerivedFile,
  options: AbortOptions | undefined,
): Promise<void> {
  const file = await newFile(name, 'DER1', sealer)
  await file.add(RECORD.head, new TextEncoder().encode(JSON.stringify(head)))
  await file.add(RECORD.body, body)
  await storage.publish(name, file.bytes(), options)
}

/** One derived file. Throws `CORRUPT_DATA` when it is damaged, `NOT_FOUND` when it is gone. */
export async function readDerived(
  storage: Storage,
  sealer: Sealer,
  name: string,
  options: AbortOptions | undefined,
): Promise<DerivedFile> {
  const whole = await storage.read(name, undefined, options)
  const reader = await openFile(storage, name, 'DER1', sealer, { ...options, whole })
  const view = new DataView(whole.buffer, whole.byteOffset)
  const length = whole.length < HEADER_BYTES + FRAME_BYTES ? 0 : view.getUint32(HEADER_BYTES, true)
  const first = { offset: HEADER_BYTES, length: FRAME_BYTES + length }
  const head = await reader.record(first, RECORD.head, options)
  const offset = first.offset + first.length
  const body = await reader.record({ offset, length: whole.length - offset }, RECORD.body, options)
  return { head: JSON.parse(new TextDecoder().decode(head)), body }
}

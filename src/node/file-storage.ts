import { createHash, randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import type { ByteRange, ReadOptions, Storage } from '../corpus/storage.ts'
import type { AbortOptions } from '../document.ts'
import { GroundlineError } from '../errors.ts'
import { requireString } from '../internal/argument.ts'
import { isStorageName, requireStorageName } from '../internal/storage-name.ts'
import { type FileSystem, nodeFileSystem, type OpenFile } from './file-system.ts'

/** How {@link fileStorage} treats its folder. */
export interface FileStorageOptions {
  /** `create` (the default) makes the folder when a first file is written; `never` leaves the file system as it is: every write throws `READ_ONLY`. */
  readonly write?: 'create' | 'never'
  /** The calls it makes. Default: those of this machine's file system. */
  readonly fileSystem?: FileSystem
}

/** Leftovers of processes whose end cannot be seen from here are removed after this long. */
const LEFTOVER_MS = 3_600_000
const TEMPORARY = '.tmp'

/**
 * A {@link Storage} in a folder of a local file system. A file is written and synchronised, its folder entry too; a
 * published one is written under a temporary name first and linked, so that it appears whole or not at all. Files of
 * others in the folder are neither listed nor touched.
 *
 * @example
 * ```ts
 * import { openCorpus } from 'groundline/corpus'
 * import { fileStorage } from 'groundline/node'
 *
 * const corpus = await openCorpus({ storage: fileStorage('./kb') })
 * ```
 */
export function fileStorage(directory: string, options: FileStorageOptions = {}): Storage {
  requireString('directory', directory)
  if (directory === '' || directory.includes('\u0000')) {
    throw new GroundlineError('INVALID_ARGUMENT', 'directory must be a path without NUL, and not empty', {
      details: { argument: 'directory' },
    })
  }
  const root = resolve(directory)
  const temporaryPrefix = `${createHash('sha256').update(hostname()).digest('hex').slice(0, 8)}-`
  const known = new Set<string>()
  const files = options.fileSystem ?? nodeFileSystem

  const pathOf = (name: string): string => {
    requireStorageName(name)
    return join(root, ...name.split('/'))
  }

  /** Makes a folder and every missing one above it, each entry synchronised in its parent. */
  const ensureFolder = async (folder: string): Promise<void> => {
    if (known.has(folder)) return
    const made = await files.mkdir(folder)
    if (made !== undefined) {
      for (let current = folder; ; current = dirname(current)) {
        await syncFolder(files, dirname(current))
        if (current === made || current === dirname(current)) break
      }
    }
    known.add(folder)
  }

  const forWriting = async (name: string, signal?: AbortSignal): Promise<string> => {
    const path = pathOf(name)
    signal?.throwIfAborted()
    if (options.write === 'never') {
      throw new GroundlineError('READ_ONLY', `cannot write ${name}: the storage was opened without write access`, {
        details: { file: name },
      })
    }
    await ensureFolder(dirname(path))
    return path
  }

  return {
    read: (name: string, range?: ByteRange, { signal, into }: ReadOptions = {}): Promise<Uint8Array> =>
      translated('read', name, async () => {
        const path = pathOf(name)
        signal?.throwIfAborted()
        const handle = await files.open(path, 'r')
        try {
          const size = await handle.size()
          const start = Math.min(range?.start ?? 0, size)
          return await readFully(handle, start, Math.min(range?.end ?? size, size) - start, into)
        } finally {
          await handle.close()
        }
      }),

    writeNew: (name: string, bytes: Uint8Array, { signal }: AbortOptions = {}): Promise<void> =>
      translated('write', name, async () => {
        const path = await forWriting(name, signal)
        await writeDurably(files, path, bytes)
        await syncFolder(files, dirname(path))
      }),

    publish: (name: string, bytes: Uint8Array, { signal }: AbortOptions = {}): Promise<void> =>
      translated('publish', name, async () => {
        const path = await forWriting(name, signal)
        const folder = join(root, TEMPORARY)
        await ensureFolder(folder)
        const temporary = join(folder, `${temporaryPrefix}${process.pid}-${randomBytes(8).toString('hex')}`)
        await writeDurably(files, temporary, bytes)
        try {
          await files.link(temporary, path)
        } finally {
          await files.unlink(temporary)
        }
        await syncFolder(files, dirname(path))
      }),

    list: (prefix: string, { signal }: AbortOptions = {}): Promise<readonly string[]> =>
      translated('list', prefix, async () => {
        const names: string[] = []
        const walk = async (relative: string): Promise<void> => {
          signal?.throwIfAborted()
          const entries = await files.readdir(join(root, relative)).catch(ifMissing)
          for (const entry of entries ?? []) {
            const name = relative === '' ? entry.name : `${relative}/${entry.name}`
            if (!isStorageName(name) || name.startsWith(TEMPORARY)) continue
            if (entry.kind === 'file' && name.startsWith(prefix)) names.push(name)
            else if (entry.kind === 'folder' && (prefix.startsWith(`${name}/`) || `${name}/`.startsWith(prefix)))
              await walk(name)
          }
        }
        await walk('')
        return names.sort()
      }),

    locate: pathOf,

    remove: (name: string, { signal }: AbortOptions = {}): Promise<void> =>
      translated('remove', name, async () => {
        const path = await forWriting(name, signal)
        const removed = await files.unlink(path).then(() => true, ifMissing)
        if (removed) await syncFolder(files, dirname(path))
      }),

    sweep: ({ signal }: AbortOptions = {}): Promise<void> =>
      translated('sweep', TEMPORARY, async () => {
        signal?.throwIfAborted()
        const folder = join(root, TEMPORARY)
        for (const { name } of (await files.readdir(folder).catch(ifMissing)) ?? []) {
          const owner = /^([0-9a-f]{8}-)(\d+)-[0-9a-f]{16}$/.exec(name)
          if (!owner) continue
          const path = join(folder, name)
          const here = owner[1] === temporaryPrefix
          const written = (await files.modified(path).catch(ifMissing)) ?? Date.now()
          const abandoned = here ? !isRunning(Number(owner[2])) : Date.now() - written > LEFTOVER_MS
          if (abandoned) await files.unlink(path).catch(ifMissing)
        }
      }),
  }
}

async function readFully(handle: OpenFile, start: number, wanted: number, into?: Uint8Array): Promise<Uint8Array> {
  const length = Math.max(0, wanted)
  const bytes = into !== undefined && into.length >= length ? into.subarray(0, length) : new Uint8Array(length)
  let filled = 0
  while (filled < bytes.length) {
    const read = await handle.read(bytes, filled, bytes.length - filled, start + filled)
    if (read === 0) return bytes.subarray(0, filled)
    filled += read
  }
  return bytes
}

/** Writes and synchronises a file that must not exist; a failure removes the part that was written. */
async function writeDurably(files: FileSystem, path: string, bytes: Uint8Array): Promise<void> {
  const handle = await files.open(path, 'wx')
  try {
    for (let at = 0; at < bytes.length; ) {
      const written = await handle.write(bytes, at, bytes.length - at, at)
      if (written === 0) throw Object.assign(new Error(`wrote ${at} of ${bytes.length} bytes`), { code: 'EIO' })
      at += written
    }
    await handle.sync()
    await handle.close()
  } catch (error) {
    // The first error is the one to report; a part that stays behind is no file that anything names.
    await handle.close().catch(() => undefined)
    await files.unlink(path).catch(() => undefined)
    throw error
  }
}

async function syncFolder(files: FileSystem, path: string): Promise<void> {
  // Windows has no handle on a folder; its file system journals the entry itself.
  if (process.platform === 'win32') return
  const handle = await files.open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}

const codeOf = (error: unknown): unknown => (error as NodeJS.ErrnoException | undefined)?.code

function ifMissing(error: unknown): undefined {
  if (codeOf(error) === 'ENOENT') return undefined
  throw error
}

async function translated<T>(action: string, name: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    const code = codeOf(error)
    const details = { file: name, errno: code }
    if (code === 'ENOENT' && action === 'read')
      throw new GroundlineError('NOT_FOUND', `there is no file ${name}`, { cause: error, details })
    // A folder's place taken by a file is no name taken.
    if (code === 'EEXIST' && (error as NodeJS.ErrnoException).syscall !== 'mkdir')
      throw new GroundlineError('ALREADY_EXISTS', `${name} exists already`, { cause: error, details })
    if (typeof code !== 'string' || !/^E[A-Z0-9]+$/.test(code)) throw error
    throw new GroundlineError('STORAGE_FAILED', `could not ${action} ${name}: ${code}${advice(code)}`, {
      cause: error,
      details,
    })
  }
}

function advice(code: string): string {
  if (code === 'ENOSPC' || code === 'EDQUOT') return '; the disk is full: free space and try again'
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return '; no permission: check the owner and mode of the folder, or open read-only'
  if (code === 'EMFILE' || code === 'ENFILE') return '; too many open files: close some or raise the limit'
  return ''
}

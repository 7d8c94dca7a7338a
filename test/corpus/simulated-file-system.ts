import { dirname } from 'node:path'
import type { FileSystem, FolderEntry, OpenFile } from '../../src/node/file-system.ts'

/** A file's bytes: as a reader sees them, and as they were synchronised last. */
interface Inode {
  bytes: Uint8Array
  synced: Uint8Array
}

type Entry = Inode | 'folder'
interface FolderChange {
  readonly path: string
  /** Undefined for a name taken away. */
  readonly entry: Entry | undefined
}

/** A file system in memory that knows what power loss may take. */
export interface SimulatedFileSystem extends FileSystem {
  /** A file system as power loss at this moment may leave it; `random` decides over everything not synchronised. */
  crashed(random: () => number): SimulatedFileSystem
}

/** Called after every call that changes something. */
export type OperationHook = () => void

const failure = (code: string, path: string, syscall: string): Error =>
  Object.assign(new Error(`${code}: ${syscall} ${path}`), { code, syscall })

/**
 * Keeps, for every folder, the entries as they are and the changes not yet synchronised; for every file, the bytes and
 * those synchronised. Power loss applies any subset of a folder's pending changes, in their order, and leaves of a
 * file's bytes the synchronised ones, all, a prefix, or zeros instead.
 */
export function simulatedFileSystem(
  durable: ReadonlyMap<string, Entry> = new Map([['/', 'folder']]),
  onOperation: OperationHook = () => undefined,
): SimulatedFileSystem {
  const kept = new Map(durable)
  const entries = new Map(durable)
  const pending: FolderChange[] = []

  const get = (path: string, syscall: string): Entry => {
    const entry = entries.get(path)
    if (entry === undefined) throw failure('ENOENT', path, syscall)
    return entry
  }
  const change = (path: string, entry: Entry | undefined): void => {
    if (entry === undefined) entries.delete(path)
    else entries.set(path, entry)
    pending.push({ path, entry })
    onOperation()
  }
  const apply = (target: Map<string, Entry>, { path, entry }: FolderChange): void => {
    if (entry === undefined) target.delete(path)
    else target.set(path, entry)
  }

  const fileHandle = (inode: Inode): OpenFile => ({
    size: async () => inode.bytes.length,
    read: async (target, offset, length, position) => {
      const part = inode.bytes.subarray(position, position + length)
      target.set(part, offset)
      return part.length
    },
    write: async (source, offset, length, position) => {
      const grown = new Uint8Array(Math.max(inode.bytes.length, position + length))
      grown.set(inode.bytes)
      grown.set(source.subarray(offset, offset + length), position)
      inode.bytes = grown
      onOperation()
      return length
    },
    sync: async () => {
      inode.synced = inode.bytes
      onOperation()
    },
    close: async () => undefined,
  })

  const folderHandle = (path: string): OpenFile => ({
    ...fileHandle({ bytes: new Uint8Array(), synced: new Uint8Array() }),
    sync: async () => {
      for (let index = 0; index < pending.length; ) {
        if (dirname(pending[index]!.path) !== path) {
          index++
          continue
        }
        apply(kept, pending[index]!)
        pending.splice(index, 1)
      }
      onOperation()
    },
  })

  return {
    open: async (path, flags) => {
      if (flags === 'r') {
        const entry = get(path, 'open')
        return entry === 'folder' ? folderHandle(path) : fileHandle(entry)
      }
      get(dirname(path), 'open')
      if (entries.has(path)) throw failure('EEXIST', path, 'open')
      const inode: Inode = { bytes: new Uint8Array(), synced: new Uint8Array() }
      change(path, inode)
      return fileHandle(inode)
    },
    mkdir: async (path) => {
      const missing: string[] = []
      for (let at = path; !entries.has(at); at = dirname(at)) missing.unshift(at)
      for (const folder of missing) change(folder, 'folder')
      return missing[0]
    },
    readdir: async (path) => {
      if (get(path, 'scandir') !== 'folder') throw failure('ENOTDIR', path, 'scandir')
      const found: FolderEntry[] = []
      for (const [name, entry] of entries) {
        if (name === '/' || dirname(name) !== path) continue
        found.push({
          name: name.slice(path.length + (path === '/' ? 0 : 1)),
          kind: entry === 'folder' ? 'folder' : 'file',
        })
      }
      return found
    },
    link: async (from, to) => {
      const entry = get(from, 'link')
      if (entries.has(to)) throw failure('EEXIST', to, 'link')
      change(to, entry)
    },
    unlink: async (path) => {
      get(path, 'unlink')
      change(path, undefined)
    },
    modified: async (path) => {
      get(path, 'stat')
      return 0
    },
    crashed: (random) => {
      const left = new Map(kept)
      for (const one of pending) if (random() < 0.5) apply(left, one)
      const contents = new Map<Inode, Inode>()
      const survivors = new Map<string, Entry>()
      for (const [path, entry] of left) {
        let above = dirname(path)
        while (left.has(above) && above !== '/') above = dirname(above)
        if (above !== '/') continue
        if (entry === 'folder') survivors.set(path, entry)
        else {
          if (!contents.has(entry)) contents.set(entry, torn(entry, random))
          survivors.set(path, contents.get(entry)!)
        }
      }
      return simulatedFileSystem(survivors)
    },
  }
}

function torn({ bytes, synced }: Inode, random: () => number): Inode {
  let left = synced
  if (bytes !== synced) {
    const choice = random()
    const at = Math.floor(random() * bytes.length)
    if (choice < 0.3) left = bytes
    else if (choice < 0.6) left = bytes.slice(0, at)
    else if (choice < 0.8) left = bytes.slice().fill(0, at)
  }
  return { bytes: left, synced: left }
}

/** A small generator of numbers in [0, 1), the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

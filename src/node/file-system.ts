import { link, mkdir, open, readdir, stat, unlink } from 'node:fs/promises'

/** An open file, or a folder opened to be synchronised. */
export interface OpenFile {
  /** Its length in bytes. */
  size(): Promise<number>
  /** Reads up to `length` bytes at `position` into `target` at `offset`; says how many. */
  read(target: Uint8Array, offset: number, length: number, position: number): Promise<number>
  /** Writes up to `length` bytes of `source` from `offset` at `position`; says how many. */
  write(source: Uint8Array, offset: number, length: number, position: number): Promise<number>
  /** Makes what was written survive power loss. */
  sync(): Promise<void>
  /** Lets it go. */
  close(): Promise<void>
}

/** One name in a folder. */
export interface FolderEntry {
  /** The name, without the folder. */
  readonly name: string
  /** What it leads to; links are `other`. */
  readonly kind: 'file' | 'folder' | 'other'
}

/**
 * The calls that a file storage makes, with the meaning and the error codes of `node:fs/promises`. Replaceable, so that
 * tests can fail each call and lose what was not synchronised.
 */
export interface FileSystem {
  /** Opens for reading (`r`), or makes a new file (`wx`). */
  open(path: string, flags: 'r' | 'wx'): Promise<OpenFile>
  /** Makes a folder and those above it; gives the topmost one made. */
  mkdir(path: string): Promise<string | undefined>
  /** What is in a folder. */
  readdir(path: string): Promise<readonly FolderEntry[]>
  /** Gives a file a second name that must be free. */
  link(from: string, to: string): Promise<void>
  /** Takes a name away. */
  unlink(path: string): Promise<void>
  /** When a file was written last, in milliseconds since 1970. */
  modified(path: string): Promise<number>
}

/** The file system of this machine. */
export const nodeFileSystem: FileSystem = {
  open: async (path, flags) => {
    const handle = await open(path, flags)
    return {
      size: async () => (await handle.stat()).size,
      read: async (target, offset, length, position) => (await handle.read(target, offset, length, position)).bytesRead,
      write: async (source, offset, length, position) =>
        (await handle.write(source, offset, length, position)).bytesWritten,
      sync: () => handle.sync(),
      close: () => handle.close(),
    }
  },
  mkdir: (path) => mkdir(path, { recursive: true }),
  readdir: async (path) =>
    (await readdir(path, { withFileTypes: true })).map((entry) => ({
      name: entry.name,
      kind: entry.isFile() ? 'file' : entry.isDirectory() ? 'folder' : 'other',
    })),
  link,
  unlink,
  modified: async (path) => (await stat(path)).mtimeMs,
}

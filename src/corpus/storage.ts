import type { AbortOptions } from '../document.ts'

/** A half-open range of a file's bytes. */
export interface ByteRange {
  /** First byte, counted from 0. */
  readonly start: number
  /** One past the last byte; past the end of the file it stands for the end. */
  readonly end: number
}

/** How to read a file. */
export interface ReadOptions extends AbortOptions {
  /** Memory that the bytes may be read into when there is room: the result is then a view of it. A storage may ignore it. */
  readonly into?: Uint8Array | undefined
}

/**
 * Where a corpus keeps its files. Names are relative, `/`-separated, of `[a-z0-9._-]` segments that are neither `.`
 * nor `..`; another name throws `INVALID_ARGUMENT`. A file once written never changes. Other failures throw
 * `STORAGE_FAILED` with the cause.
 *
 * What a call has returned, every later call of every process sees: a file that was written is read and listed, one that was
 * removed is neither. `list` need not be a snapshot: what is written or removed while it runs may be in it or not. Calls may
 * run side by side. Nothing is ever locked, so a process that dies blocks nobody. On object storage a name is a key,
 * `publish` a put that fails if the key exists (`If-None-Match: *`), and `writeNew` may be the same call; in the origin-private
 * file system of a browser, `publish` needs a lock of the browser (`navigator.locks`) around testing for a name and writing it.
 */
export interface Storage {
  /** The bytes of a file, or of a range of it. Throws `NOT_FOUND`. */
  read(name: string, range?: ByteRange, options?: ReadOptions): Promise<Uint8Array>
  /**
   * Writes a new file durably: when it returns, the bytes survive power loss. A failed or interrupted write may leave
   * a part of the file under the name. Throws `ALREADY_EXISTS`.
   */
  writeNew(name: string, bytes: Uint8Array, options?: AbortOptions): Promise<void>
  /**
   * Compare-and-swap: makes a file appear whole under a name, durably, or throws `ALREADY_EXISTS` when the name is
   * taken. Of several callers, in whichever process, exactly one succeeds.
   */
  publish(name: string, bytes: Uint8Array, options?: AbortOptions): Promise<void>
  /** Names that start with a prefix, sorted by code unit. Files whose names are not storage names are left out. */
  list(prefix: string, options?: AbortOptions): Promise<readonly string[]>
  /** Removes a file; a missing one is ignored. */
  remove(name: string, options?: AbortOptions): Promise<void>
  /**
   * Where this machine's file system has a file, for engines that map files into memory and write them by themselves; absent
   * where there is no such place.
   */
  locate?(name: string): string
  /** Removes what interrupted writes of dead processes left behind; absent where a write leaves nothing. */
  sweep?(options?: AbortOptions): Promise<void>
}

import type { AbortOptions } from '../document.ts'

/**
 * Where a corpus keeps its files. Names are relative, `/`-separated, of `[a-z0-9._-]` segments; a file once written
 * never changes. Failures throw `STORAGE_FAILED` with the cause.
 */
export interface Storage {
  /** The bytes of a file, or of a range of it. Throws `NOT_FOUND`. */
  read(
    name: string,
    range?: { readonly start: number; readonly end: number },
    options?: AbortOptions,
  ): Promise<Uint8Array>
  /** Writes a new file durably: when it returns, the bytes survive power loss. Throws `ALREADY_EXISTS`. */
  writeNew(name: string, bytes: Uint8Array, options?: AbortOptions): Promise<void>
  /** Compare-and-swap: makes a file appear whole under a name, durably, or throws `ALREADY_EXISTS` when the name is taken. */
  publish(name: string, bytes: Uint8Array, options?: AbortOptions): Promise<void>
  /** Names that start with a prefix, sorted. */
  list(prefix: string, options?: AbortOptions): Promise<readonly string[]>
  /** Removes a file; a missing one is ignored. */
  remove(name: string, options?: AbortOptions): Promise<void>
}

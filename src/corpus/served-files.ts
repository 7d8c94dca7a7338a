import type { AbortOptions } from '../document.ts'
import { isGroundlineError } from '../errors.ts'
import type { SavedServing, Serving } from '../vector-index/vector-index.ts'
import { checksumSealer } from './checksum-sealer.ts'
import { publishDerived, readDerived } from './derived-files.ts'
import type { Storage } from './storage.ts'

/** A version with the one that first held its content. */
export interface ServedVersion {
  /** Its number. */
  readonly version: number
  /** The version that first held its content. */
  readonly content: number
}

/** Which index files served which version: a table whose rows are file names. */
export interface ServedFiles {
  /** The folder where an index publishes its own files. */
  readonly folder: string
  /** What served a version last; undefined when nothing is kept of it, or it is damaged. */
  read(version: number, options?: AbortOptions): Promise<SavedServing | undefined>
  /** What served the newest of the versions with a content. */
  readContent(content: number, options?: AbortOptions): Promise<SavedServing | undefined>
  /** Keeps what serves a version now, durably, in place of what was kept of it. */
  write(served: ServedVersion, serving: Serving, options?: AbortOptions): Promise<void>
  /**
   * Removes what served versions that are neither the current one, nor the one before it, nor the last with another content,
   * nor among `needed`, and graphs that nothing kept names; each once it was not needed for a minute.
   */
  collect(current: ServedVersion, needed: ReadonlySet<number>, inUse: string | undefined): Promise<readonly string[]>
  /** Removes a graph's file by the name its index gave it. */
  discard(file: string): Promise<void>
  /** Removes all of it. */
  clear(options?: AbortOptions): Promise<void>
}

/** One file of the table. */
interface Row extends ServedVersion {
  readonly name: string
  readonly time: number
  readonly graph: string
}

const FOLDER = 'derived/'
/** How long a file stays that nothing needs: a reader in another process may be about to open it. */
const KEPT_MS = 60_000
/** And how long one that is being written, or was left by a process that ended. */
const UNNAMED_MS = 600_000

/**
 * Keeps index files by version beside a corpus, in `derived/`. They are in the clear: for a corpus without a key, in a storage
 * that has files on this machine; undefined for another.
 */
export function servedFiles(storage: Storage, now: () => number = Date.now): ServedFiles | undefined {
  const { locate } = storage
  if (locate === undefined) return undefined
  const sealer = checksumSealer()
  /** When files that no row names were first seen. */
  const unnamed = new Map<string, number>()

  const rowsIn = (names: readonly string[]): readonly Row[] =>
    names
      .flatMap((name) => {
        const parts = /^derived\/serving-(\d{12})-(\d{12})-(\d{13})-([0-9a-f]{24})\.der$/.exec(name)
        if (!parts) return []
        const [version, content, time] = parts.slice(1, 4).map(Number) as [number, number, number]
        return [{ name, version, content, time, graph: parts[4]! }]
      })
      .sort((a, b) => b.version - a.version || b.time - a.time)

  /** The newest of some rows that can be read. */
  const read = async (
    isWanted: (row: Row) => boolean,
    options: AbortOptions | undefined,
  ): Promise<SavedServing | undefined> => {
    const names = await storage.list(FOLDER, options)
    for (const { name, graph } of rowsIn(names).filter(isWanted)) {
      const base = names.find((one) => isBaseOf(one, graph))
      if (base === undefined) continue
      try {
        const parts = [base, name].map((one) => readDerived(storage, sealer, one, options))
        const [made, own] = await Promise.all(parts)
        return { base: made!.body, state: own!.body }
      } catch (error) {
        // Damaged, of a newer format, or just removed: an earlier one, or none.
        if (!isGroundlineError(error)) throw error
      }
    }
    return undefined
  }

  const publish = (name: string, body: Uint8Array, options: AbortOptions | undefined) =>
    publishDerived(storage, sealer, `${FOLDER}${name}`, { head: {}, body }, options)

  return {
    folder: locate(`${FOLDER}x`).slice(0, -2),
    read: (version, options) => read((row) => row.version === version, options),
    readContent: (content, options) => read((row) => row.content === content, options),
    write: async ({ version, content }, serving, options) => {
      const graph = graphOf(serving.file)
      if (graph === undefined) return
      const names = await storage.list(FOLDER, options)
      const before = rowsIn(names).filter((row) => row.version === version)
      const time = Math.max(now(), (before[0]?.time ?? 0) + 1)
      if (!names.some((name) => isBaseOf(name, graph)))
        await publish(`base-${digits(time, 13)}-${graph}.der`, serving.base(), options)
      const name = `serving-${digits(version, 12)}-${digits(content, 12)}-${digits(time, 13)}-${graph}.der`
      await publish(name, serving.state(), options)
      for (const row of before) await storage.remove(row.name, options)
    },
    collect: async (current, needed, inUse) => {
      const names = await storage.list(FOLDER)
      const rows = rowsIn(names)
      // Somebody is ahead, and knows of tags that are not known here.
      if ((rows[0]?.version ?? 0) > current.version) return []
      const other = rows.find(({ content }) => content !== current.content)?.version
      const isKept = ({ version, time }: Row) =>
        version >= current.version - 1 || version === other || needed.has(version) || now() - time < KEPT_MS
      const graphs = new Set(rows.filter(isKept).map(({ graph }) => graph))
      const using = graphOf(inUse)
      if (using !== undefined) graphs.add(using)
      const based = new Set<string>()
      const gone = rows.filter((row) => !isKept(row)).map(({ name }) => name)
      for (const name of names) {
        const [, time, graph] = /^derived\/base-(\d{13})-([0-9a-f]{24})\.der$/.exec(name) ?? []
        if (graph === undefined) continue
        based.add(graph)
        if (!graphs.has(graph) && now() - Number(time) >= KEPT_MS) gone.push(name)
      }
      for (const name of names) {
        const [, graph] = /^derived\/graph-([0-9a-f]{24})\.usearch(?:\.tmp)?$/.exec(name) ?? []
        if (graph === undefined || (graphs.has(graph) && !name.endsWith('.tmp'))) {
          unnamed.delete(name)
          continue
        }
        const isNamed = gone.some((one) => isBaseOf(one, graph))
        const since = unnamed.get(name) ?? now()
        unnamed.set(name, since)
        if (isNamed || (!based.has(graph) && now() - since >= UNNAMED_MS)) gone.push(name)
      }
      for (const name of gone) await storage.remove(name)
      return gone
    },
    discard: (file) => storage.remove(`${FOLDER}${file}`),
    clear: async (options) => {
      for (const name of await storage.list(FOLDER, options))
        if (/^derived\/(?:serving|base|graph)-/.test(name)) await storage.remove(name, options)
    },
  }
}

/** What names a graph in its file's name. */
function graphOf(file = ''): string | undefined {
  return /^graph-([0-9a-f]{24})\.usearch$/.exec(file)?.[1]
}

function isBaseOf(name: string, graph: string): boolean {
  return name.startsWith(`${FOLDER}base-`) && name.endsWith(`-${graph}.der`)
}

function digits(value: number, length: number): string {
  return String(value).padStart(length, '0')
}

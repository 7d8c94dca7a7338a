import { createReadStream, type Dirent } from 'node:fs'
import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { join, resolve, sep } from 'node:path'
import type { SourceFailure, SourceItem, WatchableSource } from '../corpus/corpus.ts'
import type { AbortOptions } from '../document.ts'
import { GroundlineError } from '../errors.ts'
import { requireInteger, requireString } from '../internal/argument.ts'
import { collectBytes, tooManyBytes } from '../internal/collect-bytes.ts'
import type { LoaderInput } from '../loader/loader.ts'
import { type IgnorePatterns, ignoreLines, ignorePatterns } from './ignore-patterns.ts'
import { watchFolder } from './watch-folder.ts'

/** What {@link folder} lists. Patterns have the syntax of .gitignore and are relative to the folder. */
export interface FolderOptions {
  /** Files to list. Default: Markdown and plain text. */
  readonly include?: readonly string[]
  /** Files and folders to pass over. Default: `node_modules`. */
  readonly exclude?: readonly string[]
  /** Names of files whose patterns hold for the folder they are in. Default: `.gitignore`; `[]` for none. */
  readonly ignoreFiles?: readonly string[]
  /** Whether names that start with a dot are listed. Default `skip`. */
  readonly hidden?: 'skip' | 'list'
  /** Put before each path to make the id; tells folders with equal file names apart. Default empty. */
  readonly idPrefix?: string
  /** Names the source across runs. Default: the folder's absolute path, so a moved folder is another source. */
  readonly scope?: string
  /** Files beyond this many bytes are reported, not read. Default 33,554,432. */
  readonly maxBytes?: number
  /** How long nothing may change before `watch` reports what did, in milliseconds. Default 200. */
  readonly settleMs?: number
}

/** Files changed this recently may change again within one tick of the file system's clock. */
const RACY_MS = 2_000

/**
 * A {@link WatchableSource} of the files below a folder, by relative path. Links are followed as long as they stay inside the
 * folder; others, unreadable files and folders, and files over the limit are reported as failures. Throws `NOT_FOUND`
 * when the folder is missing, before anything is listed. `watch` begins with an empty list, so that the loop below syncs
 * at once and after every change.
 *
 * @example
 * ```ts
 * import { folder } from 'groundline/node'
 *
 * const docs = folder('docs', { include: ['*.md'] })
 * for await (const changed of docs.watch({ signal })) await ground.sync(docs)
 * ```
 */
export function folder(directory: string, options: FolderOptions = {}): WatchableSource {
  requireString('directory', directory)
  const {
    include = ['*.md', '*.markdown', '*.mdx', '*.txt', '*.text'],
    exclude = ['node_modules'],
    ignoreFiles = ['.gitignore'],
    hidden = 'skip',
    idPrefix = '',
    maxBytes = 33_554_432,
    settleMs = 200,
  } = options
  requireInteger('maxBytes', maxBytes, 1)
  requireInteger('settleMs', settleMs, 1, 60_000)
  const base = resolve(directory)
  const included = ignorePatterns(include, 'folded')
  const excluded = ignorePatterns(exclude)
  const isListed = (name: string): boolean => included.covers(name, 'file')

  async function* walk(
    root: string,
    relative: string,
    rules: readonly IgnoreRules[],
    above: readonly string[],
    signal: AbortSignal | undefined,
  ): AsyncGenerator<SourceItem | SourceFailure> {
    signal?.throwIfAborted()
    const path = join(base, relative)
    let entries: Dirent[]
    let real: string
    try {
      real = await realpath(path)
      entries = await readdir(path, { withFileTypes: true })
    } catch (error) {
      yield failure(idPrefix + relative, error, 'the folder')
      return
    }
    const here = [...rules, ...(await readRules(path, relative, ignoreFiles, entries))]
    entries.sort((a, b) => (a.name < b.name ? -1 : 1))
    for (const entry of entries) {
      signal?.throwIfAborted()
      if (hidden === 'skip' && entry.name.startsWith('.')) continue
      const name = relative === '' ? entry.name : `${relative}/${entry.name}`
      const id = idPrefix + name
      try {
        let directoryEntry = entry.isDirectory()
        if (isIgnored(name, directoryEntry ? 'folder' : 'file', excluded, here)) continue
        if (!directoryEntry && !entry.isSymbolicLink() && !(entry.isFile() && isListed(name))) continue
        if (entry.isSymbolicLink()) {
          const target = await realpath(join(base, name))
          directoryEntry = (await stat(target)).isDirectory()
          if (!directoryEntry && !isListed(name)) continue
          requireInside(root, target, id)
          if (directoryEntry && [...above, real].includes(target)) continue
        }
        if (directoryEntry) yield* walk(root, name, here, [...above, real], signal)
        else yield await itemOf(root, name, id)
      } catch (error) {
        signal?.throwIfAborted()
        yield failure(id, error, 'the file')
      }
    }
  }

  /** As the caller wrote the folder: a prompt that cites it does not tell where on the machine it is. */
  const shownPath = (name: string): string => join(directory, name).split(sep).join('/')

  const itemOf = async (root: string, name: string, id: string): Promise<SourceItem> => {
    const path = join(base, name)
    const info = await stat(path, { bigint: true })
    if (!info.isFile()) throw new GroundlineError('UNSUPPORTED_FORMAT', `${id} is no regular file`, { details: { id } })
    if (info.size > maxBytes) throw tooManyBytes(id, info.size, maxBytes)
    const settled = Date.now() - Number(info.ctimeMs) > RACY_MS
    return {
      id,
      ...(settled && { revision: `${info.ctimeNs}-${info.size}-${info.ino}` }),
      read: async ({ signal }: AbortOptions = {}): Promise<LoaderInput> => {
        signal?.throwIfAborted()
        // The file may have become a link, or grown, since it was listed.
        try {
          const target = await realpath(path)
          requireInside(root, target, id)
          return {
            id,
            uri: shownPath(name),
            content: await collectBytes(id, byteStream(target, signal), maxBytes, signal),
          }
        } catch (error) {
          signal?.throwIfAborted()
          throw failure(id, error, 'the file').error
        }
      },
    }
  }

  /** Ignore files count though they are hidden, and their own patterns do not: a sync with nothing to do costs little. */
  const isPassedOver = (name: string, kind: 'file' | 'folder'): boolean => {
    const last = name.slice(name.lastIndexOf('/') + 1)
    if (ignoreFiles.includes(last)) return false
    if (hidden === 'skip' && last.startsWith('.')) return true
    return excluded.covers(name, kind) || (kind === 'file' && !isListed(name))
  }

  return {
    scope: options.scope ?? `folder:${base}`,
    items: async function* ({ signal }: AbortOptions = {}) {
      signal?.throwIfAborted()
      await requireFolder(base)
      yield* walk(await realpath(base), '', [], [], signal)
    },
    watch: async function* ({ signal }: AbortOptions = {}) {
      signal?.throwIfAborted()
      await requireFolder(base)
      for await (const names of watchFolder(base, { isPassedOver, settleMs, signal })) {
        yield names.map((name) => idPrefix + name)
      }
    },
  }
}

async function requireFolder(base: string): Promise<void> {
  const info = await stat(base).catch((error: unknown) => {
    throw new GroundlineError('NOT_FOUND', `there is no folder ${base}: check the path`, {
      cause: error,
      details: { path: base },
    })
  })
  if (info.isDirectory()) return
  throw new GroundlineError('INVALID_ARGUMENT', `${base} is no folder: give the folder that holds the files`, {
    details: { path: base },
  })
}

/** The patterns of one ignore file and the folder they are relative to. */
interface IgnoreRules {
  readonly base: string
  readonly patterns: IgnorePatterns
}

async function readRules(
  path: string,
  base: string,
  names: readonly string[],
  entries: readonly Dirent[],
): Promise<readonly IgnoreRules[]> {
  const found: IgnoreRules[] = []
  for (const name of names) {
    if (!entries.some((entry) => entry.name === name && entry.isFile())) continue
    found.push({ base, patterns: ignorePatterns(ignoreLines(await readFile(join(path, name), 'utf8'))) })
  }
  return found
}

function isIgnored(
  name: string,
  kind: 'file' | 'folder',
  excluded: IgnorePatterns,
  rules: readonly IgnoreRules[],
): boolean {
  if (excluded.covers(name, kind)) return true
  // A nearer file overrules those above it, as in git; the folders above were not ignored, or this one was not reached.
  for (const { base, patterns } of rules.toReversed()) {
    const verdict = patterns.verdict(base === '' ? name : name.slice(base.length + 1), kind)
    if (verdict) return verdict === 'ignored'
  }
  return false
}

function requireInside(root: string, target: string, id: string): void {
  if (target === root || target.startsWith(root.endsWith(sep) ? root : root + sep)) return
  throw new GroundlineError('INVALID_ARGUMENT', `${id} is a link out of the folder: it is not followed`, {
    details: { id },
  })
}

const byteStream = (path: string, signal?: AbortSignal): AsyncIterable<Uint8Array> =>
  createReadStream(path, { signal, highWaterMark: 1 << 20 })

function failure(id: string, error: unknown, what: string): SourceFailure {
  if (error instanceof GroundlineError) return { id, error }
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown error'
  const message = `could not read ${what} ${id}: ${code}; check that it exists and may be read`
  return { id, error: new GroundlineError('STORAGE_FAILED', message, { cause: error, details: { id, errno: code } }) }
}

import { realpath } from 'node:fs/promises'
import { relative, sep } from 'node:path'
import type { AbortOptions } from '../document.ts'
import { GroundlineError } from '../errors.ts'

/** What to watch, and when to speak. */
export interface WatchFolderOptions extends AbortOptions {
  /** Whether changes of a path below the folder do not count, so that nothing below it need be watched. */
  readonly isPassedOver: (name: string, kind: 'file' | 'folder') => boolean
  /** How long nothing may change before what did is reported, in milliseconds. */
  readonly settleMs: number
}

/** Settling is waited for no longer than this many times `settleMs`: a log that is always written still gets reported. */
const LONGEST_WAIT = 25

/**
 * Relative paths below a folder that changed, each time changes came to rest; first an empty list, once the watch has
 * begun. What changes while the caller is busy comes with the next list. Ends with the abort reason, or with
 * `STORAGE_FAILED` when the system cannot watch any more.
 */
export async function* watchFolder(
  directory: string,
  { isPassedOver, settleMs, signal }: WatchFolderOptions,
): AsyncGenerator<readonly string[]> {
  signal?.throwIfAborted()
  const { watch } = await import('chokidar')
  // Of a folder that is a link, only the link would be watched.
  const base = await realpath(directory)
  signal?.throwIfAborted()
  const nameOf = (path: string): string => relative(base, path).split(sep).join('/')
  const watcher = watch(base, {
    ignoreInitial: true,
    followSymlinks: false,
    ignored: (path, stats) => {
      const name = nameOf(path)
      return name !== '' && isPassedOver(name, stats?.isFile() ? 'file' : 'folder')
    },
  })
  let changed = new Set<string>()
  let failure: unknown
  let settled = false
  let isReady = false
  let timer: NodeJS.Timeout | undefined
  let firstChange = 0
  let wake = (): void => {}
  const settle = (): void => {
    settled = true
    wake()
  }
  const fail = (error: unknown): void => {
    failure ??= error
    wake()
  }
  const onAbort = (): void => fail(signal!.reason)
  watcher.on('ready', () => {
    isReady = true
    settle()
  })
  watcher.on('error', (cause) => {
    const message = `cannot watch ${directory} any more: ${String((cause as NodeJS.ErrnoException).code ?? cause)}; sync at intervals instead, or raise the system's limit of watched files`
    fail(new GroundlineError('STORAGE_FAILED', message, { cause, details: { path: directory } }))
  })
  watcher.on('all', (event, path) => {
    // Links are told of before it is ready, and whatever changes until then is seen by whoever looks from then on.
    if (!isReady || event === 'addDir' || event === 'unlinkDir') return
    if (changed.size === 0) firstChange = performance.now()
    changed.add(nameOf(path))
    if (performance.now() - firstChange > LONGEST_WAIT * settleMs) return settle()
    clearTimeout(timer)
    timer = setTimeout(settle, settleMs)
  })
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    for (;;) {
      while (!settled && failure === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      if (failure !== undefined) throw failure
      settled = false
      const names = [...changed].sort()
      changed = new Set()
      yield names
    }
  } finally {
    signal?.removeEventListener('abort', onAbort)
    clearTimeout(timer)
    await watcher.close()
  }
}

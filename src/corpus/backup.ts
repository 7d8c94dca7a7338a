import type { AbortOptions } from '../document.ts'
import { GroundlineError, isGroundlineError } from '../errors.ts'
import type { CorpusCore } from './corpus-core.ts'
import { encodeManifest, listVersions, manifestName } from './manifest.ts'
import type { Storage } from './storage.ts'

/** What a backup or restore copied. */
export interface BackupReport {
  /** The version that the target holds now. */
  readonly version: number
  /** Names of the files that were copied. */
  readonly copied: readonly string[]
  /** How many files the target held already. */
  readonly present: number
}

/** Tries before a backup gives up on a corpus that is collected faster than it is copied. */
const TRIES = 5

/**
 * Copies the newest version with its tags to another storage while writers go on. Files keep their names and seals, so an
 * encrypted corpus stays encrypted, and a second backup to the same target copies what is new only.
 */
export async function backupCorpus(core: CorpusCore, to: Storage, options: AbortOptions): Promise<BackupReport> {
  for (let attempt = 1; ; attempt++) {
    const { manifest } = await core.renew(options)
    if (!manifest) throw new GroundlineError('NOT_FOUND', 'there is nothing to back up: the corpus has no version yet')
    const pinned = [manifest, ...manifest.tags.map(({ snapshot }) => snapshot)].map((snapshot) => ({ ...snapshot }))
    for (const snapshot of pinned) core.pins.add(snapshot)
    try {
      const names = new Set(pinned.flatMap(({ segments }) => segments.map(({ name }) => name)))
      for (const prefix of ['keys/', 'audit/'])
        for (const name of await core.storage.list(prefix, options)) names.add(name)
      const copied: string[] = []
      for (const name of names) if (await copyFile(core.storage, to, name, options)) copied.push(name)
      // The manifest comes last: until then the target holds what it held before.
      const { candidate: _, ...kept } = manifest
      const name = manifestName(manifest.version)
      if (await put(to, name, await encodeManifest({ ...kept, condemned: [] }, core.sealer), options)) copied.push(name)
      return { version: manifest.version, copied, present: names.size + 1 - copied.length }
    } catch (error) {
      const collected = isGroundlineError(error) && error.code === 'NOT_FOUND'
      if (!collected || attempt === TRIES) throw error
    } finally {
      for (const snapshot of pinned) core.pins.delete(snapshot)
    }
  }
}

/**
 * Copies a backup into an empty storage. Throws `ALREADY_EXISTS` when the target holds anything, and `NOT_FOUND` when the
 * backup holds no version.
 *
 * @example
 * ```ts
 * import { restoreCorpus } from 'groundline/corpus'
 * import { fileStorage } from 'groundline/node'
 *
 * await restoreCorpus({ from: fileStorage('./backup'), to: fileStorage('./kb') })
 * ```
 */
export async function restoreCorpus({
  from,
  to,
  signal,
}: AbortOptions & {
  /** The backup. */
  readonly from: Storage
  /** Where it goes. */
  readonly to: Storage
}): Promise<BackupReport> {
  if ((await to.list('', { signal })).length > 0) {
    throw new GroundlineError('ALREADY_EXISTS', 'the target is not empty: restore into an empty storage')
  }
  const newest = (await listVersions(from, { signal })).at(-1)
  if (newest === undefined) throw new GroundlineError('NOT_FOUND', 'the backup holds no version of a corpus')
  const copied: string[] = []
  for (const prefix of ['keys/', 'segments/', 'audit/']) {
    for (const name of await from.list(prefix, { signal })) {
      if (await copyFile(from, to, name, { signal })) copied.push(name)
    }
  }
  const name = manifestName(newest)
  if (await copyFile(from, to, name, { signal })) copied.push(name)
  return { version: newest, copied, present: 0 }
}

/** Copies a file whose name says what it holds. False when the target has it. */
async function copyFile(from: Storage, to: Storage, name: string, options: AbortOptions): Promise<boolean> {
  const bytes = await from.read(name, undefined, options)
  return put(to, name, bytes, options)
}

async function put(to: Storage, name: string, bytes: Uint8Array, options: AbortOptions): Promise<boolean> {
  try {
    await to.publish(name, bytes, options)
    return true
  } catch (error) {
    if (isGroundlineError(error) && error.code === 'ALREADY_EXISTS') return false
    throw error
  }
}

import type { AbortOptions } from '../document.ts'
import { isGroundlineError } from '../errors.ts'
import { sha256Hex } from '../internal/hash.ts'
import { damaged, FRAME_BYTES, HEADER_BYTES, newFile, openFile } from './container.ts'
import type { CorpusCore } from './corpus-core.ts'
import { listVersions, type Manifest, readManifest, type UnauditedAction } from './manifest.ts'

/** Something done to a corpus that somebody may have to answer for. Holds no text and no document id. */
export interface AuditEntry {
  /** Counted from 1. */
  readonly number: number
  /** When, ISO 8601. */
  readonly time: string
  /** What was done. A `purge` that was carried to its end is followed by `purged`; one that is not must be repeated. */
  readonly action: UnauditedAction['action'] | 'purged'
  /** The version that it made; of `purged`, the newest then. */
  readonly version: number
  /** Numbers and names that say more: documents purged, the tag of a hold. */
  readonly details: Readonly<Record<string, string | number>>
  /** SHA-256 of the entry before; 64 zeros in the first. */
  readonly previous: string
}

type NewEntry = Omit<AuditEntry, 'number' | 'previous'>

const FOLDER = 'audit/'
const RECORD = 1
const NOTHING_BEFORE = '0'.repeat(64)

const fileName = (number: number): string => `${FOLDER}${String(number).padStart(12, '0')}.aud`

/**
 * Enters what the newest manifest names and the trail lacks: what is done is published with its entry, in one manifest, so
 * that neither is there without the other, and manifests carry the entry on until somebody has entered it. `before`
 * something is done, a trail of a newer format is an error; one that is damaged or cannot be written keeps nothing back.
 */
export async function enterAudit(core: CorpusCore, when: 'before' | 'after'): Promise<void> {
  const { manifest } = core.head()
  const pending = (manifest?.unaudited ?? []).filter(({ version }) => version > core.audited())
  if (when === 'after' && pending.length === 0) return
  try {
    if (pending.length === 0) await lastEntered(core, {})
    for (const entry of pending) {
      await append(core, entry, {})
      core.noteAudited(entry.version)
    }
  } catch (error) {
    // What was done is done, and its entry is in the manifest: it is entered next time.
    if (!isGroundlineError(error) || (when === 'before' && error.code === 'UNSUPPORTED_FORMAT')) throw error
  }
}

/** Enters that a purge was carried to its end. */
export async function auditPurged(core: CorpusCore, files: number): Promise<void> {
  await enterAudit(core, 'after')
  const { version } = core.head().state.snapshot
  const time = new Date().toISOString()
  try {
    await append(core, { action: 'purged', version, time, details: { files } }, {})
  } catch (error) {
    // A trail that is damaged takes nothing more; reading it says so.
    if (!isGroundlineError(error) || error.code !== 'CORRUPT_DATA') throw error
  }
}

/** The audit trail, oldest first. Throws `CORRUPT_DATA` when an entry is missing, damaged or not the one that was written. */
export async function readAudit(core: CorpusCore, options: AbortOptions): Promise<readonly AuditEntry[]> {
  const pending = (await newestManifest(core, options))?.unaudited ?? []
  const entries: AuditEntry[] = []
  let previous = NOTHING_BEFORE
  for (const number of await numbers(core, options)) {
    const record = await readRecord(core, number, options)
    const entry = parse(record)
    if (entry.number !== entries.length + 1 || number !== entry.number || entry.previous !== previous) {
      throw damaged(fileName(number), HEADER_BYTES, 'the entry does not follow the one before it')
    }
    previous = sha256Hex(record)
    entries.push(entry)
  }
  const entered = entries.findLast(({ action }) => action !== 'purged')?.version ?? 0
  for (const entry of pending) {
    if (entry.version <= entered) continue
    const whole = { number: entries.length + 1, ...entry, previous }
    previous = sha256Hex(encode(whole))
    entries.push(whole)
  }
  return entries
}

/** Adds an entry, durably, unless the trail has it: entries stand in the order of the versions they made. */
async function append(core: CorpusCore, entry: NewEntry, options: AbortOptions): Promise<void> {
  for (;;) {
    const last = await lastEntered(core, options)
    if (entry.action !== 'purged' && last.version >= entry.version) return
    const number = last.number + 1
    const file = await newFile(fileName(number), 'AUD1', core.sealer)
    await file.add(RECORD, encode({ number, ...entry, previous: last.digest }))
    try {
      await core.storage.publish(fileName(number), file.bytes(), options)
      return
    } catch (error) {
      if (!isGroundlineError(error) || error.code !== 'ALREADY_EXISTS') throw error
    }
  }
}

/** The number and digest of the last entry, and the last version that an entry made. */
async function lastEntered(
  core: CorpusCore,
  options: AbortOptions,
): Promise<{ readonly number: number; readonly digest: string; readonly version: number }> {
  const all = await numbers(core, options)
  const number = all.at(-1) ?? 0
  let digest = NOTHING_BEFORE
  for (const each of all.toReversed()) {
    const record = await readRecord(core, each, options)
    if (each === number) digest = sha256Hex(record)
    const { action, version } = parse(record)
    if (action !== 'purged') return { number, digest, version }
  }
  return { number, digest, version: 0 }
}

/** The newest manifest there is, without making it the head. */
async function newestManifest(core: CorpusCore, options: AbortOptions): Promise<Manifest | undefined> {
  const { manifest } = core.head()
  const newest = (await listVersions(core.storage, options)).at(-1) ?? 0
  if (newest <= (manifest?.version ?? 0)) return manifest
  try {
    return await readManifest(core.storage, newest, core.sealer, options)
  } catch (error) {
    // Collected between the listing and the reading: there is a newer one.
    if (!isGroundlineError(error) || error.code !== 'NOT_FOUND') throw error
    return newestManifest(core, options)
  }
}

async function numbers(core: CorpusCore, options: AbortOptions): Promise<readonly number[]> {
  return (await core.storage.list(FOLDER, options)).flatMap((name) => {
    const digits = /^audit\/(\d{12})\.aud$/.exec(name)?.[1]
    return digits === undefined ? [] : [Number(digits)]
  })
}

async function readRecord(core: CorpusCore, number: number, options: AbortOptions): Promise<Uint8Array> {
  const name = fileName(number)
  const whole = await core.storage.read(name, undefined, options)
  const reader = await openFile(core.storage, name, 'AUD1', core.sealer, { ...options, whole })
  const place = { offset: HEADER_BYTES, length: Math.max(FRAME_BYTES, whole.length - HEADER_BYTES) }
  return reader.record(place, RECORD, options)
}

const encode = (entry: AuditEntry): Uint8Array => new TextEncoder().encode(JSON.stringify(entry))
const parse = (record: Uint8Array): AuditEntry => JSON.parse(new TextDecoder().decode(record))

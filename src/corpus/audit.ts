import type { AbortOptions } from '../document.ts'
import { isGroundlineError } from '../errors.ts'
import { sha256Hex } from '../internal/hash.ts'
import { damaged, FRAME_BYTES, HEADER_BYTES, newFile, openFile } from './container.ts'
import type { CorpusCore } from './corpus-core.ts'

/** Something done to a corpus that somebody may have to answer for. Holds no text and no document id. */
export interface AuditEntry {
  /** Counted from 1. */
  readonly number: number
  /** When, ISO 8601. */
  readonly time: string
  /** What was done. */
  readonly action: 'purge' | 'rollback' | 'promote' | 'hold' | 'release'
  /** The version that it made. */
  readonly version: number
  /** Numbers and names that say more: documents purged, the tag of a hold. */
  readonly details: Readonly<Record<string, string | number>>
  /** SHA-256 of the entry before; 64 zeros in the first. */
  readonly previous: string
}

const FOLDER = 'audit/'
const RECORD = 1

const fileName = (number: number): string => `${FOLDER}${String(number).padStart(12, '0')}.aud`

/** Adds an entry to the audit trail, durably. */
export async function addAuditEntry(
  core: CorpusCore,
  entry: Pick<AuditEntry, 'action' | 'version' | 'details'>,
  options: AbortOptions,
): Promise<void> {
  for (;;) {
    const last = (await numbers(core, options)).at(-1) ?? 0
    const previous = last === 0 ? '0'.repeat(64) : sha256Hex(await readRecord(core, last, options))
    const number = last + 1
    const file = await newFile(fileName(number), 'AUD1', core.sealer)
    const whole: AuditEntry = { number, time: new Date().toISOString(), ...entry, previous }
    await file.add(RECORD, new TextEncoder().encode(JSON.stringify(whole)))
    try {
      await core.storage.publish(fileName(number), file.bytes(), options)
      return
    } catch (error) {
      if (!isGroundlineError(error) || error.code !== 'ALREADY_EXISTS') throw error
    }
  }
}

/**
 * Enters the hold of a tag, or its release, unless the trail says it already. A hold is in force with the version that names
 * it, whatever becomes of its entry: what was cut off between the two is entered by the next call that asks for the same.
 */
export async function auditHold(core: CorpusCore, tag: string, options: AbortOptions): Promise<void> {
  const { manifest, state } = core.head()
  const reason = manifest?.tags.find(({ name }) => name === tag)?.hold
  const isHeld = reason !== undefined
  const last = (await readAudit(core, options)).findLast(
    ({ action, details }) => (action === 'hold' || action === 'release') && details.tag === tag,
  )
  if (isHeld === (last?.action === 'hold')) return
  const { version } = state.snapshot
  if (isHeld) await addAuditEntry(core, { action: 'hold', version, details: { tag, reason } }, options)
  else await addAuditEntry(core, { action: 'release', version, details: { tag } }, options)
}

/** The audit trail, oldest first. Throws `CORRUPT_DATA` when an entry is missing, damaged or not the one that was written. */
export async function readAudit(core: CorpusCore, options: AbortOptions): Promise<readonly AuditEntry[]> {
  const entries: AuditEntry[] = []
  let previous = '0'.repeat(64)
  for (const number of await numbers(core, options)) {
    const record = await readRecord(core, number, options)
    const entry: AuditEntry = JSON.parse(new TextDecoder().decode(record))
    if (entry.number !== entries.length + 1 || number !== entry.number || entry.previous !== previous) {
      throw damaged(fileName(number), HEADER_BYTES, 'the entry does not follow the one before it')
    }
    previous = sha256Hex(record)
    entries.push(entry)
  }
  return entries
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

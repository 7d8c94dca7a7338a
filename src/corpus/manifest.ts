import type { AbortOptions } from '../document.ts'
import type { EmbeddingSpace } from '../embedder/embedder.ts'
import { isGroundlineError } from '../errors.ts'
import { canonicalJson, contentHash } from '../internal/hash.ts'
import { damaged, FRAME_BYTES, HEADER_BYTES, newFile, openFile, type RecordPlace } from './container.ts'
import type { Sealer } from './sealer.ts'
import type { Storage } from './storage.ts'

/** A segment as a manifest names it. */
export interface SegmentRef {
  /** Its storage name. */
  readonly name: string
  /** Its length in bytes. */
  readonly length: number
  /** SHA-256 of its catalogue record, which holds the place of every other. */
  readonly digest: string
  /** Where the two copies of its catalogue stand: before the documents, and at the end. */
  readonly catalogues: readonly RecordPlace[]
  /** What its header says, in hexadecimal: salt and epoch, so that a damaged header costs nothing. */
  readonly salt: string
  /** The key it is sealed under; 0 without. */
  readonly epoch: number
  /** Rows of its catalogue. */
  readonly documents: number
  /** {@link idHash} of each id whose earlier row it replaces or removes: what must not be shown should it be lost. */
  readonly supersedes: readonly string[]
  /** {@link spaceKey} of its vectors; empty when it holds none. */
  readonly space: string
}

/** The content of one version: segments whose catalogues, read in order, give its documents. */
export interface Snapshot {
  /** The version it is, counted from 1. */
  readonly version: number
  /** Oldest first; a later row for a document replaces an earlier one. */
  readonly segments: readonly SegmentRef[]
  /** The space of its vectors; absent before the first. */
  readonly space?: EmbeddingSpace | undefined
  /** The version that first held this content; absent where it is this one. */
  readonly content?: number | undefined
}

/** A snapshot that is kept under a name, whatever becomes of its version. */
export interface Tag {
  /** Unique among the tags. */
  readonly name: string
  /** What is kept. */
  readonly snapshot: Snapshot
  /** Why a purge must not take anything of it; absent for an ordinary tag. */
  readonly hold?: string | undefined
}

/** One version of a corpus. */
export interface Manifest extends Snapshot {
  /** Random; tells apart two manifests that claimed one number. */
  readonly id: string
  /** The `id` of the version it was made from; empty for the first. */
  readonly parent: string
  /** When it was made, ISO 8601. */
  readonly time: string
  /** What made it. */
  readonly action: ManifestAction
  /** The version whose content it took over unchanged; absent where it has content of its own. */
  readonly origin?: number | undefined
  /** Snapshots kept by name. */
  readonly tags: readonly Tag[]
  /** The same documents in another embedding space, under construction. */
  readonly candidate?: Snapshot | undefined
  /** Segments that are being removed: a writer that finds its own among them writes it again. */
  readonly condemned: readonly string[]
  /** The version that the last purge made; absent before the first. */
  readonly purged?: number | undefined
  /** What was done and may not be in the audit trail yet, oldest first: it comes with the version that it made, so that none is missing. */
  readonly unaudited?: readonly UnauditedAction[] | undefined
}

/** An entry of the audit trail before it has its place there. */
export interface UnauditedAction {
  /** What was done. */
  readonly action: 'purge' | 'rollback' | 'promote' | 'hold' | 'release'
  /** The version that it made. */
  readonly version: number
  /** When, ISO 8601. */
  readonly time: string
  /** What more there is to say. */
  readonly details: Readonly<Record<string, string | number>>
}

/** What can make a version. */
export type ManifestAction = 'commit' | 'rollback' | 'compact' | 'collect' | 'reembed' | 'promote' | 'tag' | 'purge'

/** A short hash of a document id. */
export function idHash(id: string): string {
  return contentHash(id).slice(0, 12)
}

/** A short name of an embedding space. */
export function spaceKey(space: EmbeddingSpace | undefined): string {
  return space ? contentHash(canonicalJson(space)).slice(0, 16) : ''
}

const FOLDER = 'manifests/'
const RECORD = 1

/** The storage name of a version's manifest. */
export function manifestName(version: number): string {
  return `${FOLDER}${String(version).padStart(12, '0')}.man`
}

/** The versions whose manifests are stored, oldest first. */
export async function listVersions(storage: Storage, options?: AbortOptions): Promise<readonly number[]> {
  const names = await storage.list(FOLDER, options)
  return names.flatMap((name) => {
    const digits = /^manifests\/(\d{12})\.man$/.exec(name)?.[1]
    return digits === undefined ? [] : [Number(digits)]
  })
}

/** A manifest as a file. The record is there twice, so that damage to one copy costs nothing. */
export async function encodeManifest(manifest: Manifest, sealer: Sealer): Promise<Uint8Array> {
  const file = await newFile(manifestName(manifest.version), 'MAN1', sealer)
  const record = new TextEncoder().encode(JSON.stringify(manifest))
  await file.add(RECORD, record)
  await file.add(RECORD, record)
  return file.bytes()
}

/** Reads a version's manifest from whichever copy is whole. Throws `NOT_FOUND` and `CORRUPT_DATA`. */
export async function readManifest(
  storage: Storage,
  version: number,
  sealer: Sealer,
  options?: AbortOptions,
): Promise<Manifest> {
  const name = manifestName(version)
  const whole = await storage.read(name, undefined, options)
  const reader = await openFile(storage, name, 'MAN1', sealer, { ...options, whole })
  const half = (whole.length - HEADER_BYTES) / 2
  const copies = [
    frameAt(whole, HEADER_BYTES),
    { offset: HEADER_BYTES + half, length: half },
    { offset: HEADER_BYTES, length: half },
  ]
  for (const place of copies) {
    if (!Number.isInteger(place.length) || place.length < FRAME_BYTES) continue
    try {
      const manifest: Manifest = JSON.parse(new TextDecoder().decode(await reader.record(place, RECORD)))
      if (manifest.version === version) return manifest
    } catch (error) {
      if (!isGroundlineError(error) || error.code !== 'CORRUPT_DATA') throw error
    }
  }
  throw damaged(name, HEADER_BYTES, 'neither copy of the manifest matches its seal')
}

function frameAt(whole: Uint8Array, offset: number): RecordPlace {
  const length =
    whole.length < offset + FRAME_BYTES ? 0 : new DataView(whole.buffer, whole.byteOffset).getUint32(offset, true)
  return { offset, length: length + FRAME_BYTES }
}

import type { AbortOptions } from '../document.ts'
import { isGroundlineError } from '../errors.ts'
import { contentHash } from '../internal/hash.ts'
import { placeHash } from '../internal/hashed-places.ts'
import type { Row } from './catalogue.ts'
import type { Damage } from './corpus.ts'
import { idHash, type Snapshot } from './manifest.ts'
import type { Sealer } from './sealer.ts'
import { openSegment, type Segment } from './segment.ts'
import type { Storage } from './storage.ts'

/** A document of a state: its row and the segment that holds it. */
export interface DocumentPlace {
  /** What the catalogue says of it. */
  readonly row: Row
  /** Where it is stored. */
  readonly segment: Segment
}

/** What one snapshot holds. Never changes: a commit makes a new one. */
export interface CorpusState {
  /** The snapshot; of version 0 before the first commit. */
  readonly snapshot: Snapshot
  /** Its segments that could be opened, oldest first. */
  readonly segments: readonly Segment[]
  /** Its documents by id. */
  readonly documents: ReadonlyMap<string, DocumentPlace>
  /** How many chunks they have. */
  readonly chunks: number
  /** What could not be opened. */
  readonly damage: readonly Damage[]
  /** Names its segments, which never change; undefined where one could not be opened. */
  readonly holds: string | undefined
}

/** The state before the first commit. */
export const emptyState: CorpusState = {
  snapshot: { version: 0, segments: [] },
  segments: [],
  documents: new Map(),
  chunks: 0,
  damage: [],
  holds: undefined,
}

/** The state after one more segment. */
export function stateAfter(state: CorpusState, snapshot: Snapshot, segment: Segment): CorpusState {
  const documents = new Map(state.documents)
  let { chunks } = state
  for (const id of [...segment.removed, ...segment.rows.map((row) => row.id)]) {
    chunks -= documents.get(id)?.row.chunkCount ?? 0
    documents.delete(id)
  }
  apply(documents, segment)
  for (const row of segment.rows) chunks += row.chunkCount
  const { damage } = state
  const segments = [...state.segments, segment]
  return { snapshot, segments, documents, chunks, damage, holds: nameOf(segments, damage) }
}

/** Opens the segments of a snapshot, those in `known` excepted. A damaged catalogue takes its segment away, not the rest. */
export async function loadState(
  storage: Storage,
  sealer: Sealer,
  snapshot: Snapshot,
  known: Iterable<Segment>,
  options: AbortOptions,
): Promise<CorpusState> {
  const open = new Map<string, Segment>()
  for (const segment of known) open.set(segment.ref.name, segment)
  const segments: Segment[] = []
  const damage: Damage[] = []
  const documents = new Map<string, DocumentPlace>()
  for (const ref of snapshot.segments) {
    try {
      const segment = open.get(ref.name) ?? (await openSegment(storage, ref, sealer, options))
      segments.push(segment)
      apply(documents, segment)
    } catch (error) {
      // An earlier row of a document that the lost segment replaced must not be taken for the present one.
      const hidden = new Set(ref.supersedes)
      const ids = hidden.size === 0 ? [] : [...documents.keys()].filter((id) => hidden.has(idHash(id)))
      for (const id of ids) documents.delete(id)
      damage.push(asDamage(error, ids.length > 0 ? ids : undefined))
    }
  }
  let chunks = 0
  for (const { row } of documents.values()) chunks += row.chunkCount
  return { snapshot, segments, documents, chunks, damage, holds: nameOf(segments, damage) }
}

function nameOf(segments: readonly Segment[], damage: readonly Damage[]): string | undefined {
  return damage.length > 0 ? undefined : contentHash(segments.map(({ ref }) => ref.name).join())
}

function apply(documents: Map<string, DocumentPlace>, segment: Segment): void {
  for (const id of segment.removed) documents.delete(id)
  for (const row of segment.rows) documents.set(row.id, { row, segment })
}

/** Where a chunk stands, or undefined. Newer segments are asked first. */
export function chunkPlace(state: CorpusState, id: string): (DocumentPlace & { readonly index: number }) | undefined {
  const hash = placeHash(id)
  for (let at = state.segments.length - 1; at >= 0; at--) {
    const segment = state.segments[at]!
    const found = segment.chunk(id, hash)
    if (found && state.documents.get(found.row.id)?.row === found.row) return { ...found, segment }
  }
  return undefined
}

/** A caught `CORRUPT_DATA` as an entry of the damage list; anything else is thrown again. */
export function asDamage(error: unknown, documents?: readonly string[]): Damage {
  if (!isGroundlineError(error) || error.code !== 'CORRUPT_DATA') throw error
  const { file, offset } = error.details
  return {
    file: typeof file === 'string' ? file : '',
    offset: typeof offset === 'number' ? offset : 0,
    message: error.message,
    ...(documents && { documents }),
  }
}

import type { AbortOptions, Metadata } from '../document.ts'
import type { EmbeddingSpace } from '../embedder/embedder.ts'
import { GroundlineError } from '../errors.ts'
import { describe, requireIdList } from '../internal/argument.ts'
import { canonicalJson } from '../internal/hash.ts'
import type { Commit, CorpusChange } from './corpus.ts'
import { type CorpusCore, nextManifest } from './corpus-core.ts'
import { type CorpusState, chunkPlace, stateAfter } from './corpus-state.ts'
import { idHash, spaceKey } from './manifest.ts'
import { type PreparedEntry, prepareEntry } from './prepare-entry.ts'
import { type BuiltSegment, buildSegment, segmentName, writtenSegment } from './segment.ts'

/**
 * Writes a change as one segment and claims the next version number for a manifest that names it. When another writer
 * was faster, the change is laid over that writer's version and the next number is tried.
 */
export async function commitChange<M extends Metadata>(
  core: CorpusCore,
  change: CorpusChange<M>,
  options: AbortOptions,
): Promise<Commit> {
  const { storage, sealer } = core
  const { remove = [], expectedVersion } = change
  requireIdList('remove', remove)
  const entries = (change.put ?? []).map((entry) => prepareEntry(entry))
  // In id order a segment is read from front to back by whoever asks for its documents in order.
  entries.sort((a, b) => (a.row.id < b.row.id ? -1 : 1))
  requireDistinct(entries, remove)
  let written: BuiltSegment | undefined
  let before = core.head().state
  let given = change.space
  const { state } = await core.amend(async (head) => {
    before = head.state
    const { version } = before.snapshot
    if (expectedVersion !== undefined && expectedVersion !== version) {
      throw new GroundlineError(
        'CONFLICT',
        `the corpus is at version ${version}, not ${expectedVersion}: read it again and repeat the change`,
        { details: { expected: expectedVersion, actual: version } },
      )
    }
    if (entries.length === 0 && !remove.some((id) => before.documents.has(id))) return undefined
    requireFreeChunkIds(before, entries, remove)
    const space = spaceAfter(before.snapshot.space, given, entries)
    // On a second try the vectors are still those of the space they were made for.
    if (entries.some(({ dimensions }) => dimensions > 0)) given = space
    const touched = [...entries.map(({ row }) => row.id), ...remove]
    const supersedes = touched.filter((id) => before.documents.has(id)).map(idHash)
    if (!written || head.manifest?.condemned.includes(written.ref.name)) {
      const content = { documents: entries, removed: remove, space: spaceKey(space), supersedes }
      written = await buildSegment(segmentName(), content, sealer)
      await storage.writeNew(written.ref.name, written.bytes, options)
    }
    written = { ...written, ref: { ...written.ref, supersedes } }
    const segments = [...(head.manifest?.segments ?? []), written.ref]
    const manifest = nextManifest(head.manifest, { action: 'commit', segments, space })
    return { manifest, state: stateAfter(before, manifest, writtenSegment(storage, sealer, written, 'as objects')) }
  }, options)
  if (state === before)
    return { version: state.snapshot.version, added: [], changed: [], removed: [], removedChunkIds: [] }
  return describeCommit(before, state.snapshot.version, entries, remove)
}

/** The space of the corpus once these entries are in it. */
function spaceAfter(
  own: EmbeddingSpace | undefined,
  given: EmbeddingSpace | undefined,
  entries: readonly PreparedEntry[],
): EmbeddingSpace | undefined {
  if (!entries.some(({ dimensions }) => dimensions > 0)) return own
  const space = given ?? own
  if (!space) {
    throw new GroundlineError(
      'INVALID_ARGUMENT',
      'change.space is missing: the first vectors of a corpus need their embedding space',
    )
  }
  if (own && canonicalJson(own) !== canonicalJson(space)) {
    throw new GroundlineError(
      'SPACE_MISMATCH',
      `the corpus holds vectors of ${own.model} (${own.dimensions} dimensions), the change those of ${space.model} (${space.dimensions}): embed the corpus again with reembedCorpus, or use the same embedder`,
      { details: { expected: own, actual: space } },
    )
  }
  for (const { dimensions, row } of entries) {
    if (dimensions === 0 || dimensions === space.dimensions) continue
    throw new GroundlineError(
      'DIMENSION_MISMATCH',
      `the vectors of document ${describe(row.id)} have ${dimensions} dimensions; ${space.model} has ${space.dimensions}`,
      { details: { id: row.id, expected: space.dimensions, actual: dimensions } },
    )
  }
  return space
}

function requireDistinct(entries: readonly PreparedEntry[], remove: readonly string[]): void {
  const seen = new Set<string>()
  for (const id of [...entries.map(({ row }) => row.id), ...new Set(remove)]) {
    if (seen.has(id)) {
      throw new GroundlineError('DUPLICATE_ID', `document ${describe(id)} is twice in one change`, { details: { id } })
    }
    seen.add(id)
  }
}

/** A chunk id leads to one document. */
function requireFreeChunkIds(state: CorpusState, entries: readonly PreparedEntry[], remove: readonly string[]): void {
  const replaced = new Set([...remove, ...entries.map(({ row }) => row.id)])
  const owners = new Map<string, string>()
  for (const { row } of entries) {
    for (const [chunkId] of row.chunks) {
      const stored = chunkPlace(state, chunkId)?.row.id
      const owner = owners.get(chunkId) ?? (stored !== undefined && !replaced.has(stored) ? stored : undefined)
      owners.set(chunkId, row.id)
      if (owner === undefined) continue
      throw new GroundlineError(
        'DUPLICATE_ID',
        `chunk ${chunkId} of document ${describe(row.id)} belongs to document ${describe(owner)} already: derive chunk ids from the document's id`,
        { details: { id: row.id, chunk: chunkId, owner } },
      )
    }
  }
}

function describeCommit(
  before: CorpusState,
  version: number,
  entries: readonly PreparedEntry[],
  remove: readonly string[],
): Commit {
  const added: string[] = []
  const changed: string[] = []
  const removedChunkIds: string[] = []
  const kept = new Set<string>()
  for (const { row } of entries) for (const [id] of row.chunks) kept.add(id)
  for (const { row } of entries) {
    const old = before.documents.get(row.id)?.row.body
    ;(old ? changed : added).push(row.id)
    for (const [id] of old?.chunks ?? []) if (!kept.has(id)) removedChunkIds.push(id)
  }
  const removed = [...new Set(remove)].filter((id) => before.documents.has(id))
  for (const id of removed) {
    for (const [chunk] of before.documents.get(id)!.row.body.chunks) if (!kept.has(chunk)) removedChunkIds.push(chunk)
  }
  return { version, added, changed, removed, removedChunkIds }
}

import type { AbortOptions, Metadata } from '../document.ts'
import type { EmbeddingSpace } from '../embedder/embedder.ts'
import { GroundlineError, isGroundlineError } from '../errors.ts'
import { describe } from '../internal/argument.ts'
import { canonicalJson } from '../internal/hash.ts'
import type { Commit, CorpusChange } from './corpus.ts'
import { type CorpusState, chunkPlace, stateAfter } from './corpus-state.ts'
import { encodeManifest, listVersions, type Manifest, manifestName, readManifest } from './manifest.ts'
import { type PreparedEntry, prepareEntry } from './prepare-entry.ts'
import type { Sealer } from './sealer.ts'
import { buildSegment, segmentName, writtenSegment } from './segment.ts'
import type { Storage } from './storage.ts'

/** What a commit works with. */
export interface CommitContext {
  /** Where the files are. */
  readonly storage: Storage
  /** Seals what is written. */
  readonly sealer: Sealer
  /** The newest state this object knows. */
  readonly state: CorpusState
  /** The newest state there is. */
  readonly refresh: (known: CorpusState, options: AbortOptions) => Promise<CorpusState>
  /** Cancels the commit before its manifest is published. */
  readonly signal: AbortSignal | undefined
}

/**
 * Writes a change as one segment and claims the next version number for a manifest that names it. When another writer
 * was faster, the change is laid over that writer's version and the next number is tried.
 */
export async function commitChange<M extends Metadata>(
  context: CommitContext,
  change: CorpusChange<M>,
): Promise<{ readonly commit: Commit; readonly state: CorpusState }> {
  const { storage, sealer, signal } = context
  const entries = (change.put ?? []).map((entry) => prepareEntry(entry))
  // In id order a segment is read from front to back by whoever asks for its documents in order.
  entries.sort((a, b) => (a.body.id < b.body.id ? -1 : 1))
  requireDistinct(entries, change.remove ?? [])
  let { state } = context
  let written: Awaited<ReturnType<typeof buildSegment>> | undefined
  let removed: readonly string[] = []
  for (;;) {
    signal?.throwIfAborted()
    const { expectedVersion } = change
    const version = state.manifest?.version ?? 0
    if (expectedVersion !== undefined && expectedVersion !== version) {
      throw new GroundlineError(
        'CONFLICT',
        `the corpus is at version ${version}, not ${expectedVersion}: read it again and repeat the change`,
        { details: { expected: expectedVersion, actual: version } },
      )
    }
    if (entries.length === 0 && !(change.remove ?? []).some((id) => state.documents.has(id))) {
      return { commit: { version, added: [], changed: [], removed: [], removedChunkIds: [] }, state }
    }
    requireFreeChunkIds(state, entries, change.remove ?? [])
    const { spaces, active, space } = spacesWith(state.manifest, change.space, entries)
    const reusable = written?.ref.space === space && !state.manifest?.condemned.includes(written.ref.name)
    if (!written || !reusable) {
      removed = change.remove ?? []
      written = await buildSegment(segmentName(), { documents: entries, removed, space }, sealer)
      await storage.writeNew(written.ref.name, written.bytes, { signal })
    }
    const manifest = nextManifest(state.manifest, {
      action: 'commit',
      segments: [...(state.manifest?.segments ?? []), written.ref],
      spaces,
      active,
    })
    if (await publishManifest(storage, manifest, sealer, signal)) {
      const after = stateAfter(state, manifest, writtenSegment(storage, sealer, written, removed))
      return { commit: describeCommit(state, after, entries, removed), state: after }
    }
    state = await context.refresh(state, { signal })
  }
}

/** The manifest that follows another. */
export function nextManifest(
  base: Manifest | undefined,
  changes: Pick<Manifest, 'action'> & Partial<Manifest>,
): Manifest {
  return {
    segments: [],
    spaces: [],
    active: -1,
    tags: [],
    ...base,
    condemned: [],
    ...changes,
    version: (base?.version ?? 0) + 1,
    id: crypto.randomUUID(),
    parent: base?.id ?? '',
    time: new Date().toISOString(),
  }
}

/** Claims a manifest's number. False when another writer has it, or had it before it was collected. */
export async function publishManifest(
  storage: Storage,
  manifest: Manifest,
  sealer: Sealer,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const name = manifestName(manifest.version)
  try {
    await storage.publish(name, await encodeManifest(manifest, sealer), { signal })
  } catch (error) {
    if (isGroundlineError(error) && error.code === 'ALREADY_EXISTS') return false
    throw error
  }
  // From here on the version may be visible: it is carried to its end whatever the signal says.
  const newest = (await listVersions(storage)).at(-1) ?? 0
  if (newest <= manifest.version) return true
  // Somebody is ahead: on top of this manifest, or because the number had been used and collected before.
  const follower = await readManifest(storage, manifest.version + 1, sealer).catch((error: unknown) => {
    if (isGroundlineError(error) && error.code === 'NOT_FOUND') return undefined
    throw error
  })
  if (follower?.parent === manifest.id) return true
  await storage.remove(name)
  return false
}

/** The spaces of the manifest after vectors of a space joined it. */
function spacesWith(
  manifest: Manifest | undefined,
  given: EmbeddingSpace | undefined,
  entries: readonly PreparedEntry[],
): { spaces: readonly EmbeddingSpace[]; active: number; space: number } {
  const spaces = manifest?.spaces ?? []
  const active = manifest?.active ?? -1
  const withVectors = entries.find((entry) => entry.dimensions > 0)
  if (!withVectors) return { spaces, active, space: -1 }
  const own = spaces[active]
  const space = given ?? own
  if (!space) {
    throw new GroundlineError(
      'INVALID_ARGUMENT',
      'change.space is missing: the first vectors of a corpus need their embedding space',
    )
  }
  for (const { dimensions, body } of entries) {
    if (dimensions !== 0 && dimensions !== space.dimensions) {
      throw new GroundlineError(
        'DIMENSION_MISMATCH',
        `the vectors of document ${describe(body.id)} have ${dimensions} dimensions; ${space.model} has ${space.dimensions}`,
        { details: { id: body.id, expected: space.dimensions, actual: dimensions } },
      )
    }
  }
  if (!own) return { spaces: [...spaces, space], active: spaces.length, space: spaces.length }
  if (canonicalJson(own) !== canonicalJson(space)) {
    throw new GroundlineError(
      'SPACE_MISMATCH',
      `the corpus holds vectors of ${own.model} (${own.dimensions} dimensions), the change those of ${space.model} (${space.dimensions}): embed again with reembed, or use the same embedder`,
      { details: { expected: own, actual: space } },
    )
  }
  return { spaces, active, space: active }
}

function requireDistinct(entries: readonly PreparedEntry[], remove: readonly string[]): void {
  const seen = new Set<string>()
  for (const id of [...entries.map(({ body }) => body.id), ...new Set(remove)]) {
    if (seen.has(id)) {
      throw new GroundlineError('DUPLICATE_ID', `document ${describe(id)} is twice in one change`, { details: { id } })
    }
    seen.add(id)
  }
}

/** A chunk id leads to one document. */
function requireFreeChunkIds(state: CorpusState, entries: readonly PreparedEntry[], remove: readonly string[]): void {
  const replaced = new Set([...remove, ...entries.map(({ body }) => body.id)])
  const owners = new Map<string, string>()
  for (const { body } of entries) {
    for (const [chunkId] of body.chunks) {
      const stored = chunkPlace(state, chunkId)?.row.id
      const owner = owners.get(chunkId) ?? (stored !== undefined && !replaced.has(stored) ? stored : undefined)
      owners.set(chunkId, body.id)
      if (owner === undefined) continue
      throw new GroundlineError(
        'DUPLICATE_ID',
        `chunk ${chunkId} of document ${describe(body.id)} belongs to document ${describe(owner)} already: derive chunk ids from the document's id`,
        { details: { id: body.id, chunk: chunkId, owner } },
      )
    }
  }
}

function describeCommit(
  before: CorpusState,
  after: CorpusState,
  entries: readonly PreparedEntry[],
  remove: readonly string[],
): Commit {
  const added: string[] = []
  const changed: string[] = []
  const removedChunkIds: string[] = []
  for (const { body } of entries) {
    const old = before.documents.get(body.id)?.row
    ;(old ? changed : added).push(body.id)
    const kept = new Set(body.chunks.map(([id]) => id))
    for (const [id] of old?.chunks ?? []) if (!kept.has(id)) removedChunkIds.push(id)
  }
  const removed = [...new Set(remove)].filter((id) => before.documents.has(id))
  for (const id of removed) for (const [chunk] of before.documents.get(id)!.row.chunks) removedChunkIds.push(chunk)
  return { version: after.manifest!.version, added, changed, removed, removedChunkIds }
}

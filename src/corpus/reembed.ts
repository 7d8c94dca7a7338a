import type { AbortOptions, Metadata } from '../document.ts'
import type { EmbeddingSpace } from '../embedder/embedder.ts'
import { GroundlineError } from '../errors.ts'
import { requireInteger } from '../internal/argument.ts'
import type { StoredChunk } from '../retriever/retriever.ts'
import type { Corpus } from './corpus.ts'
import { type CorpusCore, nextManifest } from './corpus-core.ts'
import { corpusView } from './corpus-history.ts'
import { corpusReader } from './corpus-reader.ts'
import { type CorpusState, type DocumentPlace, emptyState } from './corpus-state.ts'
import { idHash, type Manifest, spaceKey } from './manifest.ts'
import { packVectors } from './prepare-entry.ts'
import { buildSegment, originOf, RECORD, type SegmentDocument, segmentName } from './segment.ts'

/** Makes one vector for each chunk, in order. */
export type EmbedAllChunks<M extends Metadata = Metadata> = (
  chunks: readonly StoredChunk<M>[],
  options: AbortOptions,
) => Promise<readonly Float32Array[]>

/** How to embed a corpus again. */
export interface ReembedOptions<M extends Metadata = Metadata> extends AbortOptions {
  /** The space of the new vectors. */
  readonly space: EmbeddingSpace
  /** Makes them. A rejection ends the call; what was embedded before it is kept, and the next call goes on. */
  readonly embed: EmbedAllChunks<M>
  /** Chunks a batch: what an interruption costs. Default 256. */
  readonly batchChunks?: number | undefined
  /** Called before each batch; resolves when the batch may start. Default: at once. */
  readonly throttle?: ((chunks: number) => Promise<void>) | undefined
  /** Called after each batch. */
  readonly onProgress?: ((left: ReembedProgress) => void) | undefined
}

/** What is left to embed. */
export interface ReembedProgress {
  /** Documents that have no vectors in the space yet. */
  readonly documents: number
  /** Their chunks. */
  readonly chunks: number
}

/** What is left to embed, and what it costs. */
export interface ReembedPlan extends ReembedProgress {
  /** Tokens of the chunks; 0 without `countTokens`. */
  readonly tokens: number
  /** Their price in the unit of `pricePerMillion`. */
  readonly price: number
}

/** How to plan. */
export interface PlanReembedOptions<M extends Metadata = Metadata> extends AbortOptions {
  /** Counts what the embedder will read of a chunk. Reads the text of what is left. Default: nothing is read or counted. */
  readonly countTokens?: ((chunk: StoredChunk<M>) => number) | undefined
  /** Price of a million tokens. Default 0. */
  readonly pricePerMillion?: number | undefined
}

/** What {@link reembed} would have to do. Writes nothing. */
export async function planReembed<M extends Metadata>(
  core: CorpusCore,
  space: EmbeddingSpace,
  { countTokens, pricePerMillion = 0, signal }: PlanReembedOptions<M>,
): Promise<ReembedPlan> {
  const { state, manifest } = core.head()
  const { missing } = difference(state, await candidateState(core, manifest, space, { signal }))
  let tokens = 0
  if (countTokens) {
    const documentIds = missing.map(({ row }) => row.id)
    const reader = corpusReader<M>(() => state, core.report)
    for await (const { chunk } of reader.entries({ documentIds, signal })) tokens += countTokens(chunk)
  }
  const price = (tokens / 1_000_000) * pricePerMillion
  return { documents: missing.length, chunks: chunksIn(missing), tokens, price }
}

/**
 * Builds the corpus's documents in another embedding space beside the present one, batch by batch, until it holds them
 * all. Nobody sees it before {@link promote}. Documents that change meanwhile are embedded again.
 */
export async function reembed<M extends Metadata>(core: CorpusCore, options: ReembedOptions<M>): Promise<void> {
  const { space, embed, batchChunks = 256, throttle, onProgress, signal } = options
  requireInteger('batchChunks', batchChunks, 1)
  for (;;) {
    signal?.throwIfAborted()
    // Another process may have written, or embedded a part of it.
    const { state, manifest } = await core.exclusively(() => core.renew({ signal }))
    const { missing, gone } = difference(state, await candidateState(core, manifest, space, { signal }))
    if (missing.length === 0 && gone.length === 0 && manifest?.candidate) return
    const batch: DocumentPlace[] = []
    for (const place of missing) {
      if (batch.length > 0 && chunksIn(batch) + place.row.chunkCount > batchChunks) break
      batch.push(place)
    }
    await throttle?.(chunksIn(batch))
    const documents = await embedBatch(state, batch, space, embed, signal)
    await core.exclusively(() => appendToCandidate(core, space, documents, gone, { signal }))
    onProgress?.({ documents: missing.length - batch.length, chunks: chunksIn(missing) - chunksIn(batch) })
  }
}

/** Makes the candidate the corpus. Throws `NOT_FOUND` without one and `CONFLICT` when it lacks documents. */
export async function promote(core: CorpusCore, options: AbortOptions): Promise<number> {
  const { state } = await core.amend(async (head) => {
    const { candidate } = head.manifest ?? {}
    if (!candidate) throw new GroundlineError('NOT_FOUND', 'there is no candidate to promote: call reembed first')
    const content = await core.load(candidate, options)
    const { missing, gone } = difference(head.state, content)
    if (missing.length > 0 || gone.length > 0) {
      throw new GroundlineError(
        'CONFLICT',
        `the candidate lacks ${missing.length} documents and has ${gone.length} too many: call reembed again`,
        { details: { missing: missing.length, superfluous: gone.length } },
      )
    }
    const { segments, space } = candidate
    const manifest = nextManifest(
      head.manifest,
      { action: 'promote', segments, space, candidate: undefined },
      { action: 'promote', details: {} },
    )
    return { manifest, state: { ...content, snapshot: manifest } }
  }, options)
  return state.snapshot.version
}

/** Gives the candidate up. */
export async function discardCandidate(core: CorpusCore, options: AbortOptions): Promise<void> {
  await core.amend(async (head) => {
    if (!head.manifest?.candidate) return undefined
    const manifest = nextManifest(head.manifest, { action: 'reembed', candidate: undefined })
    return { manifest, state: { ...head.state, snapshot: manifest } }
  }, options)
}

/** A read-only view of the candidate. Throws `NOT_FOUND` without one. */
export async function candidateView<M extends Metadata>(core: CorpusCore, options: AbortOptions): Promise<Corpus<M>> {
  const { candidate } = core.head().manifest ?? {}
  if (!candidate) throw new GroundlineError('NOT_FOUND', 'there is no candidate: call reembed first')
  const snapshot = { ...candidate }
  core.pins.add(snapshot)
  try {
    return corpusView<M>(await core.load(snapshot, options), () => core.pins.delete(snapshot))
  } catch (error) {
    core.pins.delete(snapshot)
    throw error
  }
}

async function candidateState(
  core: CorpusCore,
  manifest: Manifest | undefined,
  space: EmbeddingSpace,
  options: AbortOptions,
): Promise<CorpusState> {
  const { candidate } = manifest ?? {}
  if (!candidate) return emptyState
  if (spaceKey(candidate.space) !== spaceKey(space)) {
    throw new GroundlineError(
      'CONFLICT',
      `there is a candidate in the space of ${candidate.space?.model} already: promote or discard it first`,
      { details: { expected: candidate.space, actual: space } },
    )
  }
  return core.load(candidate, options)
}

/** Documents that a candidate lacks or holds outdated, in id order, and ids it holds too many. */
function difference(
  state: CorpusState,
  candidate: CorpusState,
): { readonly missing: readonly DocumentPlace[]; readonly gone: readonly string[] } {
  const missing: DocumentPlace[] = []
  for (const place of state.documents.values()) {
    const other = candidate.documents.get(place.row.id)?.row
    // By what was written, not by what it says: whatever a later form of it changed must not come back.
    if (other?.body.from !== originOf(place.row, place.segment.ref)) missing.push(place)
  }
  missing.sort((a, b) => (a.row.id < b.row.id ? -1 : 1))
  return { missing, gone: [...candidate.documents.keys()].filter((id) => !state.documents.has(id)) }
}

async function embedBatch<M extends Metadata>(
  state: CorpusState,
  batch: readonly DocumentPlace[],
  space: EmbeddingSpace,
  embed: EmbedAllChunks<M>,
  signal: AbortSignal | undefined,
): Promise<SegmentDocument[]> {
  const reader = corpusReader<M>(
    () => state,
    (damage) => {
      throw new GroundlineError('CORRUPT_DATA', damage.message, { details: { ...damage } })
    },
  )
  const chunks: StoredChunk<M>[] = []
  const documentIds = batch.map(({ row }) => row.id)
  for await (const { chunk } of reader.entries({ documentIds, signal })) chunks.push(chunk)
  const vectors = chunks.length === 0 ? [] : await embed(chunks, { signal })
  const documents: SegmentDocument[] = []
  let at = 0
  for (const { row, segment } of batch) {
    const own = vectors.slice(at, at + row.chunkCount)
    at += row.chunkCount
    const packed = packVectors(row.id, row.chunkCount, own)
    if (row.chunkCount > 0 && packed.dimensions !== space.dimensions) {
      throw new GroundlineError(
        'DIMENSION_MISMATCH',
        `embed gave vectors of ${packed.dimensions} dimensions for ${JSON.stringify(row.id)}; the space has ${space.dimensions}`,
        { details: { id: row.id, expected: space.dimensions, actual: packed.dimensions } },
      )
    }
    const { origin: _, ...kept } = row.body
    const plain = { ...kept, from: originOf(row, segment.ref) }
    const record = await (await segment.reader()).record(row.at, RECORD.document, { signal })
    documents.push({ row: plain, record, vectors: packed.vectors })
  }
  return documents
}

async function appendToCandidate(
  core: CorpusCore,
  space: EmbeddingSpace,
  documents: readonly SegmentDocument[],
  removed: readonly string[],
  options: AbortOptions,
): Promise<void> {
  await core.amend(async (head) => {
    await candidateState(core, head.manifest, space, options)
    const segments = [...(head.manifest?.candidate?.segments ?? [])]
    if (documents.length > 0 || removed.length > 0) {
      const supersedes = [...documents.map(({ row }) => row.id), ...removed].map(idHash)
      const content = { documents, removed, space: spaceKey(space), supersedes }
      const built = await buildSegment(segmentName(), content, core.sealer)
      await core.storage.writeNew(built.ref.name, built.bytes, options)
      segments.push(built.ref)
    }
    const version = (head.manifest?.version ?? 0) + 1
    const manifest = nextManifest(head.manifest, { action: 'reembed', candidate: { version, segments, space } })
    return { manifest, state: { ...head.state, snapshot: manifest } }
  }, options)
}

function chunksIn(places: readonly DocumentPlace[]): number {
  return places.reduce((sum, { row }) => sum + row.chunkCount, 0)
}

import type { Metadata } from '../document.ts'
import { GroundlineError, isGroundlineError } from '../errors.ts'
import { canonicalJson } from '../internal/hash.ts'
import type { StoredChunk } from '../retriever/retriever.ts'
import type { CorpusChange, DocumentEntry, SourceFailure } from './corpus.ts'
import { asItemError } from './sync-intake.ts'
import type { SyncOptions } from './sync-options.ts'

/** Collects entries, embeds and commits them together. */
export interface SyncBatch<M extends Metadata> {
  /** Ids that were committed and had not been there. */
  readonly added: string[]
  /** Ids that were committed and replaced. */
  readonly changed: string[]
  /** Entries that could not be embedded or stored. */
  readonly failed: SourceFailure[]
  /** Takes an entry; commits when the batch is full. */
  add(entry: DocumentEntry<M>, vectorsFrom: string | undefined): Promise<void>
  /** Commits what is left. */
  flush(): Promise<void>
  /** The chunks of entries whose vectors the corpus does not hold. */
  missing(entries: readonly DocumentEntry<M>[], vectorsFrom: string | undefined): Promise<readonly StoredChunk<M>[]>
}

/** Batches that may fail as a whole, one after the other, before a sync gives up. */
const FAILING_BATCHES = 3
/** A batch is committed early when its texts reach this many UTF-16 units. */
const BATCH_UNITS = 4_000_000

/** A batch that commits to the corpus of a sync. */
export function syncBatch<M extends Metadata>(options: SyncOptions<M>): SyncBatch<M> {
  const { corpus, embed, space, signal, onCommit, batchChunks = 256 } = options
  const added: string[] = []
  const changed: string[] = []
  const failed: SourceFailure[] = []
  let pending: DocumentEntry<M>[] = []
  let donors: string[] = []
  let chunks = 0
  let units = 0
  let failingBatches = 0

  /** Vectors that the corpus holds for texts of these documents. */
  const knownVectors = async (documentIds: readonly string[]): Promise<Map<string, Float32Array>> => {
    const known = new Map<string, Float32Array>()
    if (canonicalJson(corpus.info().space) !== canonicalJson(space)) return known
    for await (const { chunk, vector } of corpus.entries({ documentIds, signal })) {
      if (vector) known.set(embeddingKey(chunk), vector)
    }
    return known
  }

  const embedded = async (batch: readonly DocumentEntry<M>[], from: readonly string[]): Promise<DocumentEntry<M>[]> => {
    const sourced = batch.map(withSource)
    const known = await knownVectors([...from, ...sourced.map(({ document }) => document.id)])
    const missing = distinctMissing(sourced, known)
    const made = missing.length === 0 ? [] : await embed!(missing, { signal })
    if (made.length !== missing.length) {
      throw new GroundlineError('INVALID_RESPONSE', `embed gave ${made.length} vectors for ${missing.length} chunks`, {
        details: { expected: missing.length, actual: made.length },
      })
    }
    const errors = new Map<string, Error>()
    for (const [index, chunk] of missing.entries()) {
      const vector = made[index]!
      if (vector instanceof Error) errors.set(embeddingKey(chunk), vector)
      else known.set(embeddingKey(chunk), vector)
    }
    return sourced.flatMap((entry) => {
      const keys = entry.chunks.map(embeddingKey)
      const bad = keys.find((key) => errors.has(key))
      if (bad === undefined) return [{ ...entry, vectors: keys.map((key) => known.get(key)!) }]
      failed.push({ id: entry.document.id, error: errors.get(bad)! })
      return []
    })
  }

  const commitAll = async (entries: readonly DocumentEntry<M>[]): Promise<void> => {
    let put = entries
    while (put.length > 0) {
      try {
        const change: CorpusChange<M> = { put, space: embed && space }
        const commit = await corpus.commit(change, { signal })
        added.push(...commit.added)
        changed.push(...commit.changed)
        await onCommit?.(commit, change)
        return
      } catch (error) {
        // One document that the corpus refuses must not take the batch with it.
        const id = isGroundlineError(error) ? error.details.id : undefined
        const refused = put.find(({ document }) => document.id === id)
        if (!refused) throw error
        failed.push({ id: refused.document.id, error: asItemError(error, signal) })
        put = put.filter((entry) => entry !== refused)
      }
    }
  }

  const flush = async (): Promise<void> => {
    const [batch, from] = [pending, donors]
    pending = []
    donors = []
    chunks = 0
    units = 0
    if (batch.length === 0) return
    if (!embed) return commitAll(batch.map(withSource))
    let entries: DocumentEntry<M>[]
    try {
      entries = await embedded(batch, from)
      failingBatches = 0
    } catch (error) {
      signal?.throwIfAborted()
      if (++failingBatches >= FAILING_BATCHES) throw error
      for (const { document } of batch) failed.push({ id: document.id, error: asItemError(error, signal) })
      return
    }
    await commitAll(entries)
  }

  return {
    added,
    changed,
    failed,
    add: async (entry, vectorsFrom) => {
      // A document larger than what is left of the batch begins the next one.
      if (pending.length > 0 && chunks + entry.chunks.length > batchChunks) await flush()
      pending.push(entry)
      if (vectorsFrom !== undefined) donors.push(vectorsFrom)
      chunks += entry.chunks.length
      units += entry.document.text.length
      if (chunks >= batchChunks || units >= BATCH_UNITS) await flush()
    },
    flush,
    missing: async (entries, vectorsFrom) => {
      const sourced = entries.map(withSource)
      const ids = sourced.map(({ document }) => document.id)
      return distinctMissing(sourced, await knownVectors(vectorsFrom === undefined ? ids : [vectorsFrom, ...ids]))
    },
  }
}

/** The chunks without a known vector, each text once. */
function distinctMissing<M extends Metadata>(
  entries: readonly DocumentEntry<M>[],
  known: ReadonlyMap<string, Float32Array>,
): readonly StoredChunk<M>[] {
  const missing = new Map<string, StoredChunk<M>>()
  for (const { chunks } of entries) {
    for (const chunk of chunks) {
      const key = embeddingKey(chunk)
      if (!known.has(key) && !missing.has(key)) missing.set(key, chunk)
    }
  }
  return [...missing.values()]
}

/** The entry with its chunks saying where they come from, as the corpus will give them back. */
function withSource<M extends Metadata>(entry: DocumentEntry<M>): DocumentEntry<M> {
  const { uri, title } = entry.document
  const source = { ...(uri !== undefined && { uri }), ...(title !== undefined && { title }) }
  return { ...entry, chunks: entry.chunks.map((chunk) => ({ ...chunk, source })) }
}

/** What an embedder may read of a chunk: equal keys have equal vectors. */
function embeddingKey({ text, headingPath, source }: StoredChunk): string {
  // A JSON array shows where it ends, so what follows it needs no quoting.
  return `${JSON.stringify([headingPath ?? [], source?.title ?? ''])}${text}`
}

import type { Metadata } from '../document.ts'
import { GroundlineError, isGroundlineError } from '../errors.ts'
import { canonicalJson } from '../internal/hash.ts'
import { createPace } from '../internal/pace.ts'
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
  /** Takes an entry; sends a batch on its way when one is full. Throws what an earlier batch failed with. */
  add(entry: DocumentEntry<M>, vectorsFrom: string | undefined): Promise<void>
  /** Commits what is left, and waits for everything under way. */
  flush(): Promise<void>
  /** Waits for everything under way, whatever becomes of it. */
  settled(): Promise<void>
  /** The chunks of entries whose vectors the corpus does not hold. */
  missing(entries: readonly DocumentEntry<M>[], vectorsFrom: string | undefined): Promise<readonly StoredChunk<M>[]>
}

interface Pending<M extends Metadata> {
  readonly entries: DocumentEntry<M>[]
  /** Documents whose vectors will do for some of them. */
  readonly donors: string[]
  chunks: number
  units: number
}

/** Batches that may fail as a whole, one after the other, before a sync gives up. */
const FAILING_BATCHES = 3
/** A batch goes in so many parts: one is committed, one embedded, one waits for the embedder, one is read. */
const PARTS = 4
/** A part goes early when its texts reach this many UTF-16 units. */
const PART_UNITS = 1_000_000

/**
 * A batch that commits to the corpus of a sync, a quarter of `batchChunks` at a time: while one part is embedded the part before
 * is committed and the parts after are read. No more than `batchChunks` are embedded and not yet committed, unless one document has more.
 */
export function syncBatch<M extends Metadata>(options: SyncOptions<M>): SyncBatch<M> {
  const { corpus, embed, space, signal, onCommit, batchChunks = 1024 } = options
  const part = Math.max(1, Math.floor(batchChunks / PARTS))
  // Without a pause, an embedder in a worker or on the network would wait with what it has made until a batch is full.
  const pace = createPace(signal, 2)
  const added: string[] = []
  const changed: string[] = []
  const failed: SourceFailure[] = []
  const underWay: { readonly chunks: number; readonly done: Promise<void> }[] = []
  let pending: Pending<M> = { entries: [], donors: [], chunks: 0, units: 0 }
  // The embedding before the last and the last: two at a time, so that an embedder finds work when it is done.
  let embedding: readonly [Promise<unknown>, Promise<unknown>] = [Promise.resolve(), Promise.resolve()]
  let committing: Promise<void> = Promise.resolve()
  let failure: { readonly error: unknown } | undefined
  let failingBatches = 0

  /** Vectors that the corpus holds for texts of these documents. */
  const knownVectors = async (documentIds: readonly string[]): Promise<KnownVectors> => {
    const texts = new DistinctTexts()
    const vectors: Float32Array[] = []
    if (canonicalJson(corpus.info().space) !== canonicalJson(space)) return { texts, vectors }
    for await (const { chunk, vector } of corpus.entries({ documentIds, signal })) {
      if (vector) vectors[texts.numberOf(chunk)] = vector
    }
    return { texts, vectors }
  }

  const embedded = async (batch: readonly DocumentEntry<M>[], from: readonly string[]): Promise<DocumentEntry<M>[]> => {
    const known = await knownVectors([...from, ...batch.map(({ document }) => document.id)])
    const { numbers, missing } = numbered(batch, known)
    const made = missing.length === 0 ? [] : await embed!(missing, { signal })
    if (made.length !== missing.length) {
      throw new GroundlineError('INVALID_RESPONSE', `embed gave ${made.length} vectors for ${missing.length} chunks`, {
        details: { expected: missing.length, actual: made.length },
      })
    }
    return batch.flatMap((entry, index) => {
      const vectors: Float32Array[] = []
      for (const number of numbers[index]!) {
        const vector = known.vectors[number] ?? made[number - known.vectors.length]!
        if (vector instanceof Error) {
          failed.push({ id: entry.document.id, error: vector })
          return []
        }
        vectors.push(vector)
      }
      return [{ ...entry, vectors }]
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
        const details: Readonly<Record<string, unknown>> = isGroundlineError(error) ? error.details : {}
        const refused = put.find(({ document }) => document.id === (details.document ?? details.id))
        if (!refused) throw error
        failed.push({ id: refused.document.id, error: asItemError(error, signal) })
        put = put.filter((entry) => entry !== refused)
      }
    }
  }

  const entriesOf = async ({ entries, donors }: Pending<M>): Promise<readonly DocumentEntry<M>[]> => {
    const batch = entries.map(withSource)
    if (!embed || failure) return batch
    try {
      const made = await embedded(batch, donors)
      failingBatches = 0
      return made
    } catch (error) {
      signal?.throwIfAborted()
      if (++failingBatches >= FAILING_BATCHES) throw error
      for (const { document } of batch) failed.push({ id: document.id, error: asItemError(error, signal) })
      return []
    }
  }

  /** Waits until no more than so many chunks are under way. */
  const room = async (chunks: number): Promise<void> => {
    while (underWay.reduce((sum, each) => sum + each.chunks, 0) > chunks) await underWay[0]!.done
    if (failure) throw failure.error
  }

  const landed = async (): Promise<void> => {
    await committing
    if (failure) throw failure.error
  }

  /** Sends what is pending on its way, as soon as it is within the bound. */
  const depart = async (): Promise<void> => {
    const batch = pending
    pending = { entries: [], donors: [], chunks: 0, units: 0 }
    if (batch.entries.length === 0) return
    await room(Math.max(0, batchChunks - batch.chunks))
    const [[secondLast, last], earlier] = [embedding, committing]
    const made = secondLast.then(() => entriesOf(batch))
    embedding = [last, made.catch(() => undefined)]
    const run = async (): Promise<void> => {
      try {
        const entries = await made
        await earlier
        if (!failure) await commitAll(entries)
      } catch (error) {
        failure ??= { error }
      } finally {
        underWay.splice(underWay.indexOf(flight), 1)
      }
    }
    const flight = { chunks: batch.chunks, done: run() }
    underWay.push(flight)
    committing = flight.done
    // One chunk at a time leaves nothing to overlap.
    if (batchChunks === 1) await landed()
  }

  return {
    added,
    changed,
    failed,
    add: async (entry, vectorsFrom) => {
      // A document larger than what is left of the batch begins the next one.
      if (pending.chunks > 0 && pending.chunks + entry.chunks.length > part) await depart()
      pending.entries.push(entry)
      if (vectorsFrom !== undefined) pending.donors.push(vectorsFrom)
      pending.chunks += entry.chunks.length
      pending.units += entry.document.text.length
      if (pending.chunks >= part || pending.units >= PART_UNITS) await depart()
      if (underWay.length > 0 && pace.due()) await pace.pause()
    },
    flush: async () => {
      await depart()
      await landed()
    },
    settled: async () => {
      await committing
    },
    missing: async (entries, vectorsFrom) => {
      const ids = entries.map(({ document }) => document.id)
      const known = await knownVectors(vectorsFrom === undefined ? ids : [vectorsFrom, ...ids])
      return numbered(entries.map(withSource), known).missing
    },
  }
}

/** Vectors that need not be made. */
interface KnownVectors {
  /** Their texts, numbered from 0. */
  readonly texts: DistinctTexts
  /** One a number. */
  readonly vectors: readonly Float32Array[]
}

/** Numbers the texts that an embedder may tell apart: by the chunk's text, its headings and its title. */
class DistinctTexts {
  readonly #byContext: Map<string, Map<string, number>> = new Map()
  #size = 0

  /** The number of a chunk's text; the next free one where it is new. */
  numberOf(chunk: StoredChunk): number {
    const context = contextOf(chunk)
    let numbers = this.#byContext.get(context)
    if (!numbers) {
      numbers = new Map()
      this.#byContext.set(context, numbers)
    }
    const known = numbers.get(chunk.text)
    if (known !== undefined) return known
    numbers.set(chunk.text, this.#size)
    return this.#size++
  }
}

/** What an embedder may read beside the text. */
function contextOf({ headingPath, source }: StoredChunk): string {
  if (headingPath === undefined && source?.title === undefined) return ''
  return JSON.stringify([headingPath ?? [], source?.title ?? ''])
}

/** The number of each chunk's text, and the chunks without a known vector, each text once: theirs follow the known ones. */
function numbered<M extends Metadata>(
  entries: readonly DocumentEntry<M>[],
  { texts, vectors }: KnownVectors,
): { readonly numbers: readonly (readonly number[])[]; readonly missing: readonly StoredChunk<M>[] } {
  const missing: StoredChunk<M>[] = []
  const numbers = entries.map(({ chunks }) =>
    chunks.map((chunk) => {
      const number = texts.numberOf(chunk)
      if (number === vectors.length + missing.length) missing.push(chunk)
      return number
    }),
  )
  return { numbers, missing }
}

/** The entry with its chunks saying where they come from, as the corpus will give them back. */
function withSource<M extends Metadata>(entry: DocumentEntry<M>): DocumentEntry<M> {
  const { uri, title } = entry.document
  const source = { ...(uri !== undefined && { uri }), ...(title !== undefined && { title }) }
  return { ...entry, chunks: entry.chunks.map((chunk) => ({ ...chunk, source })) }
}

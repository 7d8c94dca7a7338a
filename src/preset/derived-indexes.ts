import type { Commit, Corpus, CorpusChange } from '../corpus/corpus.ts'
import type { AbortOptions, Metadata } from '../document.ts'
import type { LexicalIndex } from '../lexical-index/lexical-index.ts'
import type { StoredChunk } from '../retriever/retriever.ts'
import type { VectorIndex } from '../vector-index/vector-index.ts'

/** The two indexes over a corpus. */
export interface IndexPair<M extends Metadata> {
  readonly vectorIndex: VectorIndex<M>
  readonly lexicalIndex: LexicalIndex<M>
}

/** Keeps a pair of indexes in step with a corpus. The corpus is the record: whatever goes wrong here is built again from it. */
export interface DerivedIndexes<M extends Metadata> {
  /** The pair, in step with the corpus. */
  current(options?: AbortOptions): Promise<IndexPair<M>>
  /** Follows a commit. Never throws: a failure leaves the pair to be built again by `current`. */
  follow(commit: Commit, change: CorpusChange<M>): Promise<void>
  /** Frees the pair. */
  close(): Promise<void>
}

/** Entries that go into an index in one call. */
const BATCH = 1024

export function derivedIndexes<M extends Metadata>(
  corpus: Corpus<M>,
  create: () => Promise<IndexPair<M>>,
): DerivedIndexes<M> {
  let pair: Promise<IndexPair<M>> | undefined

  const build = async (signal: AbortSignal | undefined): Promise<IndexPair<M>> => {
    const made = await create()
    try {
      let batch: { chunk: StoredChunk<M>; vector?: Float32Array }[] = []
      for await (const entry of corpus.entries({ signal })) {
        batch.push(entry)
        if (batch.length < BATCH) continue
        await upsert(made, batch, signal)
        batch = []
      }
      await upsert(made, batch, signal)
      return made
    } catch (error) {
      await free(made)
      throw error
    }
  }

  const current = async ({ signal }: AbortOptions = {}): Promise<IndexPair<M>> => {
    signal?.throwIfAborted()
    pair ??= build(signal)
    const building = pair
    try {
      return await building
    } catch (error) {
      if (pair === building) pair = undefined
      throw error
    }
  }

  return {
    current,
    follow: async ({ removedChunkIds }, { put = [] }) => {
      if (pair === undefined) return
      const stale = pair
      try {
        const made = await stale
        await made.vectorIndex.remove(removedChunkIds)
        await made.lexicalIndex.remove(removedChunkIds)
        const entries = put.flatMap(({ chunks, vectors }) =>
          chunks.map((chunk, at) => ({ chunk, ...(vectors[at] && { vector: vectors[at] }) })),
        )
        for (let at = 0; at < entries.length; at += BATCH) await upsert(made, entries.slice(at, at + BATCH), undefined)
      } catch {
        // The commit stands whatever an index says; the next search builds both from the corpus.
        if (pair === stale) pair = undefined
        await stale.then(free, () => undefined)
      }
    },
    close: async () => {
      const last = pair
      pair = undefined
      await last?.then(free, () => undefined)
    },
  }
}

async function upsert<M extends Metadata>(
  { vectorIndex, lexicalIndex }: IndexPair<M>,
  entries: readonly { chunk: StoredChunk<M>; vector?: Float32Array }[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const vectors = entries.flatMap(({ chunk: { id, metadata }, vector }) => (vector ? [{ id, metadata, vector }] : []))
  await vectorIndex.upsert(vectors, { signal })
  await lexicalIndex.upsert(
    entries.map(({ chunk }) => chunk),
    { signal },
  )
}

async function free<M extends Metadata>({ vectorIndex, lexicalIndex }: IndexPair<M>): Promise<void> {
  await vectorIndex.close?.()
  await lexicalIndex.close?.()
}

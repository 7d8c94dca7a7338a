import type { Corpus } from '../corpus/corpus.ts'
import type { Metadata } from '../document.ts'
import type { LexicalIndex } from '../lexical-index/lexical-index.ts'
import type { StoredChunk } from '../retriever/retriever.ts'
import type { VectorIndex } from '../vector-index/vector-index.ts'

/** The two indexes over a corpus. */
export interface IndexPair<M extends Metadata> {
  readonly vectorIndex: VectorIndex<M>
  readonly lexicalIndex: LexicalIndex<M>
}

/** Entries that go into an index in one call. */
export const BATCH = 1024

/** Puts every vector of a corpus into an empty index. */
export async function fill<M extends Metadata>(
  index: VectorIndex<M>,
  corpus: Corpus<M>,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (index.fill) return index.fill(corpus.vectorBlocks({ signal }), { count: corpus.info().chunks, signal })
  for await (const { count, vectors, idAt, metadataAt } of corpus.vectorBlocks({ signal })) {
    const size = vectors.length / count
    const entries = Array.from({ length: count }, (_, at) => ({
      id: idAt(at),
      vector: vectors.subarray(at * size, (at + 1) * size),
      metadata: metadataAt(at)!,
    }))
    for (let from = 0; from < entries.length; from += BATCH)
      await index.upsert(entries.slice(from, from + BATCH), { signal })
  }
}

export async function upsert<M extends Metadata>(
  made: IndexPair<M>,
  which: readonly (keyof IndexPair<M>)[],
  entries: readonly { chunk: StoredChunk<M>; vector?: Float32Array }[],
  signal: AbortSignal | undefined,
): Promise<void> {
  if (entries.length === 0) return
  const vectors = entries.flatMap(({ chunk: { id, metadata }, vector }) => (vector ? [{ id, metadata, vector }] : []))
  if (which.includes('vectorIndex')) await made.vectorIndex.upsert(vectors, { signal })
  if (!which.includes('lexicalIndex')) return
  await made.lexicalIndex.upsert(
    entries.map(({ chunk }) => chunk),
    { signal },
  )
}

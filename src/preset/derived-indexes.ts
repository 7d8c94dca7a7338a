import type { Commit, Corpus, CorpusChange, Damage, DocumentRecord } from '../corpus/corpus.ts'
import type { DerivedFiles, VersionedCorpus } from '../corpus/index.ts'
import type { AbortOptions, Metadata } from '../document.ts'
import { canonicalJson } from '../internal/hash.ts'
import { createSerial } from '../internal/serial.ts'
import type { LexicalIndex } from '../lexical-index/lexical-index.ts'
import type { StoredChunk } from '../retriever/retriever.ts'
import type { VectorIndex } from '../vector-index/vector-index.ts'

/** The two indexes over a corpus. */
export interface IndexPair<M extends Metadata> {
  readonly vectorIndex: VectorIndex<M>
  readonly lexicalIndex: LexicalIndex<M>
}

/** How the two are made. */
export interface IndexMakers<M extends Metadata> {
  /** An empty vector index for the corpus's space. */
  vectors(): Promise<VectorIndex<M>>
  /** A lexical index: empty, or from what `save` gave. Throws when it cannot use that. */
  words(saved: Uint8Array | undefined): Promise<LexicalIndex<M>>
  /** The lexical index as bytes; absent for an index that has none. */
  save?(words: LexicalIndex<M>): Promise<Uint8Array>
}

/** Keeps a pair of indexes in step with a corpus. The corpus is the record: whatever goes wrong here is built again from it. */
export interface DerivedIndexes<M extends Metadata> {
  /** The pair, in step with the corpus: whatever was committed, rolled back or promoted since is laid over it first. */
  current(options?: AbortOptions): Promise<IndexPair<M>>
  /** Follows a commit, so that the next search need not read it again. Never throws: a failure leaves the pair to be built again by `current`. */
  follow(commit: Commit, change: CorpusChange<M>): Promise<void>
  /** Keeps the words beside the corpus when much changed since they were kept; `always` when anything did. Never throws. */
  keep(when: 'much' | 'always'): Promise<void>
  /** What could not be read when the pair was made. */
  damage(): readonly Damage[]
  /** Frees the pair. */
  close(): Promise<void>
}

/** What is in the indexes of a document: its stored form, and its chunks. */
type Known = Map<string, { readonly stored: string; readonly chunkIds: readonly string[] }>

interface Built<M extends Metadata> extends IndexPair<M> {
  readonly known: Known
  readonly space: string
  version: number
  /** Chunks that changed since the words were kept. */
  changed: number
}

/** Entries that go into an index in one call. */
const BATCH = 1024
/** Fewer chunks are indexed again in less time than a file takes. */
const KEPT_FROM = 1_000
const KIND = 'words'

export function derivedIndexes<M extends Metadata>(
  corpus: VersionedCorpus<M>,
  makers: IndexMakers<M>,
  files: DerivedFiles | undefined,
): DerivedIndexes<M> {
  const serially = createSerial()
  let built: Built<M> | undefined
  let damage: readonly Damage[] = []

  /** Reads one version from start to end, whatever is committed meanwhile. */
  const reading = async <T>(read: (view: Corpus<M>) => Promise<T>, signal: AbortSignal | undefined): Promise<T> => {
    const { version } = corpus.info()
    if (version === 0) return read(corpus)
    const view = await corpus.at(version, { signal })
    try {
      return await read(view)
    } finally {
      damage = view.info().damage
      await view.close()
    }
  }

  const drop = async (): Promise<void> => {
    const last = built
    built = undefined
    await last?.vectorIndex.close?.()
    await last?.lexicalIndex.close?.()
  }

  /** The words that were kept, with the documents they are of. */
  const keptWords = async (signal: AbortSignal | undefined): Promise<[LexicalIndex<M>, Known]> => {
    const kept = makers.save && (await files?.read(KIND, { signal }))
    if (kept) {
      try {
        const head = kept.head as [id: string, stored: string, chunkIds: string[]][]
        const known: Known = new Map(head.map(([id, stored, chunkIds]) => [id, { stored, chunkIds }]))
        return [await makers.words(kept.body), known]
      } catch {
        // Of another analyzer or an older form.
      }
    }
    return [await makers.words(undefined), new Map()]
  }

  const build = async (view: Corpus<M>, signal: AbortSignal | undefined): Promise<Built<M>> => {
    const { space } = view.info()
    const vectorIndex = await makers.vectors()
    const [lexicalIndex, known] = await keptWords(signal)
    const made = { vectorIndex, lexicalIndex, known, space: canonicalJson(space), version: 0, changed: 0 }
    built = made
    for await (const { ids, vectors, metadata } of batched(view, signal))
      await vectorIndex.upsert(
        ids.map((id, at) => ({ id, vector: vectors[at]!, metadata: metadata[at]! })),
        { signal },
      )
    await layOver(view, made, ['lexicalIndex'], signal)
    return made
  }

  /** Brings indexes to what a version holds: removes what is stored no more, and adds what was stored since. */
  const layOver = async (
    view: Corpus<M>,
    made: Built<M>,
    which: readonly (keyof IndexPair<M>)[],
    signal: AbortSignal | undefined,
  ): Promise<void> => {
    const { version } = view.info()
    const fresh: DocumentRecord<M>[] = []
    const stale = new Map(made.known)
    for await (const record of view.documents({ signal })) {
      if (stale.get(record.id)?.stored === record.stored) stale.delete(record.id)
      else fresh.push(record)
    }
    const gone = [...stale.values()].flatMap(({ chunkIds }) => chunkIds)
    for (const index of which) if (gone.length > 0) await made[index].remove(gone, { signal })
    for (const id of stale.keys()) made.known.delete(id)
    let batch: { chunk: StoredChunk<M>; vector?: Float32Array }[] = []
    if (fresh.length > 0) {
      for await (const entry of view.entries({ documentIds: fresh.map(({ id }) => id), signal })) {
        batch.push(entry)
        made.changed++
        if (batch.length < BATCH) continue
        await upsert(made, which, batch, signal)
        batch = []
      }
    }
    await upsert(made, which, batch, signal)
    for (const { id, stored, chunkIds } of fresh) made.known.set(id, { stored, chunkIds })
    made.changed += gone.length
    made.version = version
  }

  const current = async (signal: AbortSignal | undefined): Promise<IndexPair<M>> => {
    signal?.throwIfAborted()
    const { version, space } = corpus.info()
    if (built && built.version === version) return built
    if (built && built.space !== canonicalJson(space)) await drop()
    try {
      return await reading(async (view) => {
        if (!built) return build(view, signal)
        await layOver(view, built, ['vectorIndex', 'lexicalIndex'], signal)
        return built
      }, signal)
    } catch (error) {
      await drop().catch(() => undefined)
      throw error
    }
  }

  return {
    current: ({ signal } = {}) => {
      const { version } = corpus.info()
      return built?.version === version ? Promise.resolve(built) : serially(() => current(signal))
    },
    follow: (commit, { put = [] }) =>
      serially(async () => {
        const made = built
        if (made?.version !== commit.version - 1 || made.space !== canonicalJson(corpus.info().space)) return
        try {
          const entries = put.flatMap(({ chunks, vectors }) =>
            chunks.map((chunk, at) => ({ chunk, ...(vectors[at] && { vector: vectors[at] }) })),
          )
          await made.vectorIndex.remove(commit.removedChunkIds)
          await made.lexicalIndex.remove(commit.removedChunkIds)
          for (let at = 0; at < entries.length; at += BATCH)
            await upsert(made, ['vectorIndex', 'lexicalIndex'], entries.slice(at, at + BATCH), undefined)
          for (const id of commit.removed) made.known.delete(id)
          for (const { document } of put) {
            const record = corpus.record(document.id)
            if (record) made.known.set(record.id, { stored: record.stored, chunkIds: record.chunkIds })
          }
          made.changed += entries.length + commit.removedChunkIds.length
          made.version = commit.version
        } catch {
          // The commit stands whatever an index says; the next search builds both from the corpus.
          await drop().catch(() => undefined)
        }
      }),
    keep: (when) =>
      serially(async () => {
        const made = built
        const { chunks, version } = corpus.info()
        if (!made || !files || !makers.save || made.version !== version || chunks < KEPT_FROM) return
        if (made.changed === 0 || (when === 'much' && made.changed < chunks / 10)) return
        try {
          const head = [...made.known].map(([id, { stored, chunkIds }]) => [id, stored, chunkIds])
          await files.write(KIND, { head, body: await makers.save(made.lexicalIndex) })
          made.changed = 0
        } catch {
          // A full disk costs the next start some seconds, and nothing else.
        }
      }),
    damage: () => damage,
    close: () => serially(drop),
  }
}

/** Vectors of several documents together. */
async function* batched<M extends Metadata>(
  corpus: Corpus<M>,
  signal: AbortSignal | undefined,
): AsyncGenerator<{ ids: string[]; vectors: Float32Array[]; metadata: M[] }> {
  let batch = { ids: [] as string[], vectors: [] as Float32Array[], metadata: [] as M[] }
  for await (const { ids, vectors, metadata } of corpus.vectors({ signal })) {
    batch.ids.push(...ids)
    batch.vectors.push(...vectors)
    batch.metadata.push(...metadata)
    if (batch.ids.length < BATCH) continue
    yield batch
    batch = { ids: [], vectors: [], metadata: [] }
  }
  if (batch.ids.length > 0) yield batch
}

async function upsert<M extends Metadata>(
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

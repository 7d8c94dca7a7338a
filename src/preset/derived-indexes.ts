import type { Commit, Corpus, CorpusChange, Damage, DocumentRecord } from '../corpus/corpus.ts'
import type { DerivedFiles, VersionedCorpus } from '../corpus/index.ts'
import type { AbortOptions, Metadata } from '../document.ts'
import { canonicalJson } from '../internal/hash.ts'
import { createSerial } from '../internal/serial.ts'
import type { LexicalIndex } from '../lexical-index/lexical-index.ts'
import type { StoredChunk } from '../retriever/retriever.ts'
import type { VectorIndex } from '../vector-index/vector-index.ts'
import { chunkIdsOf, type Known, keptWords } from './kept-words.ts'
import { type ServedAnswers, servedAnswers } from './served-answers.ts'

/** The two indexes over a corpus. */
export interface IndexPair<M extends Metadata> {
  readonly vectorIndex: VectorIndex<M>
  readonly lexicalIndex: LexicalIndex<M>
}

/** How the two are made. */
export interface IndexMakers<M extends Metadata> {
  /** An empty vector index for the corpus's space, which says when it serves with something else than before. */
  vectors(onServing: () => void): Promise<VectorIndex<M>>
  /** A lexical index: empty, or from what `save` gave, with what it gave of other chunks. Throws when it cannot use that. */
  words(saved: Uint8Array | undefined, additions?: readonly Uint8Array[]): Promise<LexicalIndex<M>>
  /** The lexical index as bytes, or some chunks of it; absent for an index that has none. */
  save?(words: LexicalIndex<M>, only?: readonly string[]): Promise<Uint8Array>
}

/** Keeps a pair of indexes in step with a corpus. The corpus is the record: whatever goes wrong here is built again from it. */
export interface DerivedIndexes<M extends Metadata> {
  /** The pair, in step with the corpus: whatever was committed, rolled back or promoted since is laid over it first. */
  current(options?: AbortOptions): Promise<IndexPair<M>>
  /** Follows a commit, so that the next search need not read it again. Never throws: a failure leaves the pair to be built again by `current`. */
  follow(commit: Commit, change: CorpusChange<M>): Promise<void>
  /**
   * Keeps the words beside the corpus: `always` when anything changed since they were kept, `much` when a tenth of the
   * chunks did, `bounded` when a quarter did; and otherwise what was added, when that is so much that a crash would cost the
   * next start more than a moment. Never throws.
   */
  keep(when: 'always' | 'much' | 'bounded'): Promise<void>
  /** Drops the pair: the next search makes it again from the corpus. */
  forget(): Promise<void>
  /** What could not be read when the pair was made. */
  damage(): readonly Damage[]
  /** Frees the pair. */
  close(): Promise<void>
}

interface Built<M extends Metadata> extends IndexPair<M> {
  readonly known: Known
  space: string
  version: number
  /** The version that first held what they hold. */
  content: number
  /** Chunks that changed since the words were kept. */
  changed: number
}

/** Entries that go into an index in one call. */
const BATCH = 1024
/** Fewer chunks are indexed again in less time than a file takes. */
const KEPT_FROM = 1_000
/** Added chunks that are indexed again in less time than a start takes otherwise, and how many of all there may be at least. */
const [ADDED_FROM, ADDED_SHARE] = [2_000, 50]
/** How many chunks of so many must have changed for their words to be kept. */
const CHANGED: Readonly<Record<'always' | 'much' | 'bounded', (chunks: number) => number>> = {
  always: () => 1,
  much: (chunks) => chunks / 10,
  bounded: (chunks) => Math.max(20_000, chunks / 4),
}

export function derivedIndexes<M extends Metadata>(
  corpus: VersionedCorpus<M>,
  makers: IndexMakers<M>,
  files: DerivedFiles | undefined,
  answers: ServedAnswers<M> = servedAnswers(corpus, undefined),
): DerivedIndexes<M> {
  const serially = createSerial()
  const kept = makers.save && files && keptWords(makers, files)
  let built: Built<M> | undefined
  let damage: readonly Damage[] = []

  /** Reads one version from start to end, whatever is committed meanwhile. */
  const reading = async <T>(
    version: number,
    read: (view: Corpus<M>) => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> => {
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

  /** Drops a pair that is in step with its version. */
  const leave = async (): Promise<void> => {
    if (built && built.version > 0) await answers.keep(built.vectorIndex, built)
    await drop()
  }

  const build = async (view: Corpus<M>, signal: AbortSignal | undefined): Promise<Built<M>> => {
    const { space } = view.info()
    // Read while vectors are.
    const words = kept
      ? kept.open({ signal })
      : makers.words(undefined).then((lexicalIndex) => ({ lexicalIndex, known: new Map(), added: 0 }))
    words.catch(() => undefined)
    const vectorIndex = await makers.vectors(() => {
      void serially(async () => {
        if (built?.vectorIndex === vectorIndex && built.version > 0) await answers.keep(vectorIndex, built)
      })
    })
    try {
      await fill(vectorIndex, view, signal)
      const { added, ...indexed } = await words
      built = { vectorIndex, ...indexed, space: canonicalJson(space), version: 0, content: 0, changed: added }
    } catch (error) {
      await vectorIndex.close?.()
      throw error
    }
    await layOver(view, built, ['lexicalIndex'], signal)
    return built
  }

  /** Brings indexes to what a version holds: removes what is stored no more, and adds what was stored since. */
  const layOver = async (
    view: Corpus<M>,
    made: Built<M>,
    which: readonly (keyof IndexPair<M>)[],
    signal: AbortSignal | undefined,
  ): Promise<void> => {
    const { version, content = version } = view.info()
    const fresh: DocumentRecord<M>[] = []
    const stale = new Map(made.known)
    const added: DocumentRecord<M>[] = []
    for await (const record of view.documents({ signal })) {
      if (stale.get(record.id)?.stored === record.stored) stale.delete(record.id)
      else {
        fresh.push(record)
        if (!stale.has(record.id)) added.push(record)
      }
    }
    // A chunk that is stored again keeps its place in an index: compaction changes no answer.
    const again = new Set(fresh.flatMap(({ chunkIds }) => chunkIds))
    const before = [...stale.values()].flatMap(chunkIdsOf)
    const gone = before.filter((id) => !again.has(id))
    /** Chunks that an index knows and that cannot be read now. */
    const unread = { vectorIndex: new Set(before), lexicalIndex: new Set(before) }
    for (const index of which) if (gone.length > 0) await made[index].remove(gone, { signal })
    for (const [id, document] of stale) {
      kept?.gone(id, document)
      made.known.delete(id)
    }
    let batch: { chunk: StoredChunk<M>; vector?: Float32Array }[] = []
    if (fresh.length > 0) {
      for await (const entry of view.entries({ documentIds: fresh.map(({ id }) => id), signal })) {
        batch.push(entry)
        made.changed++
        unread.lexicalIndex.delete(entry.chunk.id)
        if (entry.vector) unread.vectorIndex.delete(entry.chunk.id)
        if (batch.length < BATCH) continue
        await upsert(made, which, batch, signal)
        batch = []
      }
    }
    await upsert(made, which, batch, signal)
    for (const index of which) {
      const lost = [...unread[index]].filter((id) => again.has(id))
      if (lost.length > 0) await made[index].remove(lost, { signal })
    }
    for (const { id, stored, chunkIds } of fresh) made.known.set(id, { stored, chunkIds })
    kept?.added(added.map(({ id }) => [id, made.known.get(id)!] as const))
    made.changed += gone.length
    made.version = version
    made.content = content
  }

  /** Whether another process purged what an index was made from: what was removed from it must go with it. */
  const isPurged = ({ version }: Built<M>): boolean => version < (corpus.info().purged ?? 0)

  const current = async (signal: AbortSignal | undefined): Promise<IndexPair<M>> => {
    signal?.throwIfAborted()
    const { version, content = version, origin, space } = corpus.info()
    if (built && built.version === version) return built
    if (built && isPurged(built)) {
      await drop()
      answers.forget()
    } else if (built && built.space !== canonicalJson(space)) await leave()
    try {
      return await reading(
        version,
        async (view) => {
          const before = built && { version: built.version, content: built.content }
          if (built && before) {
            await answers.keep(built.vectorIndex, before)
            await layOver(view, built, ['vectorIndex', 'lexicalIndex'], signal)
          }
          const made = built ?? (await build(view, signal))
          await answers.enter(made.vectorIndex, { version, content, origin }, before)
          return made
        },
        signal,
      )
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
        if (!made) return
        const space = canonicalJson(corpus.info().space)
        // Before the first commit there is no space.
        if (made.version === 0) made.space = space
        if (made.space !== space) return
        try {
          if (made.version !== commit.version - 1) {
            // Compaction made a version in between, or another writer did.
            await current(undefined)
            return
          }
          const entries = put.flatMap(({ chunks, vectors }) =>
            chunks.map((chunk, at) => ({ chunk, ...(vectors[at] && { vector: vectors[at] }) })),
          )
          await made.vectorIndex.remove(commit.removedChunkIds)
          await made.lexicalIndex.remove(commit.removedChunkIds)
          for (let at = 0; at < entries.length; at += BATCH)
            await upsert(made, ['vectorIndex', 'lexicalIndex'], entries.slice(at, at + BATCH), undefined)
          for (const id of [...commit.removed, ...commit.changed]) {
            const document = made.known.get(id)
            if (document) kept?.gone(id, document)
            made.known.delete(id)
          }
          for (const { document } of put) {
            const record = corpus.record(document.id)
            if (record) made.known.set(record.id, { stored: record.stored, chunkIds: record.chunkIds })
          }
          kept?.added(
            commit.added.flatMap((id) => {
              const document = made.known.get(id)
              return document ? [[id, document] as const] : []
            }),
          )
          made.changed += entries.length + commit.removedChunkIds.length
          made.version = commit.version
          made.content = commit.version
          await answers.keep(made.vectorIndex, made)
        } catch {
          // The commit stands whatever an index says; the next search builds both from the corpus.
          await drop().catch(() => undefined)
        }
      }),
    keep: (when) =>
      serially(async () => {
        const made = built
        const { chunks, version } = corpus.info()
        if (!made || !kept || made.version !== version || chunks < KEPT_FROM || made.changed === 0) return
        try {
          const purged = async () => {
            await corpus.refresh()
            return isPurged(made)
          }
          if (made.changed >= CHANGED[when](chunks)) {
            await kept.keepAll(made.lexicalIndex, made.known, purged)
            made.changed = 0
          } else await kept.keepAdded(made.lexicalIndex, Math.max(ADDED_FROM, chunks / ADDED_SHARE), purged)
        } catch {
          // A full disk costs the next start some seconds, and nothing else.
        }
      }),
    forget: () => serially(drop),
    damage: () => damage,
    close: () => serially(leave),
  }
}

/** Puts every vector of a corpus into an empty index. */
async function fill<M extends Metadata>(
  index: VectorIndex<M>,
  corpus: Corpus<M>,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (index.fill) return index.fill(corpus.vectorBlocks({ signal }), { signal })
  for await (const { ids, vectors, metadata } of corpus.vectorBlocks({ signal })) {
    const size = vectors.length / ids.length
    const entries = ids.map((id, at) => ({
      id,
      vector: vectors.subarray(at * size, (at + 1) * size),
      metadata: metadata[at]!,
    }))
    for (let from = 0; from < entries.length; from += BATCH)
      await index.upsert(entries.slice(from, from + BATCH), { signal })
  }
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

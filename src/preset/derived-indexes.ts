import type { Commit, Corpus, CorpusChange, CorpusInfo, Damage, DocumentRecord } from '../corpus/corpus.ts'
import type { DerivedFiles, VersionedCorpus } from '../corpus/index.ts'
import type { AbortOptions, Metadata } from '../document.ts'
import type { EmbeddingSpace } from '../embedder/embedder.ts'
import { GroundlineError } from '../errors.ts'
import { canonicalJson } from '../internal/hash.ts'
import { createSerial } from '../internal/serial.ts'
import type { LexicalIndex } from '../lexical-index/lexical-index.ts'
import type { StoredChunk } from '../retriever/retriever.ts'
import type { VectorIndex } from '../vector-index/vector-index.ts'
import { BATCH, fill, type IndexPair, upsert } from './index-pair.ts'
import { chunkIdsOf, type Known, keptWords, unknown } from './kept-words.ts'
import { type AnswerOfOneVersion, answersOfOneVersion, type VersionedPair } from './one-version.ts'
import { type ServedAnswers, servedAnswers } from './served-answers.ts'

/** How the two are made. */
export interface IndexMakers<M extends Metadata> {
  /** An empty vector index for a space, the embedder's before the first commit, which says when it serves with something else than before. */
  vectors(onServing: () => void, space: EmbeddingSpace | undefined): Promise<VectorIndex<M>>
  /** A lexical index: empty, or from what `save` gave, with what it gave of other chunks. Throws when it cannot use that. */
  words(saved: Uint8Array | undefined, additions?: readonly Uint8Array[]): Promise<LexicalIndex<M>>
  /** The lexical index as bytes, or some chunks of it; absent for an index that has none. */
  save?(words: LexicalIndex<M>, only?: readonly string[]): Promise<Uint8Array>
}

/** Keeps a pair of indexes in step with a corpus. The corpus is the record: whatever goes wrong here is built again from it. */
export interface DerivedIndexes<M extends Metadata> {
  /** The pair, in step with the corpus: whatever was committed, rolled back or promoted since is laid over it first. */
  current(options?: AbortOptions): Promise<IndexPair<M>>
  /**
   * Answers a question from one version: what `work` gave or threw counts when neither the pair nor the corpus changed
   * meanwhile; otherwise it runs again. No write waits for it. A question disturbed again and again gets a pair and a view that
   * nobody changes until it has its answer.
   */
  readonly answer: AnswerOfOneVersion<M>
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

interface Built<M extends Metadata> extends VersionedPair<M> {
  readonly known: () => Known
  space: EmbeddingSpace | undefined
  version: number
  /** The version that first held what they hold. */
  content: number
  /** Chunks that changed since the words were kept. */
  changed: number
  writes: number
  isFreed: boolean
  /** Questions that need them as they are. */
  held: number
}

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
  /** Pairs that serve no new question, but one that holds them. */
  const parted = new Set<Built<M>>()
  let changing = false
  let closed = false

  /** Changes the pair, one after the other. Questions that begin meanwhile wait for it. */
  const changes = <T>(change: () => Promise<T>): Promise<T> =>
    serially(async () => {
      changing = true
      try {
        return await change()
      } finally {
        changing = false
      }
    })

  /** Reads one version from start to end, whatever is committed meanwhile. */
  const reading = async <T>(
    version: number,
    read: (view: Corpus<M>) => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> => {
    const view = await corpus.at(version, { signal })
    try {
      const value = await read(view)
      if (view.info().damage.length > 0) {
        // Nothing is damaged where another process took the version away: opening it again throws then.
        await corpus.refresh({ signal })
        await (await corpus.at(version, { signal })).close()
      }
      return value
    } finally {
      damage = view.info().damage
      await view.close()
    }
  }

  const drop = async (): Promise<void> => {
    const last = built
    built = undefined
    if (last) await free(last)
  }

  /** Drops what questions hold, too: they find out, and begin again. */
  const dropAll = async (): Promise<void> => {
    await drop()
    for (const made of parted) await free(made)
    parted.clear()
  }

  /** Drops a pair that is in step with its version. */
  const leave = async (): Promise<void> => {
    if (built && built.version > 0) await answers.keep(built.vectorIndex, built)
    await drop()
  }

  /** Before a change: leaves the pair to the questions that hold it, the last of which frees it. */
  const part = async (): Promise<void> => {
    const made = built
    if (!made || made.held === 0) return
    if (made.version > 0) await answers.keep(made.vectorIndex, made)
    if (made.held === 0) return
    built = undefined
    parted.add(made)
  }

  /** Without a view, of a corpus that nothing was committed to: what is committed meanwhile is laid over later. */
  const build = async (view: Corpus<M> | undefined, signal: AbortSignal | undefined): Promise<Built<M>> => {
    const { space } = view?.info() ?? {}
    // Read while vectors are.
    const words =
      kept && view
        ? kept.open({ signal })
        : makers.words(undefined).then((lexicalIndex) => ({ lexicalIndex, ...unknown() }))
    words.catch(() => undefined)
    let keptOf: string | undefined
    const vectorIndex = await makers.vectors(() => {
      void serially(async () => {
        if (built?.vectorIndex === vectorIndex && built.version > 0) await answers.keep(vectorIndex, built)
      })
    }, space)
    try {
      if (view) await fill(vectorIndex, view, signal)
      const { added, holds, ...indexed } = await words
      built = {
        vectorIndex,
        ...indexed,
        space,
        version: 0,
        content: 0,
        changed: added,
        writes: 0,
        held: 0,
        isFreed: false,
      }
      keptOf = holds
    } catch (error) {
      await vectorIndex.close?.()
      throw error
    }
    if (!view) return built
    const now = view.info()
    // Kept of the very segments that are read now: nothing is to be compared.
    if (keptOf !== undefined && keptOf === now.holds) setVersion(built, now)
    else await layOver(view, built, ['lexicalIndex'], signal)
    return built
  }

  /** Brings indexes to what a version holds: removes what is stored no more, and adds what was stored since. */
  const layOver = async (
    view: Corpus<M>,
    made: Built<M>,
    which: readonly (keyof IndexPair<M>)[],
    signal: AbortSignal | undefined,
  ): Promise<void> => {
    made.writes++
    const fresh: DocumentRecord<M>[] = []
    const stale = new Map(made.known())
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
      made.known().delete(id)
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
    for (const { id, stored, chunkIds } of fresh) made.known().set(id, { stored, chunkIds })
    kept?.added(added.map(({ id }) => [id, made.known().get(id)!] as const))
    made.changed += gone.length
    setVersion(made, view.info())
  }

  /** Whether another process purged what an index was made from: what was removed from it must go with it. */
  const isPurged = ({ version }: Built<M>): boolean => version < (corpus.info().purged ?? 0)

  const current = async (signal: AbortSignal | undefined): Promise<Built<M>> => {
    signal?.throwIfAborted()
    if (closed) throw new GroundlineError('CLOSED', 'this groundline is closed: create it again')
    const { version, content = version, origin, space } = corpus.info()
    if (built && built.version === version) return built
    if (built && isPurged(built)) {
      await drop()
      answers.forget()
    } else await part()
    if (built && !isSame(built.space, space)) await leave()
    try {
      if (version === 0) return await build(undefined, signal)
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

  const inStep = async (signal: AbortSignal | undefined): Promise<Built<M>> => {
    const { version } = corpus.info()
    return !changing && built?.version === version ? built : changes(() => current(signal))
  }

  const release = async (made: Built<M>): Promise<void> => {
    made.held--
    if (made.held === 0 && parted.delete(made)) await free(made)
  }

  return {
    current: ({ signal } = {}) => inStep(signal),
    answer: answersOfOneVersion(corpus, {
      inStep,
      isCurrent: (made) => built === made,
      hold: (signal) =>
        changes(async () => {
          const made = await current(signal)
          made.held++
          return made
        }),
      release,
    }),
    follow: (commit, { put = [] }) =>
      changes(async () => {
        await part()
        const made = built
        if (!made) return
        const { space, version } = corpus.info()
        // Before the first commit there is no space.
        if (made.version === 0 && version === commit.version) made.space = space
        if (!isSame(made.space, space)) return
        try {
          if (made.version !== commit.version - 1 || version !== commit.version) {
            // Compaction made a version in between, or another writer made one before or after.
            await current(undefined)
            return
          }
          const records = put.flatMap(({ document }) => corpus.record(document.id) ?? [])
          made.writes++
          const entries = put.flatMap(({ chunks, vectors }) =>
            chunks.map((chunk, at) => ({ chunk, ...(vectors[at] && { vector: vectors[at] }) })),
          )
          await made.vectorIndex.remove(commit.removedChunkIds)
          await made.lexicalIndex.remove(commit.removedChunkIds)
          for (let at = 0; at < entries.length; at += BATCH)
            await upsert(made, ['vectorIndex', 'lexicalIndex'], entries.slice(at, at + BATCH), undefined)
          for (const id of [...commit.removed, ...commit.changed]) {
            const document = made.known().get(id)
            if (document) kept?.gone(id, document)
            made.known().delete(id)
          }
          for (const { id, stored, chunkIds } of records) made.known().set(id, { stored, chunkIds })
          kept?.added(
            commit.added.flatMap((id) => {
              const document = made.known().get(id)
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
        const { chunks, version, holds } = corpus.info()
        if (!made || !kept || made.version !== version || chunks < KEPT_FROM || made.changed === 0) return
        try {
          const purged = async () => {
            await corpus.refresh()
            return isPurged(made)
          }
          if (made.changed >= CHANGED[when](chunks)) {
            await kept.keepAll(made.lexicalIndex, made.known(), holds, purged)
            made.changed = 0
          } else await kept.keepAdded(made.lexicalIndex, Math.max(ADDED_FROM, chunks / ADDED_SHARE), purged)
        } catch {
          // A full disk costs the next start some seconds, and nothing else.
        }
      }),
    forget: () => changes(dropAll),
    damage: () => damage,
    close: () =>
      changes(async () => {
        closed = true
        await leave()
        await dropAll()
      }),
  }
}

function isSame(a: EmbeddingSpace | undefined, b: EmbeddingSpace | undefined): boolean {
  return a === b || canonicalJson(a) === canonicalJson(b)
}

function setVersion(
  made: Pick<Built<Metadata>, 'version' | 'content'>,
  { version, content = version }: CorpusInfo,
): void {
  made.version = version
  made.content = content
}

async function free<M extends Metadata>(made: Built<M>): Promise<void> {
  made.isFreed = true
  await made.vectorIndex.close?.()
  await made.lexicalIndex.close?.()
}

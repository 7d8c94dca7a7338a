import type { Corpus, CorpusEntry, CorpusInfo, DocumentRecord } from '../corpus/corpus.ts'
import type { DerivedFiles, ServedFiles, VersionedCorpus } from '../corpus/index.ts'
import type { AbortOptions, Metadata } from '../document.ts'
import { GroundlineError } from '../errors.ts'
import type { VectorBlock } from '../vector-index/vector-index.ts'
import { type DerivedIndexes, derivedIndexes, type IndexMakers } from './derived-indexes.ts'
import type { AnswerParts } from './one-version.ts'
import { servedAnswers } from './served-answers.ts'

/** One version with indexes of its own. */
export interface VersionView<M extends Metadata> {
  /** What is stored of it. */
  readonly corpus: Corpus<M>
  /** Answers from it. With `readers`, by the access lists of then and of now together. */
  answer<T>(readers: 'named' | 'none', work: (parts: AnswerParts<M>) => Promise<T>, options?: AbortOptions): Promise<T>
  /** Whether the newest version gives a document to a reader, too. */
  isGiven(id: string, isVisible: (metadata: Metadata) => boolean): boolean
  /** Throws `CLOSED`, and `NOT_FOUND` once something was purged since it was opened. Looks for versions of other processes first. */
  requireOpen(options: AbortOptions): Promise<void>
  /** Frees it. */
  close(): Promise<void>
}

/** Access lists that are shorter now than in a version, by chunk; and of which documents. */
interface Shortened {
  readonly chunks: ReadonlyMap<string, readonly string[]>
  readonly documents: ReadonlyMap<string, readonly string[]>
}

const NONE: Shortened = { chunks: new Map(), documents: new Map() }

/**
 * A version with indexes of its own, which are made by its first question: from the words that are kept of the corpus, from
 * the graph that served the version where that is kept, else by the exact scan. Nothing is written.
 */
export async function versionView<M extends Metadata>(
  corpus: VersionedCorpus<M>,
  version: number | string,
  makers: IndexMakers<M>,
  files: DerivedFiles | undefined,
  served: ServedFiles | undefined,
  options: AbortOptions,
): Promise<VersionView<M>> {
  await corpus.refresh(options)
  const { purged } = corpus.info()
  const view = await corpus.at(version, options)
  const { version: number } = view.info()
  let closed = false
  let lists = NONE
  /** The newest version that the lists were compared with. */
  let compared = 0
  // What never changes is asked like a corpus that could.
  const fixed: VersionedCorpus<M> = {
    ...corpus,
    ...view,
    close: async () => undefined,
    at: async () => ({ ...restricted(view, lists), close: async () => undefined }),
  }
  const indexes: DerivedIndexes<M> = derivedIndexes(fixed, makers, files, servedAnswers(fixed, served))

  /** Takes over who was taken off a list since. */
  const compareLists = async (): Promise<void> => {
    const { version: newest } = corpus.info()
    if (newest === compared) return
    const found = await shortened(view, corpus)
    if (!isSame(found, lists)) {
      lists = found
      await indexes.forget()
    }
    compared = newest
  }

  return {
    corpus: view,
    answer: async (readers, work, each) => {
      if (readers === 'named') await compareLists()
      return indexes.answer(work, each)
    },
    isGiven: (id, isVisible) => {
      const now = corpus.record(id)
      return now !== undefined && isVisible(now.metadata)
    },
    requireOpen: async (each) => {
      if (closed) throw new GroundlineError('CLOSED', 'this view is closed: open it again with at()')
      await corpus.refresh(each)
      if (corpus.info().purged === purged) return
      throw new GroundlineError(
        'NOT_FOUND',
        `documents were purged since version ${number} was opened: open it again with at(), if a tag still keeps it`,
        { details: { version: number } },
      )
    },
    close: async () => {
      if (closed) return
      closed = true
      await indexes.close()
      await view.close()
    },
  }
}

/** Documents whose lists have lost principals, or that are there no more. */
async function shortened<M extends Metadata>(then: Corpus<M>, now: Corpus<M>): Promise<Shortened> {
  const chunks = new Map<string, readonly string[]>()
  const documents = new Map<string, readonly string[]>()
  for await (const { id, metadata, chunkIds } of then.documents()) {
    const before = listIn(metadata)
    const after = new Set(listIn(now.record(id)?.metadata))
    const left = before.filter((principal) => after.has(principal))
    if (left.length === before.length) continue
    documents.set(id, left)
    for (const chunk of chunkIds) chunks.set(chunk, left)
  }
  return { chunks, documents }
}

function listIn(metadata: Metadata | undefined): readonly string[] {
  const list = metadata?.access
  return Array.isArray(list) ? list.filter((principal) => typeof principal === 'string') : []
}

function isSame(a: Shortened, b: Shortened): boolean {
  if (a.documents.size !== b.documents.size) return false
  for (const [id, list] of a.documents) if (list.join('\n') !== b.documents.get(id)?.join('\n')) return false
  return true
}

/** What indexes read of a version: with the lists of now where they are shorter. */
function restricted<M extends Metadata>(view: Corpus<M>, { chunks, documents }: Shortened): Corpus<M> {
  if (documents.size === 0) return view
  const listed = <T extends Metadata | undefined>(metadata: T, list: readonly string[] | undefined): T =>
    list === undefined ? metadata : { ...metadata, access: listIn(metadata).filter((one) => list.includes(one)) }
  return {
    ...view,
    info: (): CorpusInfo => {
      // Kept words are of the lists of then.
      const { holds: _, ...info } = view.info()
      return info
    },
    documents: async function* (each): AsyncGenerator<DocumentRecord<M>> {
      for await (const record of view.documents(each)) {
        const list = documents.get(record.id)
        yield list === undefined ? record : { ...record, stored: `${record.stored} ${JSON.stringify(list)}` }
      }
    },
    entries: async function* (each): AsyncGenerator<CorpusEntry<M>> {
      for await (const { chunk, ...rest } of view.entries(each)) {
        const metadata = listed(chunk.metadata, chunks.get(chunk.id))
        yield { chunk: { ...chunk, metadata }, ...rest }
      }
    },
    vectorBlocks: async function* (each): AsyncGenerator<VectorBlock<M>> {
      for await (const block of view.vectorBlocks(each)) {
        const { idAt, metadataAt } = block
        yield { ...block, metadataAt: (at) => listed(metadataAt(at), chunks.get(idAt(at))) }
      }
    },
  }
}

import type { AbortOptions, Document, Metadata } from '../document.ts'
import type { EmbeddingSpace } from '../embedder/embedder.ts'
import type { LoaderInput } from '../loader/loader.ts'
import type { ChunkStore, StoredChunk } from '../retriever/retriever.ts'

/** What the corpus knows about a document without reading it. */
export interface DocumentRecord<M extends Metadata = Metadata> {
  /** The document's id. */
  readonly id: string
  /** Content hash of its text. */
  readonly version: string
  /** Hash of everything that makes it need indexing again: text, metadata, title and uri. */
  readonly fingerprint: string
  /** Where the original is. */
  readonly uri?: string
  /** Its title. */
  readonly title?: string
  /** Its metadata. */
  readonly metadata: M
  /** Ids of its chunks in text order. */
  readonly chunkIds: readonly string[]
}

/** A document with its chunks and their vectors, to be stored as one. */
export interface DocumentEntry<M extends Metadata = Metadata> {
  /** The document. */
  readonly document: Document<M>
  /** Its chunks in text order. */
  readonly chunks: readonly StoredChunk<M>[]
  /** One vector a chunk, in order; empty when the corpus holds no vectors. */
  readonly vectors: readonly Float32Array[]
}

/** Changes that become visible together or not at all. */
export interface CorpusChange<M extends Metadata = Metadata> {
  /** Documents to add, or to replace under the same id. */
  readonly put?: readonly DocumentEntry<M>[]
  /** Documents to remove; unknown ids are ignored. */
  readonly remove?: readonly string[]
}

/** What a commit did. */
export interface Commit {
  /** Number of the version it made, counted from 1. */
  readonly version: number
  /** Ids of documents that were not there before. */
  readonly added: readonly string[]
  /** Ids of documents that were replaced. */
  readonly changed: readonly string[]
  /** Ids of documents that went. */
  readonly removed: readonly string[]
}

/** What is in a corpus. */
export interface CorpusInfo {
  /** Number of the newest version; 0 when nothing was committed. */
  readonly version: number
  /** Documents in it. */
  readonly documents: number
  /** Chunks in it. */
  readonly chunks: number
  /** The space of its vectors; absent before the first. */
  readonly space?: EmbeddingSpace
}

/**
 * The record of documents, chunks and vectors. What a commit acknowledged survives a crash; what it did not is not
 * there. Indexes are derived from it and can always be built again.
 */
export interface Corpus<M extends Metadata = Metadata> extends ChunkStore<M> {
  /** Whether commits throw `READ_ONLY`. */
  readonly readOnly: boolean
  /** Applies a change as a whole, durably. */
  commit(change: CorpusChange<M>, options?: AbortOptions): Promise<Commit>
  /** One whole document, or undefined. */
  document(id: string, options?: AbortOptions): Promise<Document<M> | undefined>
  /** What is known about each document, in id order. */
  documents(options?: AbortOptions): AsyncIterable<DocumentRecord<M>>
  /** Every chunk with its vector, in document and text order: what an index is built from. */
  entries(options?: AbortOptions): AsyncIterable<{ readonly chunk: StoredChunk<M>; readonly vector?: Float32Array }>
  /** What is in it. */
  info(): CorpusInfo
  /** Frees what is held. Later calls throw `CLOSED`. */
  close(): Promise<void>
}

/** One file of a source: its name, and its content when asked for. */
export interface SourceItem<M extends Metadata = Metadata> {
  /** Becomes the document's id. */
  readonly id: string
  /** Changes whenever the content does, without reading it, when the source knows such a thing; else absent. */
  readonly revision?: string
  /** Reads the content. */
  read(options?: AbortOptions): Promise<LoaderInput<M>>
}

/** An item of a source that could not be listed or read. */
export interface SourceFailure {
  /** The item. */
  readonly id: string
  /** Why, and what to do. */
  readonly error: Error
}

/** Where documents come from. Items are listed each time it is iterated. */
export interface Source<M extends Metadata = Metadata> {
  /** Names the scope: documents of this scope that the source no longer lists are removed by a sync. */
  readonly scope: string
  /** The items there are now, and failures to list some of them. */
  items(options?: AbortOptions): AsyncIterable<SourceItem<M> | SourceFailure>
}

/** How far a sync has come. */
export interface SyncProgress {
  /** Items seen so far. */
  readonly done: number
  /** Items there are. */
  readonly total: number
  /** The item just finished. */
  readonly id: string
}

/** What a sync did, by document id. */
export interface SyncReport {
  /** New documents. */
  readonly added: readonly string[]
  /** Documents whose text or metadata changed. */
  readonly changed: readonly string[]
  /** Documents that the source no longer lists. */
  readonly removed: readonly string[]
  /** Documents that are as they were. */
  readonly reused: readonly string[]
  /** Items that could not be taken in; an earlier version of theirs stays. */
  readonly failed: readonly SourceFailure[]
}

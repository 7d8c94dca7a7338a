import type { AbortOptions, Document, Metadata } from '../document.ts'
import type { EmbeddingSpace } from '../embedder/embedder.ts'
import type { LoaderInput } from '../loader/loader.ts'
import type { ChunkStore, StoredChunk } from '../retriever/retriever.ts'
import type { VectorBlock } from '../vector-index/vector-index.ts'

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
  /** The source it came from; see {@link Source.scope}. */
  readonly scope?: string
  /** What its source said of it when it was stored; see {@link SourceItem.revision}. */
  readonly revision?: string
  /** What made its chunks: loader, chunker and whatever else changes them. */
  readonly pipeline?: string
  /** When `expireDocuments` removes it, ISO 8601; absent for never. */
  readonly expires?: string
  /** Names its stored form: equal in two versions when nothing of it was written in between. Compaction leaves it as it is. */
  readonly stored: string
}

/** A document with its chunks and their vectors, to be stored as one. */
export interface DocumentEntry<M extends Metadata = Metadata> {
  /** The document. */
  readonly document: Document<M>
  /** Its chunks in text order. */
  readonly chunks: readonly StoredChunk<M>[]
  /** One vector a chunk, in order; empty when the corpus holds no vectors. */
  readonly vectors: readonly Float32Array[]
  /** The source it came from; a sync of that source may remove it. */
  readonly scope?: string | undefined
  /** What its source said of it; a sync skips an item that says the same. */
  readonly revision?: string | undefined
  /** What made its chunks; a sync indexes a document of another pipeline again. */
  readonly pipeline?: string | undefined
  /** When `expireDocuments` removes it, ISO 8601. Default never. */
  readonly expires?: string | undefined
}

/** Changes that become visible together or not at all. */
export interface CorpusChange<M extends Metadata = Metadata> {
  /** Documents to add, or to replace under the same id. */
  readonly put?: readonly DocumentEntry<M>[]
  /** Documents to remove; unknown ids are ignored. */
  readonly remove?: readonly string[]
  /** The space of the vectors in `put`. Needed for the first vectors; later it must be the corpus's own, or absent. */
  readonly space?: EmbeddingSpace | undefined
  /** Refuses the change with `CONFLICT` unless this is the newest version. Default: applied to whatever is newest. */
  readonly expectedVersion?: number | undefined
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
  /** Ids of chunks that are there no more: those of removed documents, and the old ones of changed documents. */
  readonly removedChunkIds: readonly string[]
}

/** A part of a corpus that cannot be read. The rest stays readable. */
export interface Damage {
  /** The file's storage name. */
  readonly file: string
  /** The byte at which the damaged record starts. */
  readonly offset: number
  /** What is wrong and what to do. */
  readonly message: string
  /** Ids of the documents it takes away; absent when they cannot be told. */
  readonly documents?: readonly string[]
}

/** What is in a corpus. */
export interface CorpusInfo {
  /** Number of the newest version; 0 when nothing was committed. */
  readonly version: number
  /** The version that first held this content, where that is another: after a rollback, a tag or a collection. */
  readonly content?: number
  /** The version whose content this one took over; absent where it has content of its own. */
  readonly origin?: number
  /** Names what is stored of it: equal only where it is the same. Absent where something is damaged. */
  readonly holds?: string
  /** Documents in it. */
  readonly documents: number
  /** Chunks in it. */
  readonly chunks: number
  /** The space of its vectors; absent before the first. */
  readonly space?: EmbeddingSpace
  /** The version that the last purge made; absent before the first. What was derived from an earlier one must be forgotten. */
  readonly purged?: number
  /** What was found damaged so far; empty in a healthy corpus. */
  readonly damage: readonly Damage[]
}

/** A chunk with its vector, when it has one. */
export interface CorpusEntry<M extends Metadata = Metadata> {
  /** The chunk. */
  readonly chunk: StoredChunk<M>
  /** Its vector in the corpus's space. */
  readonly vector?: Float32Array
}

/** Vectors of the chunks of one document. */
export interface DocumentVectors<M extends Metadata = Metadata> {
  /** The document. */
  readonly documentId: string
  /** Ids of its chunks in text order. */
  readonly ids: readonly string[]
  /** Their vectors, in the same order. */
  readonly vectors: readonly Float32Array[]
  /** Metadata of the chunks, in the same order: what filters ask for. */
  readonly metadata: readonly M[]
}

/**
 * The record of documents, chunks and vectors. What a commit acknowledged survives a crash; what it did not is there
 * as a whole or not at all. Indexes are derived from it and can always be built again.
 */
export interface Corpus<M extends Metadata = Metadata> extends ChunkStore<M> {
  /** Whether commits throw `READ_ONLY`. */
  readonly readOnly: boolean
  /** The chunks of ids, in order; undefined where there is none, or where damage took it (see {@link CorpusInfo.damage}). */
  get(ids: readonly string[], options?: AbortOptions): Promise<readonly (StoredChunk<M> | undefined)[]>
  /** Applies a change as a whole, durably. Writers in other processes are waited out, never overwritten. */
  commit(change: CorpusChange<M>, options?: AbortOptions): Promise<Commit>
  /** One whole document, or undefined. Throws `CORRUPT_DATA` when it is damaged. */
  document(id: string, options?: AbortOptions): Promise<Document<M> | undefined>
  /** What is known about a document, or undefined. Reads nothing. */
  record(id: string): DocumentRecord<M> | undefined
  /** What is known about each document, in id order. */
  documents(options?: AbortOptions): AsyncIterable<DocumentRecord<M>>
  /**
   * Every chunk with its vector, in document and text order: what an index is built from; or those of some documents.
   * Damaged documents are left out and reported in {@link CorpusInfo.damage}.
   */
  entries(options?: AbortOptions & { readonly documentIds?: Iterable<string> }): AsyncIterable<CorpusEntry<M>>
  /** Every vector without any text, in storage order, by document. */
  vectors(options?: AbortOptions): AsyncIterable<DocumentVectors<M>>
  /** The same in blocks of some hundred chunks: what a vector index is built from in the shortest time. */
  vectorBlocks(options?: AbortOptions): AsyncIterable<VectorBlock<M>>
  /** Looks for commits of other processes; true when there was one. */
  refresh(options?: AbortOptions): Promise<boolean>
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
  /** Items carry their content: each is taken in as it is listed, not after all were. Default false. */
  readonly streams?: boolean
  /** The items there are now, and failures to list some of them. */
  items(options?: AbortOptions): AsyncIterable<SourceItem<M> | SourceFailure>
}

/** A source that tells when it changes. */
export interface WatchableSource<M extends Metadata = Metadata> extends Source<M> {
  /** Ids that may have changed, each time some did and then rested; first an empty list, once watching has begun. */
  watch(options?: AbortOptions): AsyncIterable<readonly string[]>
}

/** How far a sync has come. */
export interface SyncProgress {
  /** Items seen so far. */
  readonly done: number
  /** Items there are; of a source that streams, those listed so far. */
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
  /** Items left out because another document says nearly the same. */
  readonly skipped: readonly { readonly id: string; readonly duplicateOf: string }[]
  /** Removed and added documents with the same text. */
  readonly renamed: readonly { readonly from: string; readonly to: string }[]
}

import type { AbortOptions, Chunk, Document, Metadata } from '../document.ts'

/**
 * Cuts a document into chunks: verbatim slices in text order that cover the whole text, none over the chunker's limit.
 * A chunker whose work is synchronous returns an `Iterable`.
 */
export interface Chunker {
  /** Names the chunker with every option that changes its cuts; part of each chunk's id. */
  readonly id: string
  /** The chunks of one document. */
  chunk<M extends Metadata>(document: Document<M>, options?: AbortOptions): Iterable<Chunk<M>> | AsyncIterable<Chunk<M>>
}

/** A {@link Chunker} whose work is synchronous. */
export interface SyncChunker extends Chunker {
  /** The chunks of one document. */
  chunk<M extends Metadata>(document: Document<M>, options?: AbortOptions): Iterable<Chunk<M>>
}

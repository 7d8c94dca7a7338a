import type { Metadata } from '../document.ts'
import { GroundlineError } from '../errors.ts'
import { describe } from '../internal/argument.ts'

/** What a chunker says of a chunk, under the key `chunk` of its metadata, so that filters can ask for it. */
export type ChunkNotes = {
  /** The chunk is a single grapheme cluster that exceeds the token limit by itself. */
  readonly oversize?: true
  /** Header row of the table that the chunk is a part of, when the row itself is in an earlier chunk. */
  readonly tableHeader?: string
  /** Classes and functions around the chunk, outermost first. */
  readonly symbolPath?: readonly string[]
  /** Programming language of code. */
  readonly language?: string
  /** JSON Pointer of the record or value. */
  readonly pointer?: string
  /** Number of the record in JSON lines, counted from 0. */
  readonly record?: number
  /** Start of the first cue in seconds. */
  readonly startTime?: number
  /** End of the last cue in seconds. */
  readonly endTime?: number
  /** Who speaks, in order of appearance. */
  readonly speakers?: readonly string[]
  /** First page of the original, counted from 1. */
  readonly page?: number
  /** Id of the chunk around this one. */
  readonly parentId?: string
  /** Where that chunk begins. */
  readonly parentStart?: number
  /** Where that chunk ends. */
  readonly parentEnd?: number
  /** Ids of all larger chunks around this one, the largest first; the last is `parentId`. */
  readonly ancestorIds?: readonly string[]
  /** Where the sentences around the chunk begin. */
  readonly windowStart?: number
  /** Where the sentences around the chunk end. */
  readonly windowEnd?: number
  /** Id of the chunk before this one in the document. */
  readonly previousId?: string
  /** Id of the chunk after this one in the document. */
  readonly nextId?: string
  /** A line that situates the chunk within its document, written by a model. */
  readonly context?: string
  /** How the chunk was cut when it was not the usual way, and why. */
  readonly note?: string
}

/** The notes of a chunk; empty where there are none. */
export function chunkNotes(chunk: { readonly metadata: Metadata }): ChunkNotes {
  const notes = Object.hasOwn(chunk.metadata, 'chunk') ? chunk.metadata.chunk : undefined
  return typeof notes === 'object' && notes !== null && !Array.isArray(notes) ? (notes as ChunkNotes) : {}
}

/**
 * Notes with others added. V8 gives the object of a spread that gains a key a hidden class of its own: a hundred thousand
 * chunks had as many, each some hundred bytes, and reading a note took 70 ns. Assigned objects share theirs.
 */
export function joinNotes<A extends ChunkNotes, B extends ChunkNotes>(notes: A, others: B): ChunkNotes & A & B {
  return Object.assign({}, notes, others)
}

/** Metadata with notes; the metadata themselves when there is nothing to say. */
export function withNotes<M extends Metadata>(metadata: M, notes: ChunkNotes | undefined): M {
  if (notes === undefined || Object.keys(notes).length === 0) return metadata
  const added = { chunk: { ...notes } }
  // Assigning would set the prototype; see joinNotes for why not to spread always.
  return Object.hasOwn(metadata, '__proto__') ? { ...metadata, ...added } : Object.assign({}, metadata, added)
}

/** Throws where a document uses the key that notes need. */
export function requireFreeNotesKey(documentId: string, metadata: Metadata | undefined): void {
  if (metadata === undefined) return
  if (typeof metadata !== 'object' || metadata === null) {
    throw new GroundlineError(
      'INVALID_METADATA',
      `metadata of document ${JSON.stringify(documentId)} must be an object, got ${describe(metadata)}`,
      { details: { documentId } },
    )
  }
  if (Object.hasOwn(metadata, 'chunk')) {
    throw new GroundlineError(
      'INVALID_METADATA',
      `document ${JSON.stringify(documentId)} has metadata under the key "chunk", which chunkers use; rename it`,
      { details: { documentId, key: 'chunk' } },
    )
  }
}

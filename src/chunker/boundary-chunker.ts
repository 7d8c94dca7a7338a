import type { Chunk, Document, Metadata, Span } from '../document.ts'
import { requireString } from '../internal/argument.ts'
import { canonicalJson, contentHash } from '../internal/hash.ts'
import type { BreakList } from './break-list.ts'
import { type ChunkNotes, requireFreeNotesKey, withNotes } from './chunk-notes.ts'
import type { SyncChunker } from './chunker.ts'
import { documentVersion } from './document-version.ts'
import type { ResolvedLimits } from './limits.ts'
import { measureText, type SliceCounter, sliceCounter } from './measure.ts'
import { type Cut, pack } from './pack.ts'

/** What a chunker knows of a span beyond its text. */
export interface Annotation {
  /** Headings above it, outermost first. */
  readonly headingPath?: readonly string[] | undefined
  /** Goes to `metadata.chunk`. */
  readonly notes?: ChunkNotes | undefined
}

/** Where a document may be cut, and what is known of its parts. */
export interface ChunkPlan {
  /** The places to cut, closed with the end of the text. */
  readonly breaks: BreakList
  /** What is known of a span, which is given without its leading white space. */
  readonly annotate?: ((span: Span) => Annotation) | undefined
}

/** A chunker over the boundary engine. {@link hierarchicalChunker} nests two of them. */
export interface BoundaryChunker extends SyncChunker {
  /** The limits, with their defaults filled in. */
  readonly limits: ResolvedLimits
  /** Where it would cut a document. `count` counts slices of its text by the counter of `limits`. */
  readonly plan: ChunkPlanner
}

/** Finds where a document may be cut. */
export type ChunkPlanner = (document: Document, count: SliceCounter) => ChunkPlan

/** Makes a chunker of a plan. `others` are the options beside the limits that change its cuts; they become part of its id. */
// @__NO_SIDE_EFFECTS__
export function boundaryChunker(
  name: string,
  limits: ResolvedLimits,
  others: object,
  plan: ChunkPlanner,
): BoundaryChunker {
  const id = chunkerId(name, limits, others)
  return {
    id,
    limits,
    plan,
    chunk(document, { signal } = {}) {
      requireDocument(document, signal)
      return chunksOf(id, document, limits, plan, signal)
    },
  }
}

function* chunksOf<M extends Metadata>(
  id: string,
  document: Document<M>,
  limits: ResolvedLimits,
  plan: ChunkPlanner,
  signal: AbortSignal | undefined,
): Generator<Chunk<M>> {
  const { text } = document
  const count = sliceCounter(text, limits.counter)
  const { breaks, annotate } = plan(document, count)
  const cuts = pack(text, breaks, measureText(text, breaks, limits.counter, count), limits)
  yield* makeChunks(id, document, cuts, annotate, signal)
}

/** A chunker's id: its name, its limits and whatever else changes its cuts. */
export function chunkerId(name: string, limits: ResolvedLimits, others: object = {}): string {
  const { maxTokens, overlap, counter } = limits
  return `${name}${canonicalJson({ counter: counter.id, maxTokens, overlap, ...others })}`
}

/** Throws unless the document can be chunked. Called before the first chunk is asked for. */
export function requireDocument(document: Document, signal: AbortSignal | undefined): void {
  signal?.throwIfAborted()
  requireString('document.id', document.id)
  requireString('document.text', document.text)
  requireFreeNotesKey(document.id, document.metadata)
}

/** Turns spans into chunks with stable ids. Ids of equal texts differ by their ordinal within the document. */
export function* makeChunks<M extends Metadata>(
  chunkerId: string,
  document: Document<M>,
  cuts: Iterable<Cut>,
  annotate: ChunkPlan['annotate'],
  signal: AbortSignal | undefined,
): Generator<Chunk<M>> {
  const version = documentVersion(document)
  const seen = new Map<string, number>()
  const metadata = document.metadata ?? ({} as M)
  for (const { start, end, tokens, oversize } of cuts) {
    signal?.throwIfAborted()
    const text = document.text.slice(start, end)
    const first = contentHash(document.id, chunkerId, text, '0')
    const ordinal = seen.get(first) ?? 0
    seen.set(first, ordinal + 1)
    const { headingPath, notes } = annotate?.({ start: end - text.trimStart().length, end }) ?? {}
    yield {
      id: ordinal === 0 ? first : contentHash(document.id, chunkerId, text, String(ordinal)),
      documentId: document.id,
      documentVersion: version,
      text,
      start,
      end,
      tokenCount: tokens,
      ...(headingPath !== undefined && headingPath.length > 0 ? { headingPath } : {}),
      metadata: withNotes(metadata, oversize ? { ...notes, oversize: true } : notes),
    }
  }
}

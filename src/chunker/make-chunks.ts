import type { Chunk, Document, Metadata, Span } from '../document.ts'
import { requireString } from '../internal/argument.ts'
import { contentHash } from '../internal/hash.ts'
import { type ChunkNotes, requireFreeNotesKey, withNotes } from './chunk-notes.ts'
import { documentVersion } from './document-version.ts'
import type { Cut } from './pack.ts'

/** What a chunker knows of a span beyond its text. */
export interface Annotation {
  /** Headings above it, outermost first. */
  readonly headingPath?: readonly string[] | undefined
  /** Goes to `metadata.chunk`. */
  readonly notes?: ChunkNotes | undefined
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
  /** Gets the span without its leading white space. */
  annotate: ((span: Span) => Annotation) | undefined,
  signal: AbortSignal | undefined,
): Generator<Chunk<M>> {
  const version = documentVersion(document)
  const seen = new Map<string, number>()
  const metadata = document.metadata ?? ({} as M)
  for (const { start, end, tokens, oversize } of cuts) {
    signal?.throwIfAborted()
    const text = document.text.slice(start, end)
    const ordinal = seen.get(text) ?? 0
    seen.set(text, ordinal + 1)
    const { headingPath, notes } = annotate?.({ start: end - text.trimStart().length, end }) ?? {}
    yield {
      id: contentHash(document.id, chunkerId, text, String(ordinal)),
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

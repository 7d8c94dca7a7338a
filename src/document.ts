/** A value that metadata can hold: JSON with finite numbers. Dates are ISO 8601 strings. */
export type MetadataValue =
  | string
  | number
  | boolean
  | null
  | readonly MetadataValue[]
  | { readonly [key: string]: MetadataValue }

/** What is known about a document or chunk, by key. Filters compare these values. */
export type Metadata = { readonly [key: string]: MetadataValue }

/** Every cancellable call takes these options last. */
export interface AbortOptions {
  /** Cancels the call; its `reason` is rethrown untouched. */
  readonly signal?: AbortSignal | undefined
}

/** A half-open range of UTF-16 code units: `text.slice(start, end)`. */
export interface Span {
  /** First code unit, counted from 0. */
  readonly start: number
  /** One past the last code unit. */
  readonly end: number
}

/** What a loader recognised in a document's text. */
export type MarkKind = 'heading' | 'page' | 'cue' | 'code' | 'table' | 'list' | 'row' | 'record' | 'block'

/** A span of a document's text that a loader knows something about. Marks are in text order. */
export interface Mark extends Span {
  /** What the span is. */
  readonly kind: MarkKind
  /** Heading level 1–6, or nesting depth. */
  readonly level?: number
  /** Heading text without markup, speaker of a cue, language of a code block, JSON Pointer of a record. */
  readonly label?: string
  /** Page number, counted from 1. */
  readonly page?: number
  /** Start of a cue in seconds. */
  readonly startTime?: number
  /** End of a cue in seconds. */
  readonly endTime?: number
}

/** One piece of an {@link OffsetMap}: where a span of the text stood in the original file. */
export interface OffsetPiece extends Span {
  /** First UTF-16 unit in the decoded original. */
  readonly sourceStart: number
  /** One past the last unit in the decoded original. */
  readonly sourceEnd: number
  /** Page number of the original, counted from 1. */
  readonly page?: number
}

/** The way from a document's text back to the original file. A document without one is its original, unit by unit. */
export interface OffsetMap {
  /** In text order, without gaps or overlaps. A piece whose two lengths are equal maps unit by unit; others map whole. */
  readonly pieces: readonly OffsetPiece[]
  /** Offsets in the decoded original at which its lines start, the first being 0. Absent for originals without lines. */
  readonly lineStarts?: readonly number[]
}

/** A text to be found and quoted. `text` is the readable text; every span of this library counts its UTF-16 units. */
export interface Document<M extends Metadata = Metadata> {
  /** Unique within a corpus; without NUL, control characters or lone surrogates. */
  readonly id: string
  /** The readable text. */
  readonly text: string
  /** Where the original is: a path or URL, shown with citations. */
  readonly uri?: string
  /** Shown with citations. */
  readonly title?: string
  /** What filters can ask for. */
  readonly metadata?: M
  /** What the loader recognised in `text`. */
  readonly outline?: readonly Mark[]
  /** The way back to the original file. */
  readonly sourceMap?: OffsetMap
}

/** A verbatim slice of a document: `text === document.text.slice(start, end)`. */
export interface Chunk<M extends Metadata = Metadata> extends Span {
  /** Stable: the same document, chunker and text give the same id. */
  readonly id: string
  /** The document this is a slice of. */
  readonly documentId: string
  /** Content hash of the document's text at the time of slicing. */
  readonly documentVersion: string
  /** The slice itself. */
  readonly text: string
  /** Tokens of `text`, by the chunker's counter. */
  readonly tokenCount?: number
  /** Headings above the chunk, outermost first, without markup. */
  readonly headingPath?: readonly string[]
  /** The document's metadata, and what the chunker adds. */
  readonly metadata: M
}

/** What one retrieval stage said of a passage. */
export interface StageScore {
  /** `dense`, `lexical`, `fusion`, `rerank`, … */
  readonly stage: string
  /** Position in that stage's list, counted from 1. */
  readonly rank: number
  /** The stage's own score; bigger is better. */
  readonly score: number
  /** The score from 0 to 1: the stage's own scale where it has one, else the place between the worst and the best of its list. */
  readonly normalized?: number
  /** How much the stage counted: its share of a fusion, the factor of an adjustment, 0 where it had no say, 1 where it decided alone. */
  readonly weight?: number
}

/** A chunk that was found, with its score and how it came about. */
export interface Passage<M extends Metadata = Metadata> extends Chunk<M> {
  /** Final score; bigger is better. Comparable within one retrieval only. */
  readonly score: number
  /** What each stage said, in the order of the stages. */
  readonly stages: readonly StageScore[]
  /** Where the document came from. */
  readonly source: { readonly uri?: string; readonly title?: string }
}

import type { Span } from '../document.ts'

/** A source as a shortener sees it. */
export interface ShortenableSource {
  /** Its text. */
  readonly text: string
  /** The document's title. */
  readonly title?: string | undefined
  /** Where the document came from. */
  readonly uri?: string | undefined
  /** Headings above it, outermost first. */
  readonly headingPath?: readonly string[] | undefined
}

/** A shorter form of a source. */
export interface ShorterForm {
  /** Some of its text, or none of it. */
  readonly form: 'extract' | 'title'
  /** What is shown of the text, in order and apart. */
  readonly shown: readonly Span[]
  /** What it is worth beside the full text, which is worth 1: above 0, below 1. */
  readonly worth: number
}

/** Finds shorter forms of sources, which are shown where the full ones do not fit: `extracts()`, `titles()` or your own. */
export interface SourceShortener {
  /** Looks at all sources of one question; what it returns gives the forms of one of them, longest first. */
  prepare(
    question: string,
    sources: readonly ShortenableSource[],
  ): (source: ShortenableSource) => readonly ShorterForm[]
}

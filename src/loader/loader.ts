import type { AbortOptions, Document, Metadata } from '../document.ts'

/** A file as it was read: bytes, or text that the caller decoded. */
export interface LoaderInput<M extends Metadata = Metadata> {
  /** Becomes the document's id. */
  readonly id: string
  /** The content. Bytes are decoded by their byte order mark, UTF-8 otherwise. */
  readonly content: Uint8Array | string
  /** Becomes the document's `uri`; its extension may pick the loader. */
  readonly uri?: string
  /** MIME type, when known. */
  readonly mediaType?: string
  /** Becomes the document's metadata, joined with what the loader finds. */
  readonly metadata?: M
}

/** Turns one kind of file into a {@link Document} whose `text` is the readable text. */
export interface Loader {
  /** Names the loader: `text`, `markdown`, … */
  readonly id: string
  /** File extensions it reads, in lower case with the dot. */
  readonly extensions: readonly string[]
  /** Reads one file. Throws `UNSUPPORTED_FORMAT` for bytes it cannot read as its kind, `LIMIT_EXCEEDED` beyond its limit. */
  load<M extends Metadata = Metadata>(input: LoaderInput<M>, options?: AbortOptions): Promise<Document<M>>
}

import type { Chunker } from '../chunker/chunker.ts'
import type { AbortOptions, Document, Metadata } from '../document.ts'
import type { EmbeddingSpace } from '../embedder/embedder.ts'
import type { LoaderInput } from '../loader/loader.ts'
import type { StoredChunk } from '../retriever/retriever.ts'
import type { Commit, Corpus, CorpusChange, Source, SyncProgress, SyncReport } from './corpus.ts'

/** Gives each chunk its vector, or the error that kept it from one. Called with a part of a batch; two calls at most are under way. */
export type EmbedChunks<M extends Metadata = Metadata> = (
  chunks: readonly StoredChunk<M>[],
  options: AbortOptions,
) => Promise<readonly (Float32Array | Error)[]>

/** Finds earlier documents that say nearly the same. `nearDuplicates` makes one. */
export interface DuplicateFinder {
  /** The id of a document that says nearly the same, or undefined; then remembers this one. */
  add(id: string, text: string): string | undefined
}

/**
 * What to do with documents that say nearly the same as another of the same sync: one taken in by it, or one that it
 * leaves as it is, whose stored text is then read. Of a source that lists before it is read, what is stored counts before
 * what is new; of one that streams, what is listed first.
 */
export interface DuplicateOptions {
  /** Finds them: a fresh one for each sync, or the one of its plan. */
  readonly finder: DuplicateFinder
  /**
   * `skip` leaves them out; `link` stores them without chunks, so that they are known and never found. Both look again at
   * each sync, so that a duplicate takes the place of an original that went. Without the option everything is kept.
   */
  readonly policy: 'skip' | 'link'
}

/** What a sync works with. */
export interface SyncOptions<M extends Metadata = Metadata> extends AbortOptions {
  /** Where the documents go. */
  readonly corpus: Corpus<M>
  /** Where they come from. */
  readonly source: Source<M>
  /** Turns an item's content into a document. */
  readonly load: (input: LoaderInput<M>, options: AbortOptions) => Promise<Document<M>>
  /** Changes a loaded document before anything else sees it: normalises, annotates, redacts. */
  readonly prepare?: ((document: Document<M>) => Document<M> | Promise<Document<M>>) | undefined
  /** Cuts documents into chunks. */
  readonly chunker: Chunker
  /** Embeds chunks; absent for a corpus without vectors. */
  readonly embed?: EmbedChunks<M> | undefined
  /** The space of those vectors. */
  readonly space?: EmbeddingSpace | undefined
  /** Names whatever else changes the chunks of a document: loaders, `prepare`. Another value indexes everything again. */
  readonly pipeline?: string | undefined
  /**
   * The most chunks that are embedded and not yet committed, which is what an interruption costs; a document with more goes
   * alone. Commits once a quarter of them have come together. Default 1024.
   */
  readonly batchChunks?: number | undefined
  /** When `expireDocuments` removes a document, ISO 8601; undefined for never. A document that is unchanged keeps its date. */
  readonly expires?: ((document: Document<M>) => string | undefined) | undefined
  /** What to do with near-duplicates. Default: they are kept like any other. */
  readonly duplicates?: DuplicateOptions | undefined
  /** A plan of {@link planSync} to carry out. */
  readonly plan?: SyncPlan | undefined
  /** Counts the tokens of a text, for the plan. */
  readonly countTokens?: ((text: string) => number) | undefined
  /** Price of a million embedded tokens, for the plan. Default 0. */
  readonly pricePerMillion?: number | undefined
  /** Called after each commit, with what was put; indexes follow the corpus here. */
  readonly onCommit?: ((commit: Commit, change: CorpusChange<M>) => Promise<void> | void) | undefined
  /** Called after each item. */
  readonly onProgress?: ((progress: SyncProgress) => void) | undefined
}

/** What a sync would do, and what it would cost. */
export interface SyncPlan extends SyncReport {
  /** Chunks of the added and changed documents. */
  readonly chunks: number
  /** Those among them that have no vector yet. */
  readonly embedChunks: number
  /** Their tokens; 0 without `countTokens`. */
  readonly embedTokens: number
  /** Their price in the unit of `pricePerMillion`. */
  readonly price: number
}

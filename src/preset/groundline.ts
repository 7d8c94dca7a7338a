import type { Chunker } from '../chunker/chunker.ts'
import type { Commit, Corpus, DocumentRecord, Source, SyncProgress, SyncReport } from '../corpus/corpus.ts'
import type {
  BackupReport,
  Cipher,
  CompareSpacesOptions,
  KeyProvider,
  Keyring,
  ReembedPlan,
  ReembedProgress,
  SpaceComparison,
  SyncOptions,
  SyncPlan,
  VersionedCorpus,
} from '../corpus/index.ts'
import type { Storage } from '../corpus/storage.ts'
import type { AbortOptions, Document, Metadata } from '../document.ts'
import type { Embedder, EmbeddingSpace } from '../embedder/embedder.ts'
import type { AnswerEvent } from '../language-model/index.ts'
import type { LanguageModel, ModelOptions } from '../language-model/language-model.ts'
import type { LexicalIndex } from '../lexical-index/lexical-index.ts'
import type { Loader } from '../loader/loader.ts'
import type { Prompt, PromptAssembler } from '../prompt-assembler/prompt-assembler.ts'
import type { Reranker, Retrieval, RetrieveOptions, Retriever } from '../retriever/retriever.ts'
import type { Tokenizer } from '../tokenizer/tokenizer.ts'
import type { VectorIndex } from '../vector-index/vector-index.ts'
import type { Session } from './session.ts'

/** The parts a retriever can be made from. */
export interface RetrieverParts<M extends Metadata = Metadata> {
  /** Vectors of every chunk. */
  readonly vectorIndex: VectorIndex<M>
  /** Words of every chunk. */
  readonly lexicalIndex: LexicalIndex<M>
  /** Embeds the query. */
  readonly embedder: Embedder
  /** Gives the chunks of ids. */
  readonly store: Corpus<M>
}

/** Every part of the system; what is left out is the embedded default. */
export interface GroundlineOptions<M extends Metadata = Metadata> {
  /** Folder of the corpus, made when missing. Without it (and without `storage`) everything is in memory. */
  readonly path?: string
  /** Where the corpus is kept, instead of a folder. */
  readonly storage?: Storage
  /** Opens an existing corpus for reading only; writes throw `READ_ONLY`. Default false. */
  readonly readOnly?: boolean
  /** Counts tokens for chunks and prompts. Default `o200k_base`. */
  readonly tokenizer?: Tokenizer
  /** Read files, picked by extension. Default: Markdown and plain text. */
  readonly loaders?: readonly Loader[]
  /** Cuts documents. Default: the Markdown chunker, 256 tokens, no overlap. */
  readonly chunker?: Chunker
  /** Embeds chunks and queries. Default: the static model that ships with the package (English). A corpus keeps to the space it was begun with. */
  readonly embedder?: Embedder
  /** What is done with a corpus in another space than the embedder's: `refuse` throws `SPACE_MISMATCH`; `now` embeds it again and goes on when it is promoted, which an interruption does not undo. Default `refuse`. */
  readonly reembed?: 'refuse' | 'now'
  /** Encrypts every file. Default: checksums only. */
  readonly encryption?: EncryptionOptions
  /** `listed`: questions, `get` and `list` must name the reader's `principals`, and give only documents whose `metadata.access` lists one of them. `open`: everything is given, unless principals are named. `corpus` is the owner's: it knows no readers. Default `open`. */
  readonly access?: 'open' | 'listed'
  /** Makes the vector index. Default: USearch where it has a binary, else the exact index. */
  readonly vectorIndex?: (space: EmbeddingSpace) => VectorIndex<M> | Promise<VectorIndex<M>>
  /** Makes the lexical index. Default: BM25. */
  readonly lexicalIndex?: () => LexicalIndex<M> | Promise<LexicalIndex<M>>
  /** What vectors count beside words, whose weight is 1: 0 and up. Default 0.3, chosen for the static model on data apart from the collections of `npm run eval:retrieval`; more for a strong embedder, by `learnHybridWeights` where queries are labelled. */
  readonly denseWeight?: number
  /** Makes the retriever. It is asked again when the corpus changed before it had answered. Default: hybrid of dense and BM25. */
  readonly retriever?: (parts: RetrieverParts<M>) => Retriever<M>
  /** Reorders what was retrieved. Default: none. */
  readonly reranker?: Reranker
  /** Puts prompts together. Default: an exact counter over `contextWindow`. */
  readonly assembler?: PromptAssembler
  /** Tokens the model takes in all. Default 8,192. */
  readonly contextWindow?: number
  /** Tokens kept free for the answer. Default 1,024. */
  readonly outputReserve?: number
  /** What the model is told before anything else. Default: to answer from the numbered sources and cite them. */
  readonly instructions?: string
  /** Passages a question brings. Default 8. */
  readonly topK?: number
  /** Answers questions; `ask` throws without one. */
  readonly model?: LanguageModel
}

/** Encryption at rest: AES-256-GCM under data keys that a provider wraps. */
export interface EncryptionOptions {
  /** Wraps the data keys: `localKey`, `passphraseKey`, or a key management service. */
  readonly keyProvider: KeyProvider
  /** Seals the records. Default: that of `node:crypto`. */
  readonly cipher?: Cipher
}

/** Options of {@link createTenants}. */
export interface TenantsOptions<M extends Metadata = Metadata> extends Omit<GroundlineOptions<M>, 'encryption'> {
  /** Encrypts each tenant under data keys of its own. The provider may differ by tenant. */
  readonly encryption?: Omit<EncryptionOptions, 'keyProvider'> & {
    /** Wraps the data keys: one provider for all tenants, or one for each by name. */
    readonly keyProvider: KeyProvider | ((tenant: string) => KeyProvider)
  }
}

/** The tenants of one folder or storage. */
export interface GroundlineTenants<M extends Metadata = Metadata> extends AsyncDisposable {
  /** The only way to a tenant's data: opens it, or starts it empty. Throws `INVALID_ARGUMENT` without a name. */
  tenant(id: string): Promise<Groundline<M>>
  /** Closes a tenant and removes everything of it, the keys first. */
  erase(id: string, options?: AbortOptions): Promise<void>
  /** Copies what `corpus.backup` of a tenant wrote into an empty tenant: with encryption, of the same name. */
  restore(id: string, from: Storage, options?: AbortOptions): Promise<BackupReport>
  /** Closes every tenant. */
  close(): Promise<void>
}

/** Options of {@link Groundline.reembed}. */
export interface GroundlineReembedOptions extends AbortOptions {
  /** Makes the new vectors, and those of questions once they are promoted. */
  readonly embedder: Embedder
  /** Told after each batch what is left. */
  readonly onProgress?: (left: ReembedProgress) => void
  /** Called before each batch with its number of chunks; resolves when it may start. Default: at once. */
  readonly throttle?: (chunks: number) => Promise<void>
}

/** Options of {@link Groundline.planReembed}. */
export interface GroundlinePlanReembedOptions extends AbortOptions {
  /** What `reembed` would embed with. */
  readonly embedder: Embedder
  /** Price of a million tokens, in any unit. Default 0. */
  readonly pricePerMillion?: number
}

/** Options of {@link Groundline.compare}. */
export interface GroundlineCompareOptions<M extends Metadata = Metadata>
  extends Pick<CompareSpacesOptions<M>, 'queries' | 'topK' | 'signal'> {
  /** What the candidate was embedded with. */
  readonly embedder: Embedder
}

/** Who reads. */
export interface ReaderOptions extends AbortOptions {
  /** The reader's principals (user, groups, roles): only documents whose `metadata.access` lists one of them are given. */
  readonly principals?: readonly string[]
}

/** Options of a question. */
export interface QuestionOptions<M extends Metadata = Metadata> extends RetrieveOptions<M>, ReaderOptions {
  /** The conversation the question belongs to. */
  readonly session?: Session<M>
}

/** Options of {@link Groundline.ask}. */
export interface AskOptions<M extends Metadata = Metadata>
  extends QuestionOptions<M>,
    Pick<ModelOptions, 'maxOutputTokens'> {
  /** Answers this question instead of the preset's model. */
  readonly model?: LanguageModel
}

/** Options of {@link Groundline.add}. */
export interface AddOptions extends AbortOptions {
  /** When `expireDocuments` removes these documents, ISO 8601. Default never. */
  readonly expires?: string
}

/** Options of {@link Groundline.plan}. Those that say what becomes of documents must be the same for the sync. */
export interface GroundlinePlanOptions<M extends Metadata = Metadata>
  extends Pick<SyncOptions<M>, 'prepare' | 'duplicates' | 'expires' | 'signal'> {
  /** Names whatever `prepare` does, so that another value takes everything in again. */
  readonly pipeline?: string
  /** Price of a million embedded tokens, in any unit. Default 0. */
  readonly pricePerMillion?: number
}

/** Options of {@link Groundline.sync}. */
export interface GroundlineSyncOptions<M extends Metadata = Metadata>
  extends Omit<GroundlinePlanOptions<M>, 'pricePerMillion'> {
  /** What {@link Groundline.plan} gave: what was unchanged is not looked at again, and only what it lists is removed. */
  readonly plan?: SyncPlan
  /** Told after each item. */
  readonly onProgress?: (progress: SyncProgress) => void
}

/** What a system is made of and holds. */
export interface GroundlineInfo {
  /** Number of the newest version; 0 when nothing was committed. */
  readonly version: number
  /** Documents in it. */
  readonly documents: number
  /** Chunks in it. */
  readonly chunks: number
  /** Which tokenizer counts. */
  readonly tokenizer: string
  /** Which chunker cuts. */
  readonly chunker: string
  /** The space of the vectors. */
  readonly space: EmbeddingSpace
  /** Which vector index serves; absent before the first retrieval, which builds it. */
  readonly vectorIndex?: 'usearch' | 'exact' | 'custom'
  /** What a reader should know: a missing optional dependency, for example. */
  readonly notes: readonly string[]
}

/**
 * A version as it was: answered by its own indexes, which its first question makes, whatever is committed meanwhile. Readers
 * named by `principals` are given what the lists of that version and of the newest both give them; documents that are there no
 * more are given to nobody named. Each call throws `NOT_FOUND` once something was purged since the view was opened.
 */
export interface GroundlineView<M extends Metadata = Metadata> extends Retriever<M>, AsyncDisposable {
  /** Its number. */
  readonly version: number
  /** The best passages for a question. */
  retrieve(question: string, options?: QuestionOptions<M>): Promise<Retrieval<M>>
  /** Retrieves for a question and puts the prompt together, within its budget. */
  assemble(question: string, options?: QuestionOptions<M>): Promise<Prompt>
  /** One document, or undefined where there was none or the reader may not see it. */
  get(id: string, options?: ReaderOptions): Promise<Document<M> | undefined>
  /** What is known about each document that the reader may see, in id order. */
  list(options?: ReaderOptions): AsyncIterable<DocumentRecord<M>>
  /** Frees it, so that the version can be collected. Later calls throw `CLOSED`. */
  close(): Promise<void>
}

/** A whole retrieval system over one corpus. It is a {@link Retriever}. */
export interface Groundline<M extends Metadata = Metadata> extends Retriever<M>, AsyncDisposable {
  /** The best passages for a question. */
  retrieve(question: string, options?: QuestionOptions<M>): Promise<Retrieval<M>>
  /** The record: versions, tags, rollback, purge, backup. What is done to it shows in the next question. */
  readonly corpus: VersionedCorpus<M>
  /** Its keys: rotation, wrapping again, erasing. Absent without encryption. */
  readonly keyring?: Keyring
  /** A version or tag as it was, to be asked questions. Close it. Throws `NOT_FOUND` for one that was collected, purged or never was. */
  at(version: number | string, options?: AbortOptions): Promise<GroundlineView<M>>
  /** Makes the corpus hold what a source lists: adds, replaces and removes within the source's scope. */
  sync(source: Source<M>, options?: GroundlineSyncOptions<M>): Promise<SyncReport>
  /** What a sync would do and cost, counted with the preset's tokenizer. Writes nothing; pass it to `sync` to carry it out. */
  plan(source: Source<M>, options?: GroundlinePlanOptions<M>): Promise<SyncPlan>
  /** Adds documents, or replaces those with the same id, all or none. */
  add(documents: Iterable<Document<M>> | AsyncIterable<Document<M>>, options?: AddOptions): Promise<Commit>
  /** Removes documents; unknown ids are ignored. */
  remove(ids: readonly string[], options?: AbortOptions): Promise<Commit>
  /** One document, or undefined where there is none or the reader may not see it. */
  get(id: string, options?: ReaderOptions): Promise<Document<M> | undefined>
  /** What is known about each document that the reader may see, in id order. */
  list(options?: ReaderOptions): AsyncIterable<DocumentRecord<M>>
  /** What `reembed` would embed, counted with the preset's tokenizer, and what that costs. Embeds and writes nothing. */
  planReembed(options: GroundlinePlanReembedOptions): Promise<ReembedPlan>
  /**
   * Embeds every chunk with another embedder beside the present vectors, which go on answering; `promote` swaps them.
   * Documents may be written meanwhile. Interrupted, it goes on when called again. A rollback to a version in the old space is answered with the old embedder.
   */
  reembed(options: GroundlineReembedOptions): Promise<void>
  /** Answers queries with the vectors of now and with those that `reembed` built, by exact scan: what promoting them would change. */
  compare(options: GroundlineCompareOptions<M>): Promise<SpaceComparison>
  /** Makes what `reembed` built the corpus, at once; gives its version. Throws `NOT_FOUND`, or `CONFLICT` while it lacks documents. */
  promote(options?: AbortOptions): Promise<number>
  /** Retrieves for a question and puts the prompt together, within its budget. */
  assemble(question: string, options?: QuestionOptions<M>): Promise<Prompt>
  /** Answers a question, with verified citations. With a session, appends question and answer to it. */
  ask(question: string, options?: AskOptions<M>): AsyncIterable<AnswerEvent>
  /** What it is made of and holds. */
  info(): GroundlineInfo
  /** Frees what is held. Later calls throw `CLOSED`. */
  close(): Promise<void>
}

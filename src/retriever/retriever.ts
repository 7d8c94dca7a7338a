import type { AbortOptions, Chunk, Metadata, Passage } from '../document.ts'
import type { Filter } from '../filter.ts'

/** Options of one retrieval. */
export interface RetrieveOptions<M extends Metadata = Metadata> extends AbortOptions {
  /** How many passages at the most: an integer from 1 to 10,000. Default 10. */
  readonly topK?: number
  /** Only chunks whose metadata pass. */
  readonly filter?: Filter<M> | undefined
}

/** What one stage of a retrieval did. */
export interface StageReport {
  /** `dense`, `lexical`, `fusion`, `rerank`, … */
  readonly stage: string
  /** How many candidates it gave. */
  readonly candidates: number
  /** The weight with which it entered the fusion. */
  readonly weight?: number
  /** What was decided and why, in words. */
  readonly note?: string
}

/** Why the passages are what they are. */
export interface Explanation {
  /** The stages in the order they ran. */
  readonly stages: readonly StageReport[]
  /** Names this retrieval for `feedback`, where it is remembered. */
  readonly recordId?: string
}

/** The answer of a retriever. */
export interface Retrieval<M extends Metadata = Metadata> {
  /** Best first; ties by id. */
  readonly passages: readonly Passage<M>[]
  /** Why they are what they are. */
  readonly explanation: Explanation
}

/** Finds the passages that answer a query. */
export interface Retriever<M extends Metadata = Metadata, Q = string> {
  /** The best passages. An empty query throws `INVALID_ARGUMENT`. */
  retrieve(query: Q, options?: RetrieveOptions<M>): Promise<Retrieval<M>>
}

/** Options of a reranker. */
export interface RerankOptions extends AbortOptions {
  /** How many passages to keep; all by default. */
  readonly topK?: number
}

/** Puts passages into a better order. Returns the passages given, each with a stage of its own added, best first. */
export interface Reranker {
  /** The passages in the new order. */
  rerank<M extends Metadata>(
    query: string,
    passages: readonly Passage<M>[],
    options?: RerankOptions,
  ): Promise<readonly Passage<M>[]>
}

/** Changes a list of passages between stages: drops, joins, translates, reorders. */
export type PassageTransform = <M extends Metadata>(
  query: string,
  passages: readonly Passage<M>[],
  options?: AbortOptions,
) => Promise<readonly Passage<M>[]>

/** A chunk with what a passage says of its document. */
export interface StoredChunk<M extends Metadata = Metadata> extends Chunk<M> {
  /** Where the document came from. */
  readonly source?: Passage['source']
}

/** Gives the chunks of ids that an index found. */
export interface ChunkStore<M extends Metadata = Metadata> {
  /** One entry an id, in order; undefined where there is none. */
  get(ids: readonly string[], options?: AbortOptions): Promise<readonly (StoredChunk<M> | undefined)[]>
}

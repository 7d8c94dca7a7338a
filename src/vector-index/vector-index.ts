import type { AbortOptions, Metadata } from '../document.ts'
import type { EmbeddingSpace } from '../embedder/embedder.ts'
import type { Filter } from '../filter.ts'

/** How two vectors are compared. Scores are the cosine, the dot product, or minus the squared distance: bigger is better. */
export type VectorMetric = 'cosine' | 'dot' | 'euclidean'

/** A vector to be stored under an id. */
export interface VectorEntry<M extends Metadata = Metadata> {
  /** Unique in the index; upserting it again replaces vector and metadata. */
  readonly id: string
  /** Finite values, as many as the index has dimensions; not all zero under `cosine`. */
  readonly vector: Float32Array
  /** What filters compare. */
  readonly metadata?: M
}

/** Entries with their vectors one after the other. */
export interface VectorBlock<M extends Metadata = Metadata> {
  /** How many. */
  readonly count: number
  /** `count` times dimensions values. Good until the next block is asked for. */
  readonly vectors: Float32Array
  /** The id of an entry, counted from 0. May be asked for at any later time, and must not change. */
  readonly idAt: (at: number) => string
  /** Its metadata: the same holds. */
  readonly metadataAt: (at: number) => M | undefined
}

/** One search result. */
export interface VectorMatch<M extends Metadata = Metadata> {
  /** The entry's id. */
  readonly id: string
  /** By the index's metric; the same value in every implementation to 1e-5: under `dot` of the product of the lengths, under `euclidean` of the distance. */
  readonly score: number
  /** The entry's metadata. */
  readonly metadata?: M
}

/** Options of a search. */
export interface VectorSearchOptions<M extends Metadata = Metadata> extends AbortOptions {
  /** How many matches at the most: an integer from 1 to 10,000. */
  readonly topK: number
  /** Only entries whose metadata pass. */
  readonly filter?: Filter<M> | undefined
  /** Called once with how the search was answered, in words; an index with one way to answer may leave it out. */
  readonly explain?: ((note: string) => void) | undefined
}

/** Options of {@link VectorIndex.fill}. */
export interface FillOptions extends AbortOptions {
  /** How many entries are to come, so that memory for them is asked for once. More or fewer do no harm. Default: not known. */
  readonly count?: number | undefined
}

/** What an index answers with beside its entries, as it was at one moment: a graph and what was measured of it. */
export interface Serving {
  /** The file it needs, in the index's folder; absent where it is in memory only, and gone once another is in use. */
  readonly file: string | undefined
  /** The part that is the same for every serving with its file, as bytes. */
  base(): Uint8Array
  /** The part that is its own, as bytes. */
  state(): Uint8Array
}

/** A {@link Serving} with a file as bytes, for an index that is opened later. */
export interface SavedServing {
  /** What `base` gave. */
  readonly base: Uint8Array
  /** What `state` gave. */
  readonly state: Uint8Array
}

/**
 * Finds the stored vectors nearest to a query. A search returns `min(topK, allowed entries)` matches, best first, ties
 * by id. A batch of writes holds as a whole or throws and changes nothing; an id twice in one batch is `DUPLICATE_ID`.
 */
export interface VectorIndex<M extends Metadata = Metadata> {
  /** Length of every vector. */
  readonly dimensions: number
  /** How vectors are compared. */
  readonly metric: VectorMetric
  /** The space all its vectors come from, when known. */
  readonly space?: EmbeddingSpace
  /** Adds entries or replaces those with the same id. */
  upsert(entries: readonly VectorEntry<M>[], options?: AbortOptions): Promise<void>
  /** Removes entries; unknown ids are ignored. */
  remove(ids: readonly string[], options?: AbortOptions): Promise<void>
  /** The nearest entries. */
  search(vector: Float32Array, options: VectorSearchOptions<M>): Promise<readonly VectorMatch<M>[]>
  /** How many entries there are, or pass a filter. */
  count(options?: { readonly filter?: Filter<M> | undefined } & AbortOptions): Promise<number>
  /** Many searches at once; absent where it is no faster than one by one. */
  searchMany?(
    vectors: readonly Float32Array[],
    options: VectorSearchOptions<M>,
  ): Promise<readonly (readonly VectorMatch<M>[])[]>
  /** Replaces metadata without touching vectors; without it, upsert again. Unknown ids throw `NOT_FOUND`. */
  updateMetadata?(
    entries: readonly { readonly id: string; readonly metadata: M }[],
    options?: AbortOptions,
  ): Promise<void>
  /**
   * Gives an empty index its entries from blocks whose ids are known to differ: without a copy of each, and all or none.
   * Absent where it is no faster than `upsert`. Throws `INVALID_ARGUMENT` when there are entries.
   */
  fill?(blocks: AsyncIterable<VectorBlock<M>>, options?: FillOptions): Promise<void>
  /** What it answers with beside its entries; undefined while nothing but they decides. Absent where nothing ever does. */
  serving?(): Serving | undefined
  /**
   * Answers to the bit as it did with an earlier serving, or from the entries alone. They must be those of then. False, and
   * answers from the entries alone, where the serving is gone, damaged, or of other entries.
   */
  serve?(serving: Serving | SavedServing | undefined, options?: AbortOptions): Promise<boolean>
  /** Frees memory and files. Later calls throw `CLOSED`. Absent where nothing is held. */
  close?(): Promise<void>
}

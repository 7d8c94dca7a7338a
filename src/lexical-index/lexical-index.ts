import type { AbortOptions, Chunk, Metadata } from '../document.ts'
import type { Filter } from '../filter.ts'

/** One search result. */
export interface LexicalMatch {
  /** The chunk's id. */
  readonly id: string
  /** Bigger is better; 0 is never returned. */
  readonly score: number
}

/** What a lexical index reads of a chunk. */
export type LexicalEntry<M extends Metadata = Metadata> = Pick<Chunk<M>, 'id' | 'text' | 'headingPath' | 'metadata'>

/** Options of a search. */
export interface LexicalSearchOptions<M extends Metadata = Metadata> extends AbortOptions {
  /** How many matches at the most: an integer from 1 to 10,000. */
  readonly topK: number
  /** Only entries whose metadata pass. */
  readonly filter?: Filter<M> | undefined
  /** `plain` takes the query as text. `operators` reads `"two words"` as a phrase that a match must hold, and `rot*` as every word that begins so, stems of words where the index keeps stems (`lexicalIndex`: the 64 in the most entries, and the word `rot` itself); an index without phrases or prefixes may refuse it with `INVALID_ARGUMENT`. Default `plain`. */
  readonly syntax?: 'plain' | 'operators' | undefined
}

/** A text made of entries, for {@link LexicalIndex.scoreMixtures}. */
export interface LexicalMixture {
  /** The entries: their places in the list of ids. */
  readonly members: ArrayLike<number>
  /** How much the words of each member count, in the same order: above 0. */
  readonly weights: ArrayLike<number>
}

/** Finds the entries that share words with a query. Matches are best first, ties by id. */
export interface LexicalIndex<M extends Metadata = Metadata> {
  /** Adds entries or replaces those with the same id. An id twice in one batch is `DUPLICATE_ID`. */
  upsert(entries: readonly LexicalEntry<M>[], options?: AbortOptions): Promise<void>
  /** Removes entries; unknown ids are ignored. */
  remove(ids: readonly string[], options?: AbortOptions): Promise<void>
  /** The best matches; entries without a word of the query are never among them. */
  search(query: string, options: LexicalSearchOptions<M>): Promise<readonly LexicalMatch[]>
  /**
   * Scores mixtures of the entries `ids` as if each were one entry, in order: a word occurs as often as in all its entries
   * together, each occurrence times its entry's weight, and the length is the weighted mean of theirs. Ids that the index
   * does not hold count as empty. A mixture of one entry of weight 1 scores what `search` gives it, and 0 means no word
   * of the query. Absent where an engine cannot: a caller then adds the entries' scores.
   */
  scoreMixtures?(
    query: string,
    ids: readonly string[],
    mixtures: readonly LexicalMixture[],
    options?: AbortOptions,
  ): Promise<Float64Array>
  /** How many entries there are, or pass a filter. */
  count(options?: { readonly filter?: Filter<M> | undefined } & AbortOptions): Promise<number>
  /** Frees memory and files. Later calls throw `CLOSED`. */
  close?(): Promise<void>
}

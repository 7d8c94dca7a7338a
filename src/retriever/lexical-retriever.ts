import type { Metadata } from '../document.ts'
import { requireObject, requireString } from '../internal/argument.ts'
import type { LexicalIndex } from '../lexical-index/lexical-index.ts'
import { requireIndex, requireStore } from './collaborators.ts'
import { requireQuery, retrievalOf, topKOf } from './index-retrieval.ts'
import type { ChunkStore, Retriever } from './retriever.ts'

/** What {@link lexicalRetriever} is made of. */
export interface LexicalRetrieverOptions<M extends Metadata = Metadata> {
  /** Holds the chunks' texts under the chunks' ids. */
  readonly index: LexicalIndex<M>
  /** Gives the chunks of the ids found. */
  readonly store: ChunkStore<M>
  /** Names the stage. Default `lexical`. */
  readonly stage?: string
}

/**
 * Finds passages that share words with the query.
 *
 * @example
 * const retriever = lexicalRetriever({ index, store })
 * const { passages } = await retriever.retrieve('ERR_REQUIRE_ESM')
 */
// @__NO_SIDE_EFFECTS__
export function lexicalRetriever<M extends Metadata = Metadata>(options: LexicalRetrieverOptions<M>): Retriever<M> {
  requireObject('options', options)
  const { index, store, stage = 'lexical' } = options
  requireIndex('index', index, 'lexicalIndex()')
  requireStore(store)
  requireString('stage', stage)
  return {
    async retrieve(query, retrieval) {
      const topK = topKOf(retrieval)
      requireQuery(query)
      const { signal, filter } = retrieval ?? {}
      const matches = await index.search(query, { topK, filter, signal })
      return retrievalOf(stage, matches, store, retrieval)
    },
  }
}

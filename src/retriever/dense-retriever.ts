import type { Metadata } from '../document.ts'
import type { Embedder } from '../embedder/embedder.ts'
import { GroundlineError } from '../errors.ts'
import { requireObject, requireString } from '../internal/argument.ts'
import { canonicalJson } from '../internal/hash.ts'
import type { VectorIndex } from '../vector-index/vector-index.ts'
import { requireEmbedder, requireIndex, requireStore } from './collaborators.ts'
import { requireQuery, retrievalOf, topKOf } from './index-retrieval.ts'
import type { ChunkStore, Retriever } from './retriever.ts'

/** What {@link denseRetriever} is made of. */
export interface DenseRetrieverOptions<M extends Metadata = Metadata, Q = string> {
  /** Holds the chunks' vectors under the chunks' ids. */
  readonly index: VectorIndex<M>
  /** Turns the query into a vector of the index's space. */
  readonly embedder: Embedder<Q>
  /** Gives the chunks of the ids found. */
  readonly store: ChunkStore<M>
  /** Names the stage. Default `dense`. */
  readonly stage?: string
}

/**
 * Finds passages by the distance of their vectors from the query's. Throws `SPACE_MISMATCH` when index and embedder are
 * of two spaces, `DIMENSION_MISMATCH` when their lengths differ.
 *
 * @example
 * const retriever = denseRetriever({ index, embedder, store })
 * const { passages } = await retriever.retrieve('How do I rotate keys?', { topK: 5 })
 */
// @__NO_SIDE_EFFECTS__
export function denseRetriever<M extends Metadata = Metadata, Q = string>(
  options: DenseRetrieverOptions<M, Q>,
): Retriever<M, Q> {
  requireObject('options', options)
  const { index, embedder, store, stage = 'dense' } = options
  requireIndex('index', index, 'exactIndex(…)')
  requireEmbedder(embedder)
  requireStore(store)
  requireString('stage', stage)
  if (index.dimensions !== embedder.dimensions)
    throw new GroundlineError(
      'DIMENSION_MISMATCH',
      `the index holds vectors of ${index.dimensions} dimensions, but the embedder gives ${embedder.dimensions}`,
      { details: { expected: index.dimensions, actual: embedder.dimensions } },
    )
  if (index.space !== undefined && canonicalJson(index.space) !== canonicalJson(embedder.space))
    throw new GroundlineError(
      'SPACE_MISMATCH',
      `the index holds vectors of ${index.space.model}, but the embedder is ${embedder.space.model} or differs in revision, pooling or prompts; index the documents again with this embedder`,
      { details: { expected: index.space, actual: embedder.space } },
    )
  return {
    async retrieve(query, retrieval) {
      const topK = topKOf(retrieval)
      requireQuery(query)
      const { signal, filter } = retrieval ?? {}
      signal?.throwIfAborted()
      const { vectors } = await embedder.embed([query], { role: 'query', signal })
      signal?.throwIfAborted()
      const vector = vectors[0]
      if (vector === undefined)
        throw new GroundlineError('INVALID_RESPONSE', 'the embedder gave no vector for the query', {
          details: { model: embedder.space.model },
        })
      let plan: string | undefined
      const explain = (note: string) => {
        plan = note
      }
      const matches = await index.search(vector, { topK, filter, signal, explain })
      return retrievalOf(stage, matches, store, retrieval, plan)
    },
  }
}

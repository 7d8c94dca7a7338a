import type { Metadata } from '../document.ts'
import type { Embedder, Embedding } from '../embedder/index.ts'
import { denseRetriever, hybridRetriever, lexicalRetriever, type Retriever } from '../retriever/index.ts'
import type { IndexPair } from './index-pair.ts'

/** The embedder that a question uses. */
export type Asked = (embedder: Embedder) => Embedder

/** Embedders for one question, which does not pay for its vector again where it is searched with again. */
export function embeddedOnce(): Asked {
  const known = new Map<Embedder, Promise<Embedding>>()
  return (embedder) => ({
    space: embedder.space,
    dimensions: embedder.dimensions,
    embed: (inputs, options) => {
      const before = known.get(embedder)
      if (before) return before
      const embedding = embedder.embed(inputs, options)
      known.set(embedder, embedding)
      embedding.catch(() => known.delete(embedder))
      return embedding
    },
  })
}

/** BM25 and the vectors together. */
export function defaultRetriever<M extends Metadata>(
  parts: IndexPair<M> & { embedder: Embedder; store: Parameters<typeof lexicalRetriever<M>>[0]['store'] },
  denseWeight: number,
): Retriever<M> {
  const { vectorIndex, lexicalIndex: words, embedder, store } = parts
  return hybridRetriever({
    dense: denseRetriever({ index: vectorIndex, embedder, store }),
    lexical: lexicalRetriever({ index: words, store }),
    weights: { lexical: 1, dense: denseWeight },
  })
}

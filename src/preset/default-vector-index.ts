import type { Metadata } from '../document.ts'
import type { EmbeddingSpace } from '../embedder/embedder.ts'
import { exactIndex } from '../vector-index/index.ts'
import type { VectorIndex } from '../vector-index/vector-index.ts'

/** A vector index with what `info()` says of it. */
export interface ChosenVectorIndex<M extends Metadata> {
  /** The index. */
  readonly index: VectorIndex<M>
  /** What it is. */
  readonly kind: 'usearch' | 'exact'
  /** Why it is not the default, if it is not. */
  readonly note?: string
}

export async function defaultVectorIndex<M extends Metadata>(space: EmbeddingSpace): Promise<ChosenVectorIndex<M>> {
  return { index: exactIndex<M>({ dimensions: space.dimensions, metric: 'cosine', space }), kind: 'exact' }
}

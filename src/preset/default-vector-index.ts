import type { Metadata } from '../document.ts'
import type { EmbeddingSpace } from '../embedder/embedder.ts'
import { isGroundlineError } from '../errors.ts'
import { usearchIndex } from '../providers/usearch/index.ts'
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

/** Below this many chunks a scan answers within milliseconds, and building a graph at every start would cost more. */
const EXACT_BELOW = 20_000

/** USearch where it has a binary; the exact index, with a note, where it has none. */
export async function defaultVectorIndex<M extends Metadata>(
  space: EmbeddingSpace,
  encrypted: boolean,
): Promise<ChosenVectorIndex<M>> {
  const { dimensions } = space
  try {
    // With a key no graph is written in the clear: it stays in the worker that built it.
    const index = await usearchIndex<M>({
      dimensions,
      metric: 'cosine',
      space,
      exactBelow: EXACT_BELOW,
      ...(encrypted && { directory: null }),
    })
    return { index, kind: 'usearch' }
  } catch (error) {
    if (!isGroundlineError(error) || error.code !== 'MISSING_DEPENDENCY') throw error
    const note = `vectors are searched one by one, exactly: ${error.message}`
    return { index: exactIndex<M>({ dimensions, metric: 'cosine', space }), kind: 'exact', note }
  }
}

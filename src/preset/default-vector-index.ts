import type { Metadata } from '../document.ts'
import type { EmbeddingSpace } from '../embedder/embedder.ts'
import { isGroundlineError } from '../errors.ts'
import { type UsearchIndexOptions, usearchIndex } from '../providers/usearch/index.ts'
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

/** Where and how graphs are kept. */
export interface GraphPlace {
  /** With a key no graph is written in the clear. */
  readonly encrypted: boolean
  /** Where graph files are that outlive this process; undefined for none. */
  readonly folder: string | undefined
  /** Whether graphs made now go there too. */
  readonly readOnly: boolean
  /** How they are made, where not as by default. */
  readonly graphs?: Pick<UsearchIndexOptions, 'exactBelow' | 'workerUrl'> | undefined
  /** Called when the index serves with something else than before. */
  readonly onServing: () => void
}

/** USearch where it has a binary; the exact index, with a note, where it has none. */
export async function defaultVectorIndex<M extends Metadata>(
  space: EmbeddingSpace,
  { encrypted, folder, readOnly, graphs, onServing }: GraphPlace,
): Promise<ChosenVectorIndex<M>> {
  const { dimensions } = space
  const kept = folder !== undefined && { servingDirectory: folder }
  try {
    // With a key no graph is written in the clear: it stays in the worker that built it.
    const index = await usearchIndex<M>({
      dimensions,
      metric: 'cosine',
      space,
      exactBelow: EXACT_BELOW,
      ...graphs,
      onServing,
      ...(encrypted && { directory: null }),
      ...kept,
      ...(kept && !readOnly && { directory: folder, superseded: 'kept' }),
    })
    return { index, kind: 'usearch' }
  } catch (error) {
    if (!isGroundlineError(error) || error.code !== 'MISSING_DEPENDENCY') throw error
    const note = `vectors are searched one by one, exactly: ${error.message}`
    return { index: exactIndex<M>({ dimensions, metric: 'cosine', space }), kind: 'exact', note }
  }
}

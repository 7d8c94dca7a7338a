import type { ReembedPlan, VersionedCorpus } from '../corpus/index.ts'
import type { AbortOptions, Metadata } from '../document.ts'
import type { Embedder, EmbeddingSpace } from '../embedder/embedder.ts'
import { GroundlineError } from '../errors.ts'
import { chunkEmbedder } from './intake.ts'

/** Builds a corpus in an embedder's space beside the present one. The first chunk that cannot be embedded ends it; what was done is kept. */
export async function reembedCorpus<M extends Metadata>(
  corpus: VersionedCorpus<M>,
  embedder: Embedder,
  options: AbortOptions & {
    readonly onProgress?: ((left: ReembedPlan) => void) | undefined
    readonly throttle?: ((chunks: number) => Promise<void>) | undefined
  },
): Promise<void> {
  const embed = chunkEmbedder<M>({ embedder })
  await corpus.reembed({
    ...options,
    space: embedder.space,
    embed: async (chunks, each) =>
      (await embed(chunks, each)).map((vector) => {
        if (vector instanceof Error) throw vector
        return vector
      }),
  })
}

/** The error of a corpus whose vectors the embedder cannot be compared with. */
export function spaceMismatch(space: EmbeddingSpace, embedder: Embedder): GroundlineError {
  return new GroundlineError(
    'SPACE_MISMATCH',
    `the corpus holds vectors of ${space.model} (${space.dimensions} dimensions), but the embedder is ${embedder.space.model} (${embedder.dimensions}): open it with the embedder it was begun with, or with reembed: 'now' to embed it again`,
    { details: { expected: space, actual: embedder.space } },
  )
}

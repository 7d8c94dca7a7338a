import {
  type CompareSpacesOptions,
  compareSpaces,
  type ReembedProgress,
  type VersionedCorpus,
} from '../corpus/index.ts'
import type { AbortOptions, Metadata } from '../document.ts'
import type { Embedder, EmbeddingSpace } from '../embedder/embedder.ts'
import { GroundlineError } from '../errors.ts'
import { canonicalJson } from '../internal/hash.ts'
import { chunkEmbedder } from './intake.ts'

/** Builds a corpus in an embedder's space beside the present one. The first chunk that cannot be embedded ends it; what was done is kept. */
export async function reembedCorpus<M extends Metadata>(
  corpus: VersionedCorpus<M>,
  embedder: Embedder,
  options: AbortOptions & {
    readonly onProgress?: ((left: ReembedProgress) => void) | undefined
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

/** Answers queries in the present space and in that of the candidate. */
export async function compareWithCandidate<M extends Metadata>(
  corpus: VersionedCorpus<M>,
  embedders: { readonly current: Embedder; readonly candidate: Embedder },
  { signal, ...each }: Pick<CompareSpacesOptions<M>, 'queries' | 'topK' | 'signal'>,
): ReturnType<typeof compareSpaces<M>> {
  const candidate = await corpus.candidate({ signal })
  try {
    const { space } = candidate.info()
    if (space && canonicalJson(space) !== canonicalJson(embedders.candidate.space))
      throw spaceMismatch(space, embedders.candidate)
    const embedWith = (embedder: Embedder) => async (query: string) => {
      const { vectors } = await embedder.embed([query], { role: 'query', signal })
      return vectors[0]!
    }
    const [embedCurrent, embedCandidate] = [embedWith(embedders.current), embedWith(embedders.candidate)]
    return await compareSpaces({ ...each, current: corpus, candidate, embedCurrent, embedCandidate, signal })
  } finally {
    await candidate.close()
  }
}

/** The error of a corpus whose vectors the embedder cannot be compared with. */
export function spaceMismatch(space: EmbeddingSpace, embedder: Embedder): GroundlineError {
  return new GroundlineError(
    'SPACE_MISMATCH',
    `the corpus holds vectors of ${space.model} (${space.dimensions} dimensions), but the embedder is ${embedder.space.model} (${embedder.dimensions}): open it with the embedder it was begun with, or with reembed: 'now' to embed it again`,
    { details: { expected: space, actual: embedder.space } },
  )
}

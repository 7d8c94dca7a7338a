import { type EmbedAllOptions, type EmbedAllResult, type EmbedFailure, embedInputs } from './embed-inputs.ts'
import { embedStream } from './embed-stream.ts'
import type { Embedder } from './embedder.ts'
import type { EmbedAdjustment } from './prepare-input.ts'

/**
 * Embeds any number of inputs. Equal texts are embedded once; batches stay within the embedder's limits and run several
 * at once; failed calls are repeated; a refused batch is bisected, so that one bad input does not lose the others; every
 * answer must have one finite, non-zero vector of the right length for each input. Empty texts fail. The result lists
 * what failed and what was changed. Rejects only on abort, invalid arguments, a failing cache, and failing inputs.
 *
 * Inputs that are no array are read as they are needed and not kept: memory holds the vectors and two windows of texts,
 * and equal texts further apart than that are embedded once only with a `cache`. Where the vectors are too many to hold
 * as well, use `embedStream`.
 *
 * @example
 * const { vectors, failures } = await embedAll(lexicalHashEmbedder(), ['one text', 'another'], { role: 'document' })
 */
export async function embedAll<I = string>(
  embedder: Embedder<I>,
  inputs: Iterable<I> | AsyncIterable<I>,
  options: EmbedAllOptions<I> = {},
): Promise<EmbedAllResult> {
  if (Array.isArray(inputs)) return embedInputs(embedder, inputs, options)
  const vectors: (Float32Array | undefined)[] = []
  const failures: EmbedFailure[] = []
  const adjustments: EmbedAdjustment[] = []
  const stream = embedStream(embedder, inputs, options)
  for (;;) {
    const step = await stream.next()
    if (step.done) return { vectors, failures, adjustments, usage: step.value }
    const { index, vector, error, changes } = step.value
    vectors.push(vector)
    if (error) failures.push({ index, error })
    for (const change of changes) adjustments.push({ index, change })
  }
}

/** The vectors of a result in which nothing failed. Throws the first failure otherwise. */
export function everyVector(result: EmbedAllResult): readonly Float32Array[] {
  const [first] = result.failures
  if (first) throw first.error
  return result.vectors as readonly Float32Array[]
}

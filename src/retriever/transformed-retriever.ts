import type { Metadata, Passage } from '../document.ts'
import { invalidArgument, requireArray, requireInteger, requireObject } from '../internal/argument.ts'
import { requireRetriever } from './collaborators.ts'
import { topKOf } from './index-retrieval.ts'
import type { PassageTransform, Reranker, Retriever, StageReport } from './retriever.ts'

/** A step after retrieval: a transform, or a reranker. */
export type RetrievalStep = PassageTransform | Reranker

/** What {@link transformedRetriever} is made of. */
export interface TransformedRetrieverOptions<M extends Metadata = Metadata> {
  /** Finds passages. */
  readonly retriever: Retriever<M>
  /** What happens to them, in order: reranking, decay, caps, compression, redaction. */
  readonly steps: readonly RetrievalStep[]
  /** How many passages the steps get, at least `topK`. Default 50. */
  readonly candidates?: number
}

/**
 * Retrieval with steps after it. Every step is named in the explanation with how many passages it left.
 *
 * @example
 * const retriever = transformedRetriever({ retriever: hybrid, steps: [reranker, limitPerSource({ limit: 2 })] })
 */
// @__NO_SIDE_EFFECTS__
export function transformedRetriever<M extends Metadata = Metadata>(
  options: TransformedRetrieverOptions<M>,
): Retriever<M> {
  requireObject('options', options)
  const { retriever, steps, candidates = 50 } = options
  requireRetriever('retriever', retriever)
  requireArray('steps', steps)
  requireInteger('candidates', candidates, 1, 10_000)
  for (const step of steps)
    if (typeof step !== 'function' && typeof step?.rerank !== 'function')
      throw invalidArgument('steps', 'transforms and rerankers', step)
  return {
    async retrieve(query, retrieval) {
      const topK = topKOf(retrieval)
      const { signal } = retrieval ?? {}
      const found = await retriever.retrieve(query, { ...retrieval, topK: Math.max(topK, candidates) })
      let passages: readonly Passage<M>[] = found.passages
      const reports: StageReport[] = []
      for (const step of steps) {
        signal?.throwIfAborted()
        const before = passages
        passages =
          typeof step === 'function'
            ? await step(query, passages, { signal })
            : await step.rerank(query, passages, { signal })
        const missing = before.length - passages.length
        const note = missing > 0 ? `${missing} left out` : undefined
        reports.push({ stage: stageOf(before, passages), candidates: passages.length, ...(note && { note }) })
      }
      return {
        passages: passages.slice(0, topK),
        explanation: { stages: [...found.explanation.stages, ...reports] },
      }
    },
  }
}

/** What a step called itself in the passages that it left; `transform` where it wrote nothing. */
function stageOf(before: readonly Passage[], after: readonly Passage[]): string {
  const [first] = after
  const given = before.find(({ id }) => id === first?.id)?.stages.length ?? 0
  return first?.stages.slice(given).at(-1)?.stage ?? 'transform'
}

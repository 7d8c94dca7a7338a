import type { Metadata, Passage } from '../../document.ts'
import { GroundlineError } from '../../errors.ts'
import { requireInteger, requireString } from '../../internal/argument.ts'
import { rankPassages } from '../../internal/rank-passages.ts'
import type { Reranker, RerankOptions } from '../../retriever/retriever.ts'
import { startTransformers, type TransformersWorkerOptions } from './transformers-host.ts'

/** A {@link Reranker} that holds a worker process and a model. */
export interface CrossEncoderReranker extends Reranker, AsyncDisposable {
  /** Ends the worker process, which frees the model. Calls under way are rejected with `CLOSED`. */
  close(): Promise<void>
}

/**
 * Reads query and passage together and scores how well one answers the other: slower and better than comparing vectors.
 * Models of transformers.js with a single score, such as `cross-encoder/ms-marco-MiniLM-L-6-v2` in ONNX form, in a worker process.
 * The score is the model's logit through the logistic function, 0 to 1. Of a pair over the model's limit the end is not
 * read. Throws as {@link transformersEmbedder} does.
 *
 * @example
 * await using reranker = await crossEncoderReranker({ source: { folder: './models/ms-marco-MiniLM-L-6-v2' } })
 */
export async function crossEncoderReranker(options: TransformersWorkerOptions): Promise<CrossEncoderReranker> {
  const { batchItems = 32 } = options
  requireInteger('batchItems', batchItems, 1, 4096)
  const host = await startTransformers(options, 'score')
  return {
    async rerank<M extends Metadata>(query: string, passages: readonly Passage<M>[], rerank: RerankOptions = {}) {
      const { signal, topK = passages.length } = rerank
      requireInteger('topK', topK, passages.length === 0 ? 0 : 1)
      requireString('query', query)
      signal?.throwIfAborted()
      if (passages.length === 0) return []
      const texts = passages.map(({ text }) => text)
      const { scores } = await host.ask({ type: 'score', query, passages: texts, batchItems }, 'scored', signal)
      if (scores.length !== passages.length || !scores.every(Number.isFinite))
        throw new GroundlineError(
          'INVALID_RESPONSE',
          `the model must give a finite score for each of ${passages.length} passages; is it a cross-encoder with a single score?`,
          { details: { expected: passages.length, actual: scores.length } },
        )
      const scored = passages.map((passage, index) => {
        const score = logistic(scores[index]!)
        return { passage, score, normalized: score }
      })
      return rankPassages('rerank', scored, topK)
    },
    close: host.close,
    [Symbol.asyncDispose]: host.close,
  }
}

function logistic(logit: number): number {
  return 1 / (1 + Math.exp(-logit))
}

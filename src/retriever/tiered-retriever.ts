import type { AbortOptions, Metadata, Passage } from '../document.ts'
import type { Embedder } from '../embedder/embedder.ts'
import { GroundlineError } from '../errors.ts'
import { requireFunction, requireInteger, requireObject } from '../internal/argument.ts'
import { normalizedScores, rankPassages } from '../internal/rank-passages.ts'
import { requireEmbedder, requireRetriever } from './collaborators.ts'
import { requireQuery, topKOf } from './index-retrieval.ts'
import type { Retriever } from './retriever.ts'

/** What {@link tieredRetriever} is made of. */
export interface TieredRetrieverOptions<M extends Metadata = Metadata> {
  /** The fast first pass: a retriever over truncated or quantised vectors, a small model, or words. */
  readonly first: Retriever<M>
  /** The encoder of the precise second pass. */
  readonly embedder: Embedder
  /** Full vectors of chunks by id, in the encoder's space, unit length not required; undefined where there is none. Default: the passages are embedded when they are asked for. */
  readonly vectors?: (ids: readonly string[], options?: AbortOptions) => Promise<readonly (Float32Array | undefined)[]>
  /** How many candidates the first pass gives for each result. Default 4. */
  readonly oversampling?: number
  /** The fewest candidates of the first pass. Default 40. */
  readonly candidates?: number
}

/**
 * Two tiers: the first finds candidates cheaply, the second orders them by the cosine of full vectors, which are looked
 * up or made on the spot. A candidate without a vector keeps its place behind all that have one; its stage has the weight 0.
 *
 * @example
 * const retriever = tieredRetriever({ first: small, embedder: large, vectors: (ids) => lookUp(ids) })
 */
// @__NO_SIDE_EFFECTS__
export function tieredRetriever<M extends Metadata = Metadata>(options: TieredRetrieverOptions<M>): Retriever<M> {
  requireObject('options', options)
  const { first, embedder, oversampling = 4, candidates = 40 } = options
  requireRetriever('first', first)
  requireEmbedder(embedder)
  if (options.vectors !== undefined) requireFunction('vectors', options.vectors, 'a function from ids to vectors')
  requireInteger('oversampling', oversampling, 1, 1_000)
  requireInteger('candidates', candidates, 1, 10_000)
  const lookUp = async (passages: readonly Passage<M>[], abort: AbortOptions) => {
    if (options.vectors === undefined) {
      const texts = passages.map(({ text }) => text)
      return texts.length === 0 ? [] : (await embedder.embed(texts, { role: 'document', ...abort })).vectors
    }
    return options.vectors(
      passages.map(({ id }) => id),
      abort,
    )
  }
  return {
    async retrieve(query, retrieval) {
      const topK = topKOf(retrieval)
      requireQuery(query)
      const { signal } = retrieval ?? {}
      const wide = Math.min(10_000, Math.max(candidates, topK * oversampling))
      const [found, asked] = await Promise.all([
        first.retrieve(query, { ...retrieval, topK: wide }),
        embedder.embed([query], { role: 'query', signal }),
      ])
      signal?.throwIfAborted()
      const vectors = await lookUp(found.passages, { signal })
      signal?.throwIfAborted()
      const scored = found.passages.map((passage, i) => {
        const vector = vectors[i]
        return { passage, score: vector === undefined ? undefined : cosine(asked.vectors[0]!, vector) }
      })
      const known = scored.filter((each) => each.score !== undefined)
      const lost = scored.length - known.length
      const places = normalizedScores(known.map(({ score }) => score!))
      const least = known.reduce((low, { score }) => Math.min(low, score!), 1)
      const staged = scored.map(({ passage, score }, i) =>
        // Behind the worst that is known, in the order of the first tier.
        score === undefined
          ? { passage, score: least - 1 - i, normalized: 0, weight: 0 }
          : { passage, score, normalized: places(score) },
      )
      const note = `${known.length} candidates compared by ${embedder.space.model}${lost > 0 ? `, ${lost} without a vector` : ''}`
      return {
        passages: rankPassages('precise', staged, topK),
        explanation: {
          stages: [...found.explanation.stages, { stage: 'precise', candidates: known.length, note }],
        },
      }
    },
  }
}

function cosine(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length)
    throw new GroundlineError(
      'DIMENSION_MISMATCH',
      `the query's vector has ${a.length} dimensions, a stored one ${b.length}; both must come from the same encoder`,
      { details: { expected: a.length, actual: b.length } },
    )
  let [dot, left, right] = [0, 0, 0]
  for (let i = 0; i < a.length; i++) {
    dot += a[i]! * b[i]!
    left += a[i]! * a[i]!
    right += b[i]! * b[i]!
  }
  return left === 0 || right === 0 ? 0 : dot / Math.sqrt(left * right)
}

import type { AbortOptions, Metadata } from '../document.ts'
import { GroundlineError } from '../errors.ts'
import { compileFilter, type Filter } from '../filter.ts'
import { requireInteger } from '../internal/argument.ts'
import type { VectorMatch, VectorMetric } from '../vector-index/vector-index.ts'
import type { Corpus } from './corpus.ts'

/** Options of {@link scanCorpus}. */
export interface ScanOptions<M extends Metadata = Metadata> extends AbortOptions {
  /** How many matches at the most: an integer from 1 to 10,000. */
  readonly topK: number
  /** How vectors are compared. Default `cosine`. */
  readonly metric?: VectorMetric
  /** Only chunks whose metadata pass. */
  readonly filter?: Filter<M> | undefined
}

/**
 * The chunks of a corpus nearest to a vector, without any index: reads every vector once. The exact answer of a corpus
 * that was just opened, or of an old version, while its index is being built. Best first, ties by id.
 *
 * @example
 * ```ts
 * import { scanCorpus } from 'groundline/corpus'
 *
 * const matches = await scanCorpus(await corpus.at(7), query, { topK: 10 })
 * ```
 */
export async function scanCorpus<M extends Metadata = Metadata>(
  corpus: Corpus<M>,
  query: Float32Array,
  { topK, metric = 'cosine', filter, signal }: ScanOptions<M>,
): Promise<readonly VectorMatch<M>[]> {
  requireInteger('topK', topK, 1, 10_000)
  const { space } = corpus.info()
  if (space && query.length !== space.dimensions) {
    throw new GroundlineError(
      'DIMENSION_MISMATCH',
      `the query has ${query.length} dimensions, the corpus ${space.dimensions}: embed it with ${space.model}`,
      { details: { expected: space.dimensions, actual: query.length } },
    )
  }
  const length = Math.sqrt(dot(query, query))
  if (!Number.isFinite(length) || (metric === 'cosine' && length === 0)) {
    throw new GroundlineError('INVALID_VECTOR', 'the query holds NaN or Infinity, or is all zero under cosine')
  }
  const passes = filter && compileFilter(filter)
  let best: VectorMatch<M>[] = []
  let worst = Number.NEGATIVE_INFINITY
  const keep = (): void => {
    best.sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1))
    best = best.slice(0, topK)
    if (best.length === topK) worst = best.at(-1)!.score
  }
  for await (const { ids, vectors, metadata } of corpus.vectors({ signal })) {
    for (let at = 0; at < ids.length; at++) {
      const score = similarity(query, vectors[at]!, metric, length)
      if (score < worst || (passes && !passes(metadata[at]!))) continue
      best.push({ id: ids[at]!, score, metadata: metadata[at]! })
      if (best.length >= 2 * topK + 64) keep()
    }
  }
  keep()
  return best
}

function similarity(query: Float32Array, vector: Float32Array, metric: VectorMetric, length: number): number {
  if (metric === 'dot') return dot(query, vector)
  if (metric === 'cosine') return dot(query, vector) / (length * Math.sqrt(dot(vector, vector)) || 1)
  let sum = 0
  for (let at = 0; at < query.length; at++) sum += (query[at]! - vector[at]!) ** 2
  return -sum
}

function dot(a: Float32Array, b: Float32Array): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0]
  const last = a.length - 3
  let at = 0
  for (; at < last; at += 4) {
    s0 += a[at]! * b[at]!
    s1 += a[at + 1]! * b[at + 1]!
    s2 += a[at + 2]! * b[at + 2]!
    s3 += a[at + 3]! * b[at + 3]!
  }
  for (; at < a.length; at++) s0 += a[at]! * b[at]!
  return s0 + s1 + s2 + s3
}

import { GroundlineError } from '../errors.ts'
import type { VectorBlock } from '../vector-index/vector-index.ts'
import { describe, invalidArgument, requireFunction, requireInteger, requireObject, requireOneOf } from './argument.ts'
import { vectorNorm } from './vector-math.ts'

/** The largest `topK` of a search. */
export const MAX_TOP_K = 10_000

/** Throws `INVALID_ARGUMENT` unless the options of a search have a `topK` that is an integer from 1 to 10,000. */
export function requireSearchOptions(options: { readonly topK: number }): void {
  requireObject('options', options, 'an object with topK')
  requireInteger('topK', options.topK, 1, MAX_TOP_K)
}

/** The vector, or a copy where another thread could change it after it was checked. */
export function unsharedVector(vector: Float32Array): Float32Array {
  const isShared =
    typeof SharedArrayBuffer === 'function' &&
    vector instanceof Float32Array &&
    (vector.buffer as ArrayBufferLike) instanceof SharedArrayBuffer
  return isShared ? vector.slice() : vector
}

/** Throws `INVALID_ARGUMENT` unless `id` can be an id: text without NUL, control characters or lone surrogates. */
export function requireId(id: unknown): asserts id is string {
  if (
    typeof id !== 'string' ||
    id === '' ||
    id.length > 1_024 ||
    /[\u0000-\u001f\u007f]/.test(id) ||
    !id.isWellFormed()
  )
    throw new GroundlineError(
      'INVALID_ARGUMENT',
      `an id must be 1 to 1,024 units of well-formed text without control characters, got ${describe(id)}`,
      { details: { argument: 'id', actual: describe(id) } },
    )
}

/**
 * The length of a vector that can be stored or searched. Throws `DIMENSION_MISMATCH` for another number of values,
 * `INVALID_VECTOR` for another type, a detached buffer, values that are not finite, and all zeros where `allowZero` is
 * false. `owner` names the vector in a message.
 */
export function requireVectorNorm(
  vector: unknown,
  dimensions: number,
  allowZero: boolean,
  owner: () => string,
): number {
  if (vector instanceof Float32Array && vector.length === dimensions) {
    const norm = vectorNorm(vector)
    // One value that is not finite is enough for a length that is not; every other finite one has a positive square.
    if (norm < Number.POSITIVE_INFINITY && (norm > 0 || allowZero)) return norm
  }
  throw refusal(vector, dimensions, owner())
}

function refusal(vector: unknown, dimensions: number, owner: string): GroundlineError {
  if (!(vector instanceof Float32Array)) return invalid(owner, 'must be a Float32Array', describe(vector))
  if (vector.length !== dimensions) {
    const detached = vector.length === 0 && vector.buffer.byteLength === 0
    if (detached) return invalid(owner, `must have ${dimensions} values`, 'an empty or detached buffer')
    return new GroundlineError(
      'DIMENSION_MISMATCH',
      `the vector of ${owner} must have the ${dimensions} dimensions of the index, got ${vector.length}`,
      { details: { item: owner, expected: dimensions, actual: vector.length } },
    )
  }
  const at = vector.findIndex((value) => !Number.isFinite(value))
  if (at >= 0) return invalid(owner, 'must hold finite values only', `${vector[at]} at ${at}`)
  return invalid(owner, 'must not be all zeros under cosine', 'all zeros')
}

function invalid(owner: string, expected: string, actual: string): GroundlineError {
  return new GroundlineError('INVALID_VECTOR', `the vector of ${owner} ${expected}, got ${actual}`, {
    details: { item: owner, expected, actual },
  })
}

/** Throws unless dimensions, metric and space make one index: `INVALID_ARGUMENT`, `DIMENSION_MISMATCH`. */
export function requireVectorSpace(
  dimensions: unknown,
  metric: unknown,
  space: { readonly dimensions: number } | undefined,
): void {
  requireInteger('dimensions', dimensions, 1, 65_536)
  requireOneOf('metric', metric, ['cosine', 'dot', 'euclidean'])
  if (space !== undefined) requireObject('space', space, 'an embedding space')
  if (space !== undefined && space.dimensions !== dimensions)
    throw new GroundlineError(
      'DIMENSION_MISMATCH',
      `the embedding space has ${space.dimensions} dimensions, but the index is made for ${dimensions}`,
      { details: { expected: dimensions, actual: space.dimensions } },
    )
}

/** Throws `INVALID_ARGUMENT` unless a block has its members; how many values it has is another question. */
export function requireBlock(block: VectorBlock): void {
  requireObject('a block', block, 'an object with count, vectors, idAt and metadataAt')
  requireInteger('the count of a block', block.count, 0)
  requireFunction('idAt of a block', block.idAt, 'a function')
  requireFunction('metadataAt of a block', block.metadataAt, 'a function')
  if (!(block.vectors instanceof Float32Array))
    throw invalidArgument('the vectors of a block', 'a Float32Array', block.vectors)
}

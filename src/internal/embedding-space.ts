import { GroundlineError } from '../errors.ts'
import { canonicalJson, contentHash } from './hash.ts'

/** A value that names an embedding space; the same members as `EmbeddingSpace`. */
export interface SpaceLike {
  /** The model's name. */
  readonly model: string
  /** Length of each vector. */
  readonly dimensions: number
}

/** A name of 32 hexadecimal digits for a space: equal for equal members, whatever their order. */
export function spaceFingerprint(space: SpaceLike): string {
  return contentHash(canonicalJson(space))
}

/** Throws `SPACE_MISMATCH` unless vectors of both spaces may meet in one search. */
export function requireSameSpace(expected: SpaceLike, actual: SpaceLike): void {
  if (spaceFingerprint(expected) === spaceFingerprint(actual)) return
  throw new GroundlineError(
    'SPACE_MISMATCH',
    `vectors of ${actual.model} (${actual.dimensions} dimensions) cannot join those of ${expected.model} ` +
      `(${expected.dimensions} dimensions): ${difference(expected, actual)}. Embed again with one model and settings`,
    { details: { expected, actual } },
  )
}

function difference(expected: SpaceLike, actual: SpaceLike): string {
  const [left, right] = [new Map<string, unknown>(Object.entries(expected)), new Map(Object.entries(actual))]
  const keys = [...new Set([...left.keys(), ...right.keys()])]
  return keys
    .filter((key) => canonicalJson(left.get(key)) !== canonicalJson(right.get(key)))
    .map((key) => `${key} is ${canonicalJson(right.get(key))} instead of ${canonicalJson(left.get(key))}`)
    .join(', ')
}

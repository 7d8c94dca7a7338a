import { GroundlineError } from '../../errors.ts'
import { describe } from '../../internal/argument.ts'

/** A JSON object of unknown members. */
export type JsonObject = { readonly [key: string]: unknown }

/** The value as an object; `CORRUPT_DATA` otherwise. `where` names it in messages. */
export function asObject(value: unknown, where: string): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject
  throw malformed(where, 'an object', value)
}

/** The value as an array; `CORRUPT_DATA` otherwise. */
export function asArray(value: unknown, where: string): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw malformed(where, 'an array', value)
}

/** The value as a string; `CORRUPT_DATA` otherwise. */
export function asString(value: unknown, where: string): string {
  if (typeof value === 'string') return value
  throw malformed(where, 'a string', value)
}

/** The value as a token id; `CORRUPT_DATA` otherwise. */
export function asId(value: unknown, where: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 31) return value
  throw malformed(where, 'a token id', value)
}

/** The value as a boolean, or the default where it is absent or null; `CORRUPT_DATA` otherwise. */
export function asFlag(value: unknown, where: string, absent: boolean): boolean {
  if (value === undefined || value === null) return absent
  if (typeof value === 'boolean') return value
  throw malformed(where, 'true or false', value)
}

/** The member's own value, or undefined; never what a prototype has. */
export function member(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined
}

/** Vocabulary `token → id` as a map. */
export function asVocabulary(value: unknown, where: string): Map<string, number> {
  const vocabulary = new Map<string, number>()
  for (const [token, id] of Object.entries(asObject(value, where))) vocabulary.set(token, asId(id, `${where}.${token}`))
  return vocabulary
}

/** A part of the file that this library does not implement: `UNSUPPORTED_FORMAT`. */
export function unsupported(what: string, value: unknown): GroundlineError {
  return new GroundlineError(
    'UNSUPPORTED_FORMAT',
    `The tokenizer file asks for ${what} ${describe(value)}, which is not implemented; its tokens would be a guess.`,
    { details: { part: what, value: typeof value === 'string' ? value : describe(value) } },
  )
}

/** A part of the file that does not have the shape of a tokenizer.json: `CORRUPT_DATA`. */
export function malformed(where: string, expected: string, actual: unknown): GroundlineError {
  return new GroundlineError(
    'CORRUPT_DATA',
    `The tokenizer file has ${describe(actual)} at ${where}, not ${expected}.`,
    {
      details: { where, expected, actual: describe(actual) },
    },
  )
}

import type { Metadata, MetadataValue } from '../document.ts'
import { GroundlineError } from '../errors.ts'
import { describe } from './argument.ts'

const MAX_DEPTH = 32

/**
 * A deep copy of metadata that later changes of the original do not reach, its own keys kept whatever their names.
 * Throws `INVALID_METADATA` for anything that is not JSON with finite numbers, at most 32 levels deep.
 */
export function copyMetadata<M extends Metadata>(metadata: M, owner: string): M {
  if (!isObject(metadata)) throw invalid(owner, 'metadata', 'an object', metadata)
  return copyObject(metadata, owner, 'metadata', 1) as M
}

function copyObject(value: object, owner: string, at: string, depth: number): Metadata {
  if (depth > MAX_DEPTH) throw invalid(owner, at, `at most ${MAX_DEPTH} levels deep`, 'one more')
  const copy: Record<string, MetadataValue> = {}
  for (const [key, member] of Object.entries(value)) {
    if (member === undefined) continue
    const copied = copyValue(member, owner, `${at}.${key}`, depth + 1)
    // Assigning to __proto__ would set the prototype instead of a key.
    if (key === '__proto__')
      Object.defineProperty(copy, key, { value: copied, enumerable: true, configurable: true, writable: true })
    else copy[key] = copied
  }
  return copy
}

function copyValue(value: unknown, owner: string, at: string, depth: number): MetadataValue {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number' && Number.isFinite(value)) return value
  if (Array.isArray(value)) {
    if (depth > MAX_DEPTH) throw invalid(owner, at, `at most ${MAX_DEPTH} levels deep`, 'one more')
    return Array.from(value, (element, i) => copyValue(element, owner, `${at}[${i}]`, depth + 1))
  }
  if (isObject(value)) return copyObject(value, owner, at, depth)
  throw invalid(owner, at, 'a string, a finite number, a boolean, null, an array or a plain object', value)
}

function isObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null
}

function invalid(owner: string, at: string, expected: string, actual: unknown): GroundlineError {
  return new GroundlineError('INVALID_METADATA', `${at} of ${owner} must be ${expected}, got ${describe(actual)}`, {
    details: { item: owner, at, expected, actual: describe(actual) },
  })
}

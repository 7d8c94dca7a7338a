import { GroundlineError } from '../errors.ts'

/** Throws `INVALID_ARGUMENT` unless `value` is an integer of the range. */
export function requireInteger(name: string, value: unknown, min: number, max: number = Number.MAX_SAFE_INTEGER): void {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    const expected =
      max === Number.MAX_SAFE_INTEGER ? `an integer of at least ${min}` : `an integer from ${min} to ${max}`
    throw new GroundlineError('INVALID_ARGUMENT', `${name} must be ${expected}, got ${describe(value)}`, {
      details: { argument: name, expected, actual: describe(value) },
    })
  }
}

/** Throws `INVALID_ARGUMENT` unless `value` is a string; `''` counts as one. */
export function requireString(name: string, value: unknown): asserts value is string {
  if (typeof value !== 'string') {
    throw new GroundlineError('INVALID_ARGUMENT', `${name} must be a string, got ${describe(value)}`, {
      details: { argument: name, expected: 'string', actual: describe(value) },
    })
  }
}

/** A value as an error message shows it: short, and never its whole content. */
export function describe(value: unknown): string {
  if (typeof value === 'string')
    return value.length <= 40 ? JSON.stringify(value) : `${JSON.stringify(value.slice(0, 40))}… (${value.length} units)`
  if (typeof value === 'number' || typeof value === 'boolean' || value === undefined || value === null)
    return String(value)
  if (Array.isArray(value)) return `an array of ${value.length}`
  return typeof value === 'object' ? `an object (${value.constructor?.name ?? 'no prototype'})` : `a ${typeof value}`
}

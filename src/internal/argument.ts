import { GroundlineError } from '../errors.ts'

/** Throws `INVALID_ARGUMENT` unless `value` is an integer of the range. */
export function requireInteger(name: string, value: unknown, min: number, max: number = Number.MAX_SAFE_INTEGER): void {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    const expected =
      max === Number.MAX_SAFE_INTEGER ? `an integer of at least ${min}` : `an integer from ${min} to ${max}`
    throw invalidArgument(name, expected, value)
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

/** Throws `INVALID_ARGUMENT` unless `value` is a finite number from `min` to `max`. */
export function requireNumber(
  name: string,
  value: unknown,
  min: number,
  max: number = Number.MAX_VALUE,
): asserts value is number {
  if (typeof value === 'number' && value >= min && value <= max) return
  const expected = max === Number.MAX_VALUE ? `a finite number of at least ${min}` : `a number from ${min} to ${max}`
  throw invalidArgument(name, expected, value)
}

/** Throws `INVALID_ARGUMENT` unless `value` is one of the texts. */
export function requireOneOf(name: string, value: unknown, choices: readonly string[]): void {
  if (!choices.includes(value as string)) throw invalidArgument(name, choices.join(' or '), value)
}

/** Throws `INVALID_ARGUMENT` unless `value` is a function; `expected` says of what. */
export function requireFunction(name: string, value: unknown, expected: string): void {
  if (typeof value !== 'function') throw invalidArgument(name, expected, value)
}

/** Throws `INVALID_ARGUMENT` unless `value` is a Map; `expected` says of what. */
export function requireMap(name: string, value: unknown, expected: string): void {
  if (!(value instanceof Map)) throw invalidArgument(name, expected, value)
}

/** Throws `INVALID_ARGUMENT` unless `value` is an array. */
export function requireArray(name: string, value: unknown): asserts value is readonly unknown[] {
  if (!Array.isArray(value)) throw invalidArgument(name, 'an array', value)
}

/** Throws `INVALID_ARGUMENT` unless `value` is an array of texts, such as ids. */
export function requireIdList(name: string, value: unknown): asserts value is readonly string[] {
  requireArray(name, value)
  for (let i = 0; i < value.length; i++)
    if (typeof value[i] !== 'string') throw invalidArgument(`${name}[${i}]`, 'a string', value[i])
}

/** Throws `INVALID_ARGUMENT` unless `value` is an object, with a function under each of `methods`; `expected` says what it is. */
export function requireObject(
  name: string,
  value: unknown,
  expected = 'an object',
  methods: readonly string[] = [],
): asserts value is object {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  if (isObject && methods.every((method) => typeof (value as Record<string, unknown>)[method] === 'function')) return
  throw invalidArgument(name, methods.length === 0 ? expected : `${expected} with ${methods.join('() and ')}()`, value)
}

/** An `INVALID_ARGUMENT` that names the argument, what it must be, and what it is. */
export function invalidArgument(name: string, expected: string, actual: unknown): GroundlineError {
  return new GroundlineError('INVALID_ARGUMENT', `${name} must be ${expected}, got ${describe(actual)}`, {
    details: { argument: name, expected, actual: describe(actual) },
  })
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

import { GroundlineError } from '../errors.ts'
import { describe } from './argument.ts'

const NAME = /^(?!\.{1,2}(?:\/|$))[a-z0-9._-]{1,128}(?:\/(?!\.{1,2}(?:\/|$))[a-z0-9._-]{1,128}){0,7}$/

/** Whether a string is a storage name: up to eight `/`-separated segments of `[a-z0-9._-]`, none of them `.` or `..`. */
export function isStorageName(name: string): boolean {
  return NAME.test(name)
}

/** Throws `INVALID_ARGUMENT` unless `name` is a storage name. */
export function requireStorageName(name: unknown): asserts name is string {
  if (typeof name === 'string' && isStorageName(name)) return
  throw new GroundlineError(
    'INVALID_ARGUMENT',
    `${describe(name)} is no storage name: use up to eight segments of [a-z0-9._-] joined by "/"`,
    { details: { argument: 'name', actual: describe(name) } },
  )
}

import type { Metadata, MetadataValue } from './document.ts'
import { GroundlineError } from './errors.ts'
import { describe } from './internal/argument.ts'
import { compareCodePoints } from './internal/code-points.ts'

/** A value a filter compares with. Arrays and objects are reached through their elements and keys. */
export type FilterScalar = string | number | boolean | null

type Depth = [never, 0, 1, 2, 3, 4]

/** Paths of keys into `M`, at most five deep: `['author', 'name']`. Any path when `M` is plain {@link Metadata}. */
export type FilterPath<M extends Metadata, D extends number = 5> = string extends keyof M
  ? readonly string[]
  : D extends 0
    ? never
    : {
        [K in keyof M & string]:
          | readonly [K]
          | (NonNullable<M[K]> extends infer V
              ? V extends readonly MetadataValue[]
                ? never
                : V extends Metadata
                  ? readonly [K, ...FilterPath<V, Depth[D] & number>]
                  : never
              : never)
      }[keyof M & string]

/** The type of the value at a path of `M`. */
export type ValueAtPath<M, P extends readonly string[]> = P extends readonly [infer K, ...infer Rest]
  ? K extends keyof NonNullable<M>
    ? Rest extends readonly string[]
      ? Rest extends readonly []
        ? NonNullable<M>[K]
        : ValueAtPath<NonNullable<M>[K], Rest>
      : never
    : never
  : MetadataValue

type ConditionAt<P extends readonly string[], V> =
  | { readonly op: 'eq' | 'ne'; readonly path: P; readonly value: Extract<V, FilterScalar> }
  | { readonly op: 'gt' | 'gte' | 'lt' | 'lte'; readonly path: P; readonly value: Extract<V, string | number> }
  | { readonly op: 'in' | 'nin'; readonly path: P; readonly values: readonly Extract<V, FilterScalar>[] }
  | { readonly op: 'exists'; readonly path: P }
  | (Extract<V, readonly unknown[]> extends never
      ? never
      : {
          readonly op: 'contains'
          readonly path: P
          readonly value: Extract<Extract<V, readonly unknown[]>[number], FilterScalar>
        })

/** One comparison of a metadata value. */
export type Condition<M extends Metadata = Metadata> = string extends keyof M
  ? ConditionAt<readonly string[], MetadataValue>
  : FilterPath<M> extends infer P
    ? P extends readonly string[]
      ? ConditionAt<P, Exclude<ValueAtPath<M, P>, undefined>>
      : never
    : never

/** A predicate over metadata, as data: comparisons joined by `and`, `or` and `not`. */
export type Filter<M extends Metadata = Metadata> =
  | Condition<M>
  | { readonly op: 'and' | 'or'; readonly filters: readonly Filter<M>[] }
  | { readonly op: 'not'; readonly filter: Filter<M> }

const MAX_DEPTH = 64
const MAX_TERMS = 65_536
const MAX_PATH = 32

/**
 * A validated copy of a filter, that later changes of the original do not reach. Indexes and adapters translate the
 * copy, never what the caller passed. At most 64 levels, 65,536 comparisons and listed values, 32 keys a path. Throws
 * `INVALID_FILTER`, whose message and `details.at` name the place in the filter.
 *
 * @example
 * parseFilter({ op: 'eq', path: ['lang'], value: 'de' })
 */
export function parseFilter<M extends Metadata>(filter: Filter<M>): Filter {
  return parse(filter, 'filter', 1, { terms: 0 })
}

/**
 * Turns a filter into a predicate over metadata. Its semantics hold in every index of this library:
 *
 * - `eq`, `in`: the field is a scalar of the same type and equal; `null` equals `null`; an array equals nothing.
 * - `ne`, `nin`: the exact negations, so a missing field passes.
 * - `gt`, `gte`, `lt`, `lte`: number with number, or string with string by code point order; anything else fails.
 * - `contains`: the field is an array with an element that `eq` would accept.
 * - `exists`: the key is there; `null` counts as there.
 * - A path leads through objects only: through a missing, scalar or array value it ends at a missing field.
 * - An empty `and` passes, an empty `or` fails, `in` of an empty list fails.
 *
 * Throws `INVALID_FILTER` as {@link parseFilter} does. A call of the predicate is linear in the filter's comparisons.
 *
 * @example
 * const isGerman = compileFilter({ op: 'eq', path: ['lang'], value: 'de' })
 * isGerman({ lang: 'de' }) // true
 */
export function compileFilter<M extends Metadata>(filter: Filter<M>): (metadata: M | undefined) => boolean {
  return compile(parseFilter(filter))
}

/** The value at a path of own keys through objects; undefined where there is none. */
export function valueAtPath(metadata: Metadata | undefined, path: readonly string[]): MetadataValue | undefined {
  let value: MetadataValue | undefined = metadata
  for (const key of path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, key))
      return undefined
    value = (value as Metadata)[key]
  }
  return value
}

type Predicate = (metadata: Metadata | undefined) => boolean

function compile(filter: Filter): Predicate {
  switch (filter.op) {
    case 'and': {
      const all = filter.filters.map(compile)
      return (metadata) => all.every((test) => test(metadata))
    }
    case 'or': {
      const any = filter.filters.map(compile)
      return (metadata) => any.some((test) => test(metadata))
    }
    case 'not': {
      const test = compile(filter.filter)
      return (metadata) => !test(metadata)
    }
    default:
      return compileCondition(filter)
  }
}

function compileCondition(condition: Condition): Predicate {
  const { path } = condition
  switch (condition.op) {
    case 'eq':
      return (metadata) => valueAtPath(metadata, path) === condition.value
    case 'ne':
      return (metadata) => valueAtPath(metadata, path) !== condition.value
    case 'in':
    case 'nin': {
      const values = new Set<unknown>(condition.values)
      const wanted = condition.op === 'in'
      return (metadata) => values.has(valueAtPath(metadata, path)) === wanted
    }
    case 'exists':
      return (metadata) => valueAtPath(metadata, path) !== undefined
    case 'contains':
      return (metadata) => {
        const value = valueAtPath(metadata, path)
        return Array.isArray(value) && value.includes(condition.value)
      }
    default: {
      const { op, value: bound } = condition
      return (metadata) => {
        const value = valueAtPath(metadata, path)
        if (typeof value === 'number' && typeof bound === 'number') return holds(op, value - bound)
        return typeof value === 'string' && typeof bound === 'string' && holds(op, compareCodePoints(value, bound))
      }
    }
  }
}

function holds(op: 'gt' | 'gte' | 'lt' | 'lte', order: number): boolean {
  return op === 'gt' ? order > 0 : op === 'gte' ? order >= 0 : op === 'lt' ? order < 0 : order <= 0
}

function parse(input: unknown, at: string, depth: number, budget: { terms: number }): Filter {
  if (depth > MAX_DEPTH) throw invalid(at, `at most ${MAX_DEPTH} levels of and, or and not`, 'one more')
  if (typeof input !== 'object' || input === null || Array.isArray(input)) throw invalid(at, 'an object', input)
  const op = own(input, 'op')
  switch (op) {
    case 'and':
    case 'or': {
      const filters = list(own(input, 'filters'), `${at}.filters`, budget)
      return { op, filters: filters.map((each, i) => parse(each, `${at}.filters[${i}]`, depth + 1, budget)) }
    }
    case 'not':
      return { op, filter: parse(own(input, 'filter'), `${at}.filter`, depth + 1, budget) }
    case 'eq':
    case 'ne':
    case 'contains':
      return { op, path: parsePath(input, at), value: scalar(own(input, 'value'), `${at}.value`) }
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte': {
      const value = scalar(own(input, 'value'), `${at}.value`)
      if (typeof value !== 'string' && typeof value !== 'number')
        throw invalid(`${at}.value`, 'a string or a number', value)
      return { op, path: parsePath(input, at), value }
    }
    case 'in':
    case 'nin': {
      const values = list(own(input, 'values'), `${at}.values`, budget)
      return { op, path: parsePath(input, at), values: values.map((each, i) => scalar(each, `${at}.values[${i}]`)) }
    }
    case 'exists':
      return { op, path: parsePath(input, at) }
    default:
      throw invalid(`${at}.op`, 'one of eq ne gt gte lt lte in nin exists contains and or not', op)
  }
}

function list(input: unknown, at: string, budget: { terms: number }): readonly unknown[] {
  if (!Array.isArray(input)) throw invalid(at, 'an array', input)
  budget.terms += input.length
  if (budget.terms > MAX_TERMS) throw invalid(at, `at most ${MAX_TERMS} terms in the whole filter`, budget.terms)
  return Array.from(input)
}

function parsePath(input: object, at: string): readonly string[] {
  const path = own(input, 'path')
  if (!Array.isArray(path) || path.length === 0 || path.length > MAX_PATH)
    throw invalid(`${at}.path`, `an array of 1 to ${MAX_PATH} keys`, path)
  return Array.from(path, (key, i) => {
    if (typeof key !== 'string') throw invalid(`${at}.path[${i}]`, 'a string', key)
    return key
  })
}

function scalar(value: unknown, at: string): FilterScalar {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number' && Number.isFinite(value)) return value
  throw invalid(at, 'a string, a finite number, a boolean or null', value)
}

function own(input: object, key: string): unknown {
  return Object.hasOwn(input, key) ? (input as Record<string, unknown>)[key] : undefined
}

function invalid(at: string, expected: string, actual: unknown): GroundlineError {
  return new GroundlineError('INVALID_FILTER', `${at} must be ${expected}, got ${describe(actual)}`, {
    details: { at, expected, actual: describe(actual) },
  })
}

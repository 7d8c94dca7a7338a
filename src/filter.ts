import type { Metadata, MetadataValue } from './document.ts'

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

import type { Metadata } from '../document.ts'
import type { Filter } from '../filter.ts'

const kind = ['kind']

/** Metadata that the filters of {@link edgeFilters} are about: every type under one key, and none. */
export const EDGE_METADATA: readonly Metadata[] = [
  {},
  { kind: 0 },
  { kind: -0 },
  { kind: '0' },
  { kind: '' },
  { kind: false },
  { kind: null },
  { kind: [] },
  { kind: [0] },
  { kind: ['0', null] },
  { kind: {} },
  { kind: { kind: 0 } },
  { kind: 9_999 },
  { other: 0 },
]

/** Filters that are easily got wrong: each has one meaning in every index, that of `passesFilter`. */
export function edgeFilters(): readonly { readonly name: string; readonly filter: Filter }[] {
  const scalars = [0, '0', '', false, null] as const
  const equals = Array.from({ length: 10_000 }, (_, i): Filter => ({ op: 'eq', path: kind, value: i }))
  const deep = (inner: Filter, levels: number): Filter =>
    levels === 0 ? inner : { op: levels % 2 === 0 ? 'and' : 'or', filters: [deep(inner, levels - 1)] }
  let double: Filter = { op: 'eq', path: kind, value: 0 }
  for (let i = 0; i < 62; i++) double = { op: 'not', filter: double }
  return [
    ...scalars.flatMap((value): { name: string; filter: Filter }[] => [
      { name: `eq ${JSON.stringify(value)}`, filter: { op: 'eq', path: kind, value } },
      { name: `ne ${JSON.stringify(value)}`, filter: { op: 'ne', path: kind, value } },
      { name: `in ${JSON.stringify([value])}`, filter: { op: 'in', path: kind, values: [value] } },
      { name: `nin ${JSON.stringify([value])}`, filter: { op: 'nin', path: kind, values: [value] } },
      { name: `contains ${JSON.stringify(value)}`, filter: { op: 'contains', path: kind, value } },
    ]),
    { name: 'in of values of all types', filter: { op: 'in', path: kind, values: [...scalars, 'x', 1e300] } },
    { name: 'in of nothing', filter: { op: 'in', path: kind, values: [] } },
    { name: 'nin of nothing', filter: { op: 'nin', path: kind, values: [] } },
    { name: 'an empty and', filter: { op: 'and', filters: [] } },
    { name: 'an empty or', filter: { op: 'or', filters: [] } },
    { name: 'not of an empty and', filter: { op: 'not', filter: { op: 'and', filters: [] } } },
    { name: 'an unknown field', filter: { op: 'eq', path: ['nobody'], value: 0 } },
    { name: 'ne of an unknown field', filter: { op: 'ne', path: ['nobody'], value: 0 } },
    { name: 'a range over an unknown field', filter: { op: 'lte', path: ['nobody'], value: 1e308 } },
    { name: 'exists of an unknown field', filter: { op: 'exists', path: ['nobody'] } },
    { name: 'a number range over every type', filter: { op: 'gte', path: kind, value: -1 } },
    { name: 'a text range over every type', filter: { op: 'gte', path: kind, value: '' } },
    { name: 'a path through a scalar', filter: { op: 'exists', path: ['kind', 'kind'] } },
    { name: 'a path through an array', filter: { op: 'eq', path: ['kind', '0'], value: 0 } },
    { name: 'exists of null', filter: { op: 'exists', path: kind } },
    { name: 'or of 10,000 terms', filter: { op: 'or', filters: equals } },
    { name: 'not of 10,000 terms', filter: { op: 'not', filter: { op: 'or', filters: equals } } },
    { name: 'in of 10,000 values', filter: { op: 'in', path: kind, values: equals.map((_, i) => i) } },
    { name: '63 levels of and and or', filter: deep({ op: 'eq', path: kind, value: 0 }, 62) },
    { name: '63 levels of not', filter: double },
  ]
}

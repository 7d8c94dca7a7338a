/** Values that no index may take for a filter: each is `INVALID_FILTER` everywhere. */
export function invalidFilters(): readonly { readonly name: string; readonly filter: unknown }[] {
  let deep: unknown = { op: 'exists', path: ['a'] }
  for (let i = 0; i < 100; i++) deep = { op: 'not', filter: deep }
  let endless: unknown = { op: 'exists', path: ['a'] }
  for (let i = 0; i < 100_000; i++) endless = { op: i % 2 === 0 ? 'and' : 'or', filters: [endless] }
  const circular: { op: string; filters: unknown[] } = { op: 'and', filters: [] }
  circular.filters.push(circular)
  return [
    { name: 'null', filter: null },
    { name: 'an array', filter: [] },
    { name: 'a string', filter: "lang = 'de'" },
    { name: 'no operator', filter: { path: ['a'], value: 1 } },
    { name: 'an unknown operator', filter: { op: '$where', path: ['a'], value: '1' } },
    { name: 'an inherited operator', filter: Object.create({ op: 'exists', path: ['a'] }) },
    { name: 'a dotted path', filter: { op: 'eq', path: 'a.b', value: 1 } },
    { name: 'an empty path', filter: { op: 'exists', path: [] } },
    { name: 'a path of numbers', filter: { op: 'exists', path: [0] } },
    { name: 'a very long path', filter: { op: 'exists', path: Array.from({ length: 100 }, () => 'a') } },
    { name: 'a missing value', filter: { op: 'eq', path: ['a'] } },
    { name: 'NaN', filter: { op: 'eq', path: ['a'], value: Number.NaN } },
    { name: 'Infinity', filter: { op: 'gt', path: ['a'], value: Number.POSITIVE_INFINITY } },
    { name: 'an object value', filter: { op: 'eq', path: ['a'], value: { $gt: '' } } },
    { name: 'a range over a boolean', filter: { op: 'gt', path: ['a'], value: true } },
    { name: 'a range over null', filter: { op: 'lte', path: ['a'], value: null } },
    { name: 'values that are no list', filter: { op: 'in', path: ['a'], values: 1 } },
    { name: 'a list in a list', filter: { op: 'in', path: ['a'], values: [[1]] } },
    { name: 'a hole in a list', filter: { op: 'nin', path: ['a'], values: new Array(1) } },
    { name: 'and without filters', filter: { op: 'and' } },
    { name: 'not without a filter', filter: { op: 'not', filters: [] } },
    { name: 'a bad filter inside', filter: { op: 'or', filters: [{ op: 'exists', path: ['a'] }, 0] } },
    { name: '100 levels', filter: deep },
    { name: '100,000 levels', filter: endless },
    { name: 'a circular filter', filter: circular },
    { name: 'values of another operator', filter: { op: 'eq', path: ['a'], values: [1] } },
    { name: 'contains an array', filter: { op: 'contains', path: ['a'], value: [1] } },
    { name: 'undefined in a list', filter: { op: 'in', path: ['a'], values: [undefined] } },
    { name: 'a BigInt', filter: { op: 'eq', path: ['a'], value: 1n } },
    { name: 'a date', filter: { op: 'gt', path: ['a'], value: new Date(0) } },
    { name: 'too many terms', filter: { op: 'in', path: ['a'], values: new Array(100_000).fill(1) } },
  ]
}

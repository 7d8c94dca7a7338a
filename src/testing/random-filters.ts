import type { Metadata, MetadataValue } from '../document.ts'
import type { Condition, Filter, FilterScalar } from '../filter.ts'
import type { Random } from './random.ts'

const KEYS = ['lang', 'year', 'tags', 'author', 'name', '__proto__', 'constructor', '']
const SCALARS: readonly FilterScalar[] = [
  'de',
  'en',
  '',
  'z',
  '\u{1F600}',
  '\uFFFD',
  '2024-01-01',
  '1',
  0,
  -0,
  1,
  -1.5,
  2024,
  1e308,
  true,
  false,
  null,
]

/** Random metadata over few keys and values, so that random filters hit and miss: scalars, arrays, nested objects, odd keys. */
export function randomMetadata(random: Random, depth = 2): Metadata {
  const entries: [string, MetadataValue][] = []
  for (const key of KEYS) if (random.next() < 0.4) entries.push([key, randomValue(random, depth)])
  return Object.fromEntries(entries)
}

/** A random filter over the keys and values of {@link randomMetadata}: every operator, empty lists, nesting. */
export function randomFilter(random: Random, depth = 3): Filter {
  const kind = depth === 0 ? 9 : random.below(10)
  if (kind < 2) {
    const filters = Array.from({ length: random.below(4) }, () => randomFilter(random, depth - 1))
    return { op: random.pick(['and', 'or'] as const), filters }
  }
  if (kind === 2) return { op: 'not', filter: randomFilter(random, depth - 1) }
  const path = Array.from({ length: 1 + Number(random.next() < 0.3) }, () => random.pick(KEYS))
  const scalar = () => random.pick(SCALARS)
  switch (random.below(5)) {
    case 0:
      return { op: random.pick(['eq', 'ne'] as const), path, value: scalar() }
    case 1: {
      const bound = random.pick(SCALARS.filter((value) => typeof value === 'string' || typeof value === 'number'))
      return { op: random.pick(['gt', 'gte', 'lt', 'lte'] as const), path, value: bound }
    }
    case 2:
      return { op: random.pick(['in', 'nin'] as const), path, values: Array.from({ length: random.below(4) }, scalar) }
    case 3:
      return { op: 'exists', path }
    default:
      return { op: 'contains', path, value: scalar() }
  }
}

/** The reference that every evaluation of a filter must equal: the semantics of `compileFilter`, written to be read. */
export function passesFilter(filter: Filter, metadata: Metadata | undefined): boolean {
  switch (filter.op) {
    case 'and':
      return filter.filters.every((each) => passesFilter(each, metadata))
    case 'or':
      return filter.filters.some((each) => passesFilter(each, metadata))
    case 'not':
      return !passesFilter(filter.filter, metadata)
    default:
      return passesCondition(filter, metadata)
  }
}

function passesCondition(condition: Condition, metadata: Metadata | undefined): boolean {
  let value: MetadataValue | undefined = metadata
  for (const key of condition.path) {
    const inside: [string, MetadataValue][] =
      value instanceof Object && !Array.isArray(value) ? Object.entries(value) : []
    value = inside.find(([name]) => name === key)?.[1]
  }
  switch (condition.op) {
    case 'exists':
      return value !== undefined
    case 'eq':
      return value === condition.value
    case 'ne':
      return value !== condition.value
    case 'in':
      return condition.values.some((each) => each === value)
    case 'nin':
      return !condition.values.some((each) => each === value)
    case 'contains':
      return Array.isArray(value) && value.some((element) => element === condition.value)
    default: {
      if (typeof value !== typeof condition.value || value === undefined) return false
      const order = orderOf(value, condition.value)
      return { gt: order > 0, gte: order >= 0, lt: order < 0, lte: order <= 0 }[condition.op]
    }
  }
}

function orderOf(left: MetadataValue, right: MetadataValue): number {
  const parts = (side: MetadataValue) =>
    typeof side === 'number' ? [side] : Array.from(String(side), (character) => character.codePointAt(0)!)
  const [a, b] = [parts(left), parts(right)]
  const at = a.findIndex((part, i) => part !== b[i])
  return at === -1 ? a.length - b.length : a[at]! - (b[at] ?? Number.NEGATIVE_INFINITY)
}

function randomValue(random: Random, depth: number): MetadataValue {
  const kind = random.below(6)
  if (kind === 0 && depth > 0) return randomMetadata(random, depth - 1)
  if (kind === 1) return Array.from({ length: random.below(4) }, () => randomValue(random, Math.min(depth, 1) - 1))
  return random.pick(SCALARS)
}

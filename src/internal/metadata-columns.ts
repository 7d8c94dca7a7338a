import type { Metadata, MetadataValue } from '../document.ts'
import type { Condition, Filter, FilterScalar } from '../filter.ts'
import { bitsetWords, setBit } from './bitset.ts'
import { compareCodePoints } from './code-points.ts'
import { PostingList } from './posting-list.ts'

/** Slots under one value: the slot itself while there is only one, ascending ones while they are few. Typed arrays take some 400 bytes before they hold anything. */
type Slots = number | readonly number[] | PostingList

const FEW = 16

type RangeOperator = 'gt' | 'gte' | 'lt' | 'lte'

class Column {
  /** Slots whose metadata have the key, whatever is under it. */
  readonly present: PostingList = new PostingList()
  /** Slots by scalar value. */
  readonly scalars: Map<FilterScalar, Slots> = new Map()
  /** Slots by element of an array value. */
  readonly elements: Map<FilterScalar, Slots> = new Map()
  /** Distinct numbers and strings in order; undefined until a range asks. */
  numbers: number[] | undefined
  strings: string[] | undefined
}

/**
 * Metadata by column: for each path and typed value the set of slots that hold it, so that a filter's allowed set and
 * its exact size are known before any vector is touched. Means what `compileFilter` means; a property test says so.
 */
export class MetadataColumns {
  /** By key, and deeper ones by path. */
  readonly #top: Map<string, Column> = new Map()
  readonly #nested: Map<string, Column> = new Map()

  /** Records a slot's metadata. */
  add(slot: number, metadata: Metadata | undefined): void {
    if (metadata !== undefined) this.#walk(slot, metadata, [], true)
  }

  /** Forgets a slot's metadata, which must be what was added. */
  remove(slot: number, metadata: Metadata | undefined): void {
    if (metadata !== undefined) this.#walk(slot, metadata, [], false)
  }

  /** The slots below `slots` that pass a parsed filter, unused slots possibly among them. */
  select(filter: Filter, slots: number): Uint32Array {
    const words = new Uint32Array(bitsetWords(slots))
    this.#or(filter, words)
    return words
  }

  #or(filter: Filter, into: Uint32Array): void {
    switch (filter.op) {
      case 'or':
        for (const each of filter.filters) this.#or(each, into)
        return
      case 'and': {
        const all = new Uint32Array(into.length).fill(0xffffffff)
        for (const each of filter.filters) {
          const some = new Uint32Array(into.length)
          this.#or(each, some)
          for (let i = 0; i < all.length; i++) all[i]! &= some[i]!
        }
        for (let i = 0; i < all.length; i++) into[i]! |= all[i]!
        return
      }
      case 'not':
        this.#orNot(filter.filter, into)
        return
      default:
        this.#orCondition(filter, into)
    }
  }

  #orNot(filter: Filter, into: Uint32Array): void {
    const some = new Uint32Array(into.length)
    this.#or(filter, some)
    for (let i = 0; i < some.length; i++) into[i]! |= ~some[i]!
  }

  #orCondition(condition: Condition, into: Uint32Array): void {
    const { path } = condition
    const column = path.length === 1 ? this.#top.get(path[0]!) : this.#nested.get(JSON.stringify(path))
    switch (condition.op) {
      case 'ne':
        this.#orNot({ ...condition, op: 'eq' }, into)
        break
      case 'nin':
        this.#orNot({ ...condition, op: 'in' }, into)
        break
      case 'eq':
        orSlots(column?.scalars.get(condition.value), into)
        break
      case 'in':
        for (const value of condition.values) orSlots(column?.scalars.get(value), into)
        break
      case 'exists':
        column?.present.orInto(into)
        break
      case 'contains':
        orSlots(column?.elements.get(condition.value), into)
        break
      default:
        if (column !== undefined) orRange(column, condition.op, condition.value, into)
    }
  }

  #walk(slot: number, metadata: Metadata, path: readonly string[], adding: boolean): void {
    for (const key of Object.keys(metadata)) {
      const value = metadata[key]
      if (value === undefined) continue
      const column = this.#column(path, key)
      if (adding) column.present.add(slot)
      else column.present.delete(slot)
      if (isArray(value)) {
        for (const element of new Set(value)) {
          if (element === null || typeof element !== 'object') change(column.elements, element, slot, adding)
        }
      } else if (value !== null && typeof value === 'object') {
        this.#walk(slot, value, [...path, key], adding)
      } else if (change(column.scalars, value, slot, adding)) {
        if (typeof value === 'number') column.numbers = undefined
        if (typeof value === 'string') column.strings = undefined
      }
    }
  }

  #column(path: readonly string[], last: string): Column {
    const columns = path.length === 0 ? this.#top : this.#nested
    const key = path.length === 0 ? last : JSON.stringify([...path, last])
    let column = columns.get(key)
    if (column === undefined) {
      column = new Column()
      columns.set(key, column)
    }
    return column
  }
}

function isArray(value: MetadataValue): value is readonly MetadataValue[] {
  return Array.isArray(value)
}

/** Adds or deletes a slot under a value; true when the set of values changed. */
function change(map: Map<FilterScalar, Slots>, value: FilterScalar, slot: number, adding: boolean): boolean {
  const slots = map.get(value)
  if (slots === undefined) {
    if (adding) map.set(value, slot)
    return adding
  }
  if (typeof slots === 'number') {
    if (slots === slot) return adding ? false : map.delete(value)
    if (adding) map.set(value, slots < slot ? [slots, slot] : [slot, slots])
    return false
  }
  if (isFew(slots)) {
    const next = changedFew(slots, slot, adding)
    if (next.length === 0) return map.delete(value)
    if (next !== slots) map.set(value, next.length > FEW ? new PostingList(next) : next)
    return false
  }
  if (adding) slots.add(slot)
  else slots.delete(slot)
  return slots.count === 0 && map.delete(value)
}

function isFew(slots: readonly number[] | PostingList): slots is readonly number[] {
  return Array.isArray(slots)
}

/** The slots with one more or less, as an array with no room to spare. */
function changedFew(slots: readonly number[], slot: number, adding: boolean): readonly number[] {
  let at = slots.length
  while (at > 0 && slots[at - 1]! >= slot) at--
  const isThere = slots[at] === slot
  if (isThere === adding) return slots
  return adding ? slots.toSpliced(at, 0, slot) : slots.toSpliced(at, 1)
}

function orSlots(slots: Slots | undefined, into: Uint32Array): void {
  if (typeof slots === 'number') setBit(into, slots)
  else if (slots === undefined) return
  else if (isFew(slots)) for (const slot of slots) setBit(into, slot)
  else slots.orInto(into)
}

function orRange(column: Column, op: RangeOperator, bound: string | number, into: Uint32Array): void {
  const values = typeof bound === 'number' ? numbersOf(column) : stringsOf(column)
  const [from, to] = rangeOf(values, op, bound)
  for (let i = from; i < to; i++) orSlots(column.scalars.get(values[i]!), into)
}

function numbersOf(column: Column): number[] {
  column.numbers ??= [...column.scalars.keys()].filter((value) => typeof value === 'number').sort((a, b) => a - b)
  return column.numbers
}

function stringsOf(column: Column): string[] {
  column.strings ??= [...column.scalars.keys()].filter((value) => typeof value === 'string').sort(compareCodePoints)
  return column.strings
}

function rangeOf(
  values: readonly (string | number)[],
  op: RangeOperator,
  bound: string | number,
): [from: number, to: number] {
  const order = (value: string | number) =>
    typeof value === 'number' ? value - (bound as number) : compareCodePoints(value, bound as string)
  const first = (reached: (order: number) => boolean) => {
    let low = 0
    let high = values.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (reached(order(values[middle]!))) high = middle
      else low = middle + 1
    }
    return low
  }
  if (op === 'gt') return [first((o) => o > 0), values.length]
  if (op === 'gte') return [first((o) => o >= 0), values.length]
  return [0, op === 'lt' ? first((o) => o >= 0) : first((o) => o > 0)]
}

import fc from 'fast-check'
import { describe, expect, expectTypeOf, it } from 'vitest'
import type { Metadata } from '../src/document.ts'
import { isGroundlineError } from '../src/errors.ts'
import { compileFilter, type Filter, parseFilter } from '../src/filter.ts'
import { MetadataColumns } from '../src/internal/metadata-columns.ts'
import { createRandom, invalidFilters, passesFilter, randomFilter, randomMetadata } from '../src/testing/index.ts'

const path = ['a']

describe('compileFilter', () => {
  it('means what the reference model means', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = createRandom(seed)
        const filter = randomFilter(random)
        const test = compileFilter(filter)
        for (let i = 0; i < 20; i++) {
          const metadata = randomMetadata(random)
          expect(test(metadata)).toBe(passesFilter(filter, metadata))
        }
      }),
      { numRuns: 2_000, seed: 1 },
    )
  })

  it.each<[string, Filter, Metadata | undefined, boolean]>([
    ['eq compares within one type', { op: 'eq', path, value: '1' }, { a: 1 }, false],
    ['eq null accepts null', { op: 'eq', path, value: null }, { a: null }, true],
    ['eq null refuses a missing field', { op: 'eq', path, value: null }, {}, false],
    ['eq refuses an array', { op: 'eq', path, value: 1 }, { a: [1] }, false],
    ['ne accepts a missing field', { op: 'ne', path, value: 1 }, {}, true],
    ['ne accepts another type', { op: 'ne', path, value: 1 }, { a: '1' }, true],
    ['in accepts zero', { op: 'in', path, values: [0] }, { a: 0 }, true],
    ['in refuses false for zero', { op: 'in', path, values: [0] }, { a: false }, false],
    ['in of nothing refuses', { op: 'in', path, values: [] }, { a: 0 }, false],
    ['nin of nothing accepts', { op: 'nin', path, values: [] }, { a: 0 }, true],
    ['nin accepts a missing field', { op: 'nin', path, values: [0] }, {}, true],
    ['gt refuses a number in text', { op: 'gt', path, value: 1 }, { a: '2' }, false],
    ['lt refuses a missing field', { op: 'lt', path, value: 1 }, {}, false],
    ['gt orders by code point', { op: 'gt', path, value: '\uFFFD' }, { a: '\u{1F600}' }, true],
    ['gte accepts a prefix of itself', { op: 'gte', path, value: 'ab' }, { a: 'abc' }, true],
    ['contains looks into an array', { op: 'contains', path, value: 'x' }, { a: ['y', 'x'] }, true],
    ['contains refuses a scalar', { op: 'contains', path, value: 'x' }, { a: 'x' }, false],
    ['exists counts null', { op: 'exists', path }, { a: null }, true],
    ['exists refuses an inherited key', { op: 'exists', path: ['constructor'] }, {}, false],
    ['a path through a scalar is missing', { op: 'exists', path: ['a', 'b'] }, { a: 'b' }, false],
    ['a path through an array is missing', { op: 'exists', path: ['a', '0'] }, { a: [1] }, false],
    ['a path through null is missing', { op: 'ne', path: ['a', 'b'], value: 1 }, { a: null }, true],
    ['an empty and passes', { op: 'and', filters: [] }, {}, true],
    ['an empty or fails', { op: 'or', filters: [] }, {}, false],
    ['missing metadata are empty', { op: 'exists', path }, undefined, false],
    ['__proto__ is a key like any other', { op: 'exists', path: ['__proto__'] }, {}, false],
    ['a stored __proto__ is found', { op: 'eq', path: ['__proto__'], value: 1 }, JSON.parse('{"__proto__":1}'), true],
  ])('%s', (_, filter, metadata, expected) => {
    expect(compileFilter(filter)(metadata)).toBe(expected)
  })

  it('is not reached by later changes of the filter', () => {
    const values = ['x']
    const test = compileFilter({ op: 'in', path, values })
    values[0] = 'y'
    expect(test({ a: 'x' })).toBe(true)
  })

  it('evaluates 10,000 terms', () => {
    const filters = Array.from({ length: 10_000 }, (_, i): Filter => ({ op: 'eq', path, value: i }))
    expect(compileFilter({ op: 'or', filters })({ a: 9_999 })).toBe(true)
    expect(compileFilter({ op: 'not', filter: { op: 'or', filters } })({ a: 10_000 })).toBe(true)
  })
})

describe('parseFilter', () => {
  it.each(invalidFilters())('refuses $name', ({ filter }) => {
    expect(() => parseFilter(filter as Filter)).toThrow(expect.objectContaining({ code: 'INVALID_FILTER' }))
  })

  it('names the place in the filter', () => {
    const filter = {
      op: 'and',
      filters: [
        { op: 'exists', path },
        { op: 'not', filter: { op: 'in', path, values: [{}] } },
      ],
    }
    try {
      parseFilter(filter as unknown as Filter)
      expect.unreachable()
    } catch (error) {
      expect(isGroundlineError(error) && error.details.at).toBe('filter.filters[1].filter.values[0]')
    }
  })

  it('keeps no key that the dialect does not have', () => {
    const filter = { op: 'eq', path, value: 1, sql: '1 = 1; drop table' }
    expect(parseFilter(filter as Filter)).toEqual({ op: 'eq', path, value: 1 })
  })
})

describe('MetadataColumns', () => {
  it('selects the slots that compileFilter accepts, through additions and removals', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = createRandom(seed)
        const columns = new MetadataColumns()
        const held = Array.from({ length: 150 }, () => randomMetadata(random))
        held.forEach((metadata, slot) => {
          columns.add(slot, metadata)
        })
        for (let i = 0; i < 40; i++) {
          const slot = random.below(held.length)
          columns.remove(slot, held[slot])
          held[slot] = randomMetadata(random)
          columns.add(slot, held[slot])
        }
        for (let i = 0; i < 10; i++) {
          const filter = randomFilter(random)
          const words = columns.select(parseFilter(filter), held.length)
          const test = compileFilter(filter)
          held.forEach((metadata, slot) => {
            expect((words[slot >>> 5]! & (1 << (slot & 31))) !== 0).toBe(test(metadata))
          })
        }
      }),
      { numRuns: 100, seed: 2 },
    )
  })
})

describe('Filter', () => {
  interface Page extends Metadata {
    readonly lang: 'de' | 'en'
    readonly year: number
    readonly tags: readonly string[]
    readonly author: { readonly name: string }
    readonly draft: boolean
  }
  // `Page` without the index signature that `Metadata` brings.
  type Typed = { [K in keyof Page as string extends K ? never : K]: Page[K] }

  it('follows the metadata types', () => {
    expectTypeOf<{ op: 'eq'; path: ['lang']; value: 'de' }>().toExtend<Filter<Typed>>()
    expectTypeOf<{ op: 'gt'; path: ['year']; value: 2000 }>().toExtend<Filter<Typed>>()
    expectTypeOf<{ op: 'contains'; path: ['tags']; value: 'x' }>().toExtend<Filter<Typed>>()
    expectTypeOf<{ op: 'eq'; path: ['author', 'name']; value: 'x' }>().toExtend<Filter<Typed>>()
    expectTypeOf<{ op: 'not'; filter: { op: 'eq'; path: ['draft']; value: true } }>().toExtend<Filter<Typed>>()
    expectTypeOf<{ op: 'eq'; path: ['lang']; value: 'fr' }>().not.toExtend<Filter<Typed>>()
    expectTypeOf<{ op: 'eq'; path: ['language']; value: 'de' }>().not.toExtend<Filter<Typed>>()
    expectTypeOf<{ op: 'gt'; path: ['draft']; value: true }>().not.toExtend<Filter<Typed>>()
    expectTypeOf<{ op: 'contains'; path: ['lang']; value: 'de' }>().not.toExtend<Filter<Typed>>()
    expectTypeOf<{ op: 'eq'; path: ['year']; value: '2000' }>().not.toExtend<Filter<Typed>>()
    expectTypeOf<{ op: 'eq'; path: string[]; value: string }>().toExtend<Filter>()
  })
})

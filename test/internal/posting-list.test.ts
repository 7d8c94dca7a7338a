import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileFilter, type Filter, parseFilter } from '../../src/filter.ts'
import { bitsetWords, countBits, hasBit, listBits } from '../../src/internal/bitset.ts'
import { MetadataColumns } from '../../src/internal/metadata-columns.ts'
import { PostingList } from '../../src/internal/posting-list.ts'
import { createRandom } from '../../src/testing/index.ts'

describe('PostingList', () => {
  it('is the set of what was added and not deleted, in any order, and never much larger than list or bitmap', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = createRandom(seed)
        const bound = random.pick([40, 3_000, 100_000])
        const [list, set] = [new PostingList(), new Set<number>()]
        let largest = 0
        for (let step = random.pick([30, 600, 4_000]); step > 0; step--) {
          const slot = random.next() < 0.2 ? Math.min(bound - 1, largest + 1) : random.below(bound)
          if (random.next() < 0.8) {
            list.add(slot)
            set.add(slot)
            largest = Math.max(largest, slot)
          } else {
            list.delete(slot)
            set.delete(slot)
          }
          expect(list.count).toBe(set.size)
        }
        const words = new Uint32Array(bitsetWords(bound))
        list.orInto(words)
        expect(Array.from(listBits(words, countBits(words)))).toEqual([...set].sort((a, b) => a - b))
        // Room to grow doubles; lists shorter than 64 stay lists, and both stay as large as they have been.
        expect(list.byteLength).toBeLessThanOrEqual(2 * Math.max(4 * 128, 4 * bitsetWords(bound)))
      }),
      { numRuns: 60, seed: 6 },
    )
  })
})

describe('MetadataColumns at 20,000 entries', () => {
  it('selects what compileFilter accepts, whether a value has one slot, a few, a list or a bitmap', () => {
    const random = createRandom(9)
    const make = (i: number) => ({
      unique: `u${i}`,
      pair: i >> 1,
      few: `f${(i * 7_919) % 2_000}`,
      some: (i * 31) % 400,
      many: `m${i % 7}`,
      tags: [`t${i % 300}`, i % 2 === 0, null],
    })
    const held = Array.from({ length: 20_000 }, (_, i) => make(i))
    const columns = new MetadataColumns()
    for (const slot of Array.from(held.keys()).sort(() => random.next() - 0.5)) columns.add(slot, held[slot])
    for (let i = 0; i < 4_000; i++) {
      const slot = random.below(held.length)
      columns.remove(slot, held[slot])
      held[slot] = make(random.below(50_000))
      columns.add(slot, held[slot])
    }
    const of = (key: string, value: string | number): Filter => ({ op: 'eq', path: [key], value })
    const filters: Filter[] = [
      of('unique', 'u7'),
      of('pair', 77),
      of('few', 'f1999'),
      of('some', 3),
      of('many', 'm3'),
      { op: 'contains', path: ['tags'], value: 't299' },
      { op: 'gte', path: ['some'], value: 390 },
      { op: 'lt', path: ['few'], value: 'f11' },
      { op: 'nin', path: ['many'], values: ['m0', 'm1'] },
      { op: 'and', filters: [of('many', 'm2'), { op: 'not', filter: { op: 'lt', path: ['pair'], value: 9_000 } }] },
    ]
    for (const filter of filters) {
      const words = columns.select(parseFilter(filter), held.length)
      const passes = compileFilter(filter)
      expect(held.findIndex((metadata, slot) => hasBit(words, slot) !== passes(metadata))).toBe(-1)
    }
  })
})

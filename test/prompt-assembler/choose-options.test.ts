import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chooseOptions, type OptionClass } from '../../src/prompt-assembler/choose-options.ts'

/** Every combination, for a handful of classes. */
function bruteForce(classes: readonly OptionClass[], capacity: number): number {
  const [first, ...rest] = classes
  if (first === undefined) return 0
  let best = bruteForce(rest, capacity)
  for (const { cost, utility } of first.options)
    if (cost <= capacity && utility > 0) best = Math.max(best, utility + bruteForce(rest, capacity - cost))
  return best
}

/** The textbook table over every capacity. */
function tableOptimum(classes: readonly OptionClass[], capacity: number): number {
  let table = new Float64Array(capacity + 1)
  for (const { options } of classes) {
    const next = table.slice()
    for (const { cost, utility } of options)
      for (let room = cost; room <= capacity; room++) next[room] = Math.max(next[room]!, table[room - cost]! + utility)
    table = next
  }
  return table[capacity]!
}

const worth = (classes: readonly OptionClass[], chosen: readonly number[]) => {
  let [cost, utility] = [0, 0]
  for (const [index, option] of chosen.entries()) {
    if (option < 0) continue
    cost += classes[index]!.options[option]!.cost
    utility += classes[index]!.options[option]!.utility
  }
  return { cost, utility }
}

const option = fc.record({
  cost: fc.integer({ min: 0, max: 30 }),
  utility: fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0.5, 1)),
})
const someClasses = (maxClasses: number, maxOptions: number) =>
  fc
    .array(fc.array(option, { minLength: 1, maxLength: maxOptions }), { maxLength: maxClasses })
    .map((lists) => lists.map((options, index): OptionClass => ({ key: `k${index}`, options })))

describe('chooseOptions', () => {
  it('reaches the optimum of every combination', () => {
    fc.assert(
      fc.property(someClasses(6, 3), fc.integer({ min: 0, max: 90 }), (classes, capacity) => {
        const { cost, utility } = worth(classes, chooseOptions(classes, capacity))
        expect(cost).toBeLessThanOrEqual(capacity)
        expect(utility).toBeCloseTo(bruteForce(classes, capacity), 9)
      }),
      { numRuns: 1500, seed: 1 },
    )
  })

  it('reaches the optimum of the table for up to sixty classes', () => {
    fc.assert(
      fc.property(someClasses(60, 4), fc.integer({ min: 0, max: 900 }), (classes, capacity) => {
        expect(worth(classes, chooseOptions(classes, capacity)).utility).toBeCloseTo(tableOptimum(classes, capacity), 9)
      }),
      { numRuns: 200, seed: 2 },
    )
  })

  it('is never worth less with more room', () => {
    fc.assert(
      fc.property(
        someClasses(20, 3),
        fc.integer({ min: 0, max: 200 }),
        fc.integer({ min: 0, max: 100 }),
        (classes, capacity, more) => {
          const less = worth(classes, chooseOptions(classes, capacity)).utility
          expect(worth(classes, chooseOptions(classes, capacity + more)).utility).toBeGreaterThanOrEqual(less - 1e-9)
        },
      ),
      { numRuns: 500, seed: 3 },
    )
  })

  it('chooses the same for classes in any order', () => {
    fc.assert(
      fc.property(someClasses(20, 3), fc.integer({ min: 0, max: 200 }), (classes, capacity) => {
        const byKey = (list: readonly OptionClass[]) =>
          Object.fromEntries(chooseOptions(list, capacity).map((chosen, index) => [list[index]!.key, chosen]))
        expect(byKey(classes.toReversed())).toEqual(byKey(classes))
      }),
      { numRuns: 300, seed: 4 },
    )
  })

  it('solves utilities proportional to cost, the hard case of the knapsack, in time', () => {
    // Subset sums of even numbers with an odd capacity: no solution ever meets the linear bound.
    const classes = Array.from({ length: 200 }, (_, index): OptionClass => {
      const cost = 2 * (100 + ((index * 7919) % 400))
      return { key: `k${index}`, options: [{ cost, utility: cost }] }
    })
    const started = performance.now()
    const { cost } = worth(classes, chooseOptions(classes, 20_001))
    expect(cost).toBe(20_000)
    expect(performance.now() - started).toBeLessThan(2000)
  })
})

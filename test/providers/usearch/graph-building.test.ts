import fc from 'fast-check'
import * as native from 'usearch'
import { describe, expect, it } from 'vitest'
import { GraphBuilding } from '../../../src/providers/usearch/graph-building.ts'
import { InsertionOrder } from '../../../src/providers/usearch/insertion-order.ts'
import { createRandom } from '../../../src/testing/index.ts'

describe('InsertionOrder', () => {
  it('gives each row once with its key, those near the same vector together, and is empty then', () => {
    const slices = fc.array(fc.array(fc.nat(6), { minLength: 1, maxLength: 40 }), { maxLength: 8 })
    fc.assert(
      fc.property(slices, fc.integer({ min: 1, max: 5 }), (given, dimensions) => {
        const order = new InsertionOrder(dimensions)
        const expected: { key: number; near: number; row: number[] }[] = []
        for (const near of given) {
          const first = expected.length
          const rows = Float32Array.from({ length: near.length * dimensions }, (_, i) => first * dimensions + i)
          const keys = Uint32Array.from(near, (_, i) => 3 * (first + i))
          order.take(keys, rows, Uint32Array.from(near))
          for (const [i, each] of near.entries())
            expected.push({ key: keys[i]!, near: each, row: [...rows.subarray(i * dimensions, (i + 1) * dimensions)] })
        }
        const found = []
        for (const { keys, rows } of order.release()) {
          // What the native module takes: an array of its own from offset 0.
          expect(rows.byteOffset).toBe(0)
          expect(rows.buffer.byteLength).toBe(keys.length * dimensions * 4)
          for (const [i, key] of keys.entries())
            found.push({ key, row: [...rows.subarray(i * dimensions, (i + 1) * dimensions)] })
        }
        expected.sort((a, b) => a.near - b.near || a.key - b.key)
        expect(found).toEqual(expected.map(({ key, row }) => ({ key, row })))
        expect([...order.release()]).toEqual([])
      }),
    )
  })
})

describe('GraphBuilding', () => {
  it('puts rows in each time enough of them wait, and the rest at the end', () => {
    const [dimensions, size] = [4, 17_000]
    const random = createRandom(5)
    const vector = () => Float32Array.from({ length: dimensions }, () => random.normal())
    const held = Array.from({ length: 20 }, vector)
    const rows = Array.from({ length: size }, vector)
    const settings = {
      dimensions,
      metric: 'euclidean',
      quantization: 'f32',
      connectivity: 4,
      expansionAdd: 16,
    } as const
    const building = new GraphBuilding(native, settings, held)
    const sizes = new Set<number>()
    for (let from = 0; from < size; from += 500) {
      const slice = rows.slice(from, from + 500)
      const keys = Uint32Array.from(slice, (_, i) => from + i)
      for (const _ of building.add(keys, Float32Array.from(slice.flatMap((row) => [...row])), true)) {
        // Between two steps others may have their turn.
      }
      sizes.add(building.graph.size())
    }
    expect([...sizes]).toEqual([0, 16_500])
    const steps = building.finish(
      0.9,
      Uint32Array.from(held, (_, i) => size + i),
    )
    let step = steps.next()
    while (!step.done) step = steps.next()
    expect(step.value.size).toBe(size + held.length)
    expect(building.graph.size()).toBe(size + held.length)
    const isFound = ([key, row]: [number, Float32Array]) => building.graph.search(row, 64, 1).keys.includes(BigInt(key))
    const all = [...rows, ...held]
    const misses = [...all.entries()].filter((each) => each[0] % 50 === 0 && !isFound(each))
    expect(misses.length).toBeLessThan(all.length / 50 / 20)
  })

  it('measures with vectors that have no copies first: which copy is found, nobody can tell', () => {
    const dimensions = 16
    const random = createRandom(9)
    const vector = () => Float32Array.from({ length: dimensions }, () => random.normal())
    const copy = vector()
    const rows = Array.from({ length: 3_300 }, (_, i) => (i % 100 === 0 ? copy : vector()))
    const held = Array.from({ length: 600 }, (_, i) => (i % 11 === 0 ? copy : vector()))
    const settings = {
      dimensions,
      metric: 'euclidean',
      quantization: 'f32',
      connectivity: 8,
      expansionAdd: 64,
    } as const
    const building = new GraphBuilding(native, settings, held)
    const flat = Float32Array.from(rows.flatMap((row) => [...row]))
    const heldKeys = Uint32Array.from(held, (_, i) => rows.length + i)
    const steps = [building.add(Uint32Array.from(rows.keys()), flat, true), building.finish(0.99, heldKeys)] as const
    for (const _ of steps[0]) {
      // To its end.
    }
    let step = steps[1].next()
    while (!step.done) step = steps[1].next()
    const report = step.value
    expect([...report.heldKeys].sort((a, b) => a - b)).toEqual([...heldKeys])
    const isCopy = (key: number) => held[key - rows.length] === copy
    expect([...report.heldKeys.subarray(0, 500)].some(isCopy)).toBe(false)
    for (const [i, key] of report.heldKeys.entries()) {
      const nearest = rows[report.truth[i]![0]!]!
      const distance = (row: Float32Array) =>
        row.reduce((sum, value, d) => sum + (value - held[key - rows.length]![d]!) ** 2, 0)
      expect(distance(nearest)).toBeCloseTo(Math.min(...rows.map(distance)), 4)
    }
    expect(report.calibration.queries).toBe(500)
    for (const { candidates } of report.calibration.points) expect(candidates).toBeGreaterThan(0)
  })
})

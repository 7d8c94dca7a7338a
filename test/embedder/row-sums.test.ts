import { describe, expect, it } from 'vitest'
import { assembleRowSums } from '../../scripts/assemble-vector-scan.ts'
import { createRowSums, plainSums } from '../../src/embedder/row-sums.ts'
import { ROW_SUMS_WASM } from '../../src/embedder/row-sums-wasm.ts'
import { createRandom } from '../../src/testing/index.ts'

describe('createRowSums', () => {
  it('adds to the bit what the plain loop adds, short lists, long lists and none', () => {
    const random = createRandom(7)
    const model = { dimensions: 64, rows: Int8Array.from({ length: 64 * 500 }, () => random.below(256) - 128) }
    const [fast, plain] = [createRowSums(model), plainSums(model)]
    for (const count of [0, 1, 2, 17, 500, 40_000]) {
      for (let i = 0; i < count; i++) {
        const [id, weight] = [random.below(500), random.normal()]
        fast.add(id, weight)
        plain.add(id, weight)
      }
      for (const length of [64, 16]) {
        const [left, right] = [new Float64Array(64).fill(9), new Float64Array(64).fill(9)]
        fast.sum(left, length)
        plain.sum(right, length)
        expect(left).toEqual(right)
      }
    }
  })

  it('is what its source assembles to', async () => {
    expect(await assembleRowSums()).toBe(ROW_SUMS_WASM)
  })
})

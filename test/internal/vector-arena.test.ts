import { describe, expect, it } from 'vitest'
import { assembleVectorScan } from '../../scripts/assemble-vector-scan.ts'
import { VectorArena } from '../../src/internal/vector-arena.ts'
import { VECTOR_SCAN_WASM } from '../../src/internal/vector-scan-wasm.ts'
import { createRandom } from '../../src/testing/index.ts'

describe('VectorArena', () => {
  it.each([1, 3, 15, 16, 17, 100, 384])('gives by SIMD what the plain loop gives, at %i dimensions', (dimensions) => {
    const random = createRandom(dimensions)
    const fast = new VectorArena(dimensions)
    const plain = new VectorArena(dimensions, { simd: false })
    const vector = () => Float32Array.from({ length: dimensions }, () => random.normal())
    const count = 5_000
    for (let i = 0; i < count; i++) {
      const row = vector()
      for (const arena of [fast, plain]) {
        arena.reserve(i + 1)
        arena.write(i, row)
      }
    }
    const rows = Uint32Array.from({ length: 9_000 }, () => random.below(count))
    const query = vector()
    for (const metric of ['dot', 'squared-distance'] as const) {
      const [left, right] = [new Float32Array(rows.length), new Float32Array(rows.length)]
      fast.score(metric, query, rows, left, false)
      plain.score(metric, query, rows, right, false)
      // The stated bound: a millionth of the product of the lengths, or of the squared sum of them.
      const lengthOf = (values: Float32Array) => Math.hypot(...values)
      left.forEach((score, i) => {
        const [a, b] = [lengthOf(query), lengthOf(plain.row(rows[i]!))]
        expect(Math.abs(score - right[i]!)).toBeLessThanOrEqual(1e-6 * (metric === 'dot' ? a * b : (a + b) ** 2))
      })
      // A row's score never depends on the rows it is listed with.
      const alone = new Float32Array(1)
      for (let i = 0; i < 200; i++) {
        fast.score(metric, query, rows.subarray(i, i + 1), alone, false)
        expect(alone[0]).toBe(left[i])
      }
    }
    expect(fast.row(count - 1)).toEqual(plain.row(count - 1))
  })

  it('carries the module that the script assembles', async () => {
    expect(VECTOR_SCAN_WASM).toBe(await assembleVectorScan())
    expect(Buffer.from(VECTOR_SCAN_WASM, 'base64').length).toBeLessThan(4_096)
  })
})

import { describe, expect, it, vi } from 'vitest'
import { assembleVectorScan } from '../../scripts/assemble-vector-scan.ts'
import { VectorArena } from '../../src/internal/vector-arena.ts'
import { VECTOR_SCAN_WASM } from '../../src/internal/vector-scan-wasm.ts'
import { createRandom } from '../../src/testing/index.ts'

const lengthOf = (values: Float32Array) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0))

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
      // Far within the stated bound, as such vectors are.
      left.forEach((score, i) => {
        const scale = metric === 'dot' ? lengthOf(query) * lengthOf(plain.row(rows[i]!)) : right[i]!
        expect(Math.abs(score - right[i]!)).toBeLessThanOrEqual(1e-6 * scale)
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

  it.each([1, 8, 383, 768, 1_023, 1_024, 1_025, 1_536, 3_072, 4_096, 16_384, 65_536])(
    'differs from the plain loop by no more than its stated bound, at %i dimensions and whatever the values',
    (dimensions) => {
      const random = createRandom(dimensions)
      const kinds: Record<string, (i: number) => number> = {
        // Rounding all in one direction is what single precision bears worst.
        'a third': () => 1 / 3,
        'all but one': () => 1 - 2 ** -24,
        'one in a thousand large': (i) => (i % 1_000 === 0 ? 1e3 : 1e-3),
        'of every size': () => random.normal() * 10 ** (12 * random.next() - 6),
        'cancelling out': (i) => (i % 2 === 0 ? 1 : -1) * (1 + 1e-7 * random.next()),
        'beside subnormals': (i) => (i % 3 === 0 ? 1 : 1e-45),
        'as small as single precision is used for': () => 1e-12 * random.normal(),
        'as large': () => (1e15 / Math.sqrt(dimensions)) * (random.next() - 0.5),
        positive: () => random.next(),
        normal: () => random.normal(),
      }
      const vectors = Object.values(kinds).map((value) => Float32Array.from({ length: dimensions }, (_, i) => value(i)))
      const fast = new VectorArena(dimensions)
      const plain = new VectorArena(dimensions, { simd: false })
      // So many that the rows are in a memory of their own.
      fast.reserve(257)
      plain.reserve(257)
      for (const [row, vector] of vectors.entries()) for (const arena of [fast, plain]) arena.write(row, vector)
      const rows = Uint32Array.from(vectors.keys())
      for (const query of vectors)
        for (const metric of ['dot', 'squared-distance'] as const) {
          const [left, right] = [new Float64Array(rows.length), new Float64Array(rows.length)]
          fast.score(metric, query, rows, left, false)
          plain.score(metric, query, rows, right, false)
          for (const [row, vector] of vectors.entries()) {
            const scale = metric === 'dot' ? lengthOf(query) * lengthOf(vector) : right[row]!
            // What is below the least 32-bit float is 0 in one of them.
            const bound = 1e-5 * scale + dimensions * 2 ** -149
            expect(Math.abs(left[row]! - right[row]!)).toBeLessThanOrEqual(bound)
          }
        }
    },
  )

  it('is the plain loop where a runtime has no WebAssembly or refuses the module, and for few rows', () => {
    const dimensions = 20
    const random = createRandom(2)
    const rows = Array.from({ length: 600 }, () => Float32Array.from({ length: dimensions }, () => random.normal()))
    const scoresOf = (arena: VectorArena) => {
      arena.reserve(rows.length)
      for (const [at, row] of rows.entries()) arena.write(at, row)
      const scores = new Float64Array(rows.length)
      arena.score('dot', rows[0]!, Uint32Array.from(rows.keys()), scores, false)
      return scores
    }
    const plain = scoresOf(new VectorArena(dimensions, { simd: false }))
    const simd = scoresOf(new VectorArena(dimensions))
    expect(plain).not.toEqual(simd)
    const { Memory } = WebAssembly
    for (const broken of [undefined, { ...WebAssembly, Memory: () => expect.unreachable() }]) {
      vi.stubGlobal('WebAssembly', broken)
      try {
        expect(scoresOf(new VectorArena(dimensions))).toEqual(plain)
      } finally {
        vi.unstubAllGlobals()
      }
    }
    expect(WebAssembly.Memory).toBe(Memory)
    const few = new VectorArena(dimensions)
    few.reserve(256)
    for (let at = 0; at < 256; at++) few.write(at, rows[at]!)
    const scores = new Float64Array(256)
    few.score(
      'dot',
      rows[0]!,
      Uint32Array.from({ length: 256 }, (_, at) => at),
      scores,
      false,
    )
    expect(scores).toEqual(plain.slice(0, 256))
  })

  it('carries the module that the script assembles', async () => {
    expect(VECTOR_SCAN_WASM).toBe(await assembleVectorScan())
    expect(Buffer.from(VECTOR_SCAN_WASM, 'base64').length).toBeLessThan(4_096)
  })
})

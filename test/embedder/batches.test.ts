import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { planBatches, utf8Length } from '../../src/embedder/batches.ts'

const size = fc.record({ tokens: fc.nat(50), bytes: fc.nat(200) })
const limits = fc.record(
  {
    items: fc.integer({ min: 1, max: 10 }),
    batchTokens: fc.integer({ min: 1, max: 100 }),
    batchBytes: fc.integer({ min: 1, max: 400 }),
  },
  { requiredKeys: [] },
)

describe('planBatches', () => {
  it('covers all inputs in order, within the limits but for inputs that alone exceed them, and never stops early', () => {
    fc.assert(
      fc.property(fc.array(size, { maxLength: 60 }), limits, (sizes, given) => {
        const { items = Infinity, batchTokens = Infinity, batchBytes = Infinity } = given
        const fits = (from: number, to: number) => {
          const part = sizes.slice(from, to)
          return (
            part.length <= items &&
            part.reduce((sum, { tokens }) => sum + tokens, 0) <= batchTokens &&
            part.reduce((sum, { bytes }) => sum + bytes, 0) <= batchBytes
          )
        }
        let at = 0
        for (const { start, end } of planBatches(sizes, given)) {
          expect(start).toBe(at)
          expect(end).toBeGreaterThan(start)
          expect(end - start === 1 || fits(start, end)).toBe(true)
          if (end < sizes.length) expect(fits(start, end + 1)).toBe(false)
          at = end
        }
        expect(at).toBe(sizes.length)
      }),
      { seed: 5, numRuns: 500 },
    )
  })
})

describe('utf8Length', () => {
  it('equals the length of the encoded text', () => {
    const encoder = new TextEncoder()
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 0xd700, max: 0xe000 }), (text, unit) => {
        const whole = text + String.fromCharCode(unit) + text
        expect(utf8Length(whole)).toBe(encoder.encode(whole).length)
      }),
      { seed: 6, numRuns: 500 },
    )
  })
})

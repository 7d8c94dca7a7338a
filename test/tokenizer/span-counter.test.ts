import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { cl100kBase } from '../../src/tokenizer/cl100k-base.ts'
import { o200kBase } from '../../src/tokenizer/o200k-base.ts'
import { r50kBase } from '../../src/tokenizer/r50k-base.ts'
import { anyText, mixedText, realTexts } from './support/texts.ts'

vi.setConfig({ testTimeout: process.env.GROUNDLINE_NIGHTLY ? 1_200_000 : 120_000 })

const RUNS = process.env.GROUNDLINE_NIGHTLY ? 30_000 : 1_500
const seed = 20_261_122

describe.each([
  ['o200k_base', o200kBase],
  ['cl100k_base', cl100kBase],
  ['r50k_base', r50kBase],
] as const)('spans of %s', (_name, create) => {
  const tokenizer = create()

  it('count every slice as a text of its own', () => {
    const cuts = fc.array(fc.tuple(fc.nat(), fc.nat()), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(fc.oneof(mixedText, anyText), cuts, (text, slices) => {
        const spans = tokenizer.spans(text)
        for (const [one, two] of slices) {
          const [start, end] = [one % (text.length + 1), two % (text.length + 1)].sort((a, b) => a - b) as [
            number,
            number,
          ]
          expect([text, start, end, spans.count(start, end)]).toEqual([
            text,
            start,
            end,
            tokenizer.count(text.slice(start, end)),
          ])
        }
      }),
      { numRuns: RUNS, seed },
    )
  })

  it('count slices of real text', () => {
    let state = 7
    const draw = (limit: number) => {
      state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
      return (state >> 4) % limit
    }
    for (const text of realTexts().values()) {
      const spans = tokenizer.spans(text)
      for (let round = 0; round < 400; round++) {
        const start = draw(text.length)
        const end = Math.min(text.length, start + draw(3000))
        expect([start, end, spans.count(start, end)]).toEqual([start, end, tokenizer.count(text.slice(start, end))])
      }
    }
  })

  it('cost little however long the slice is', () => {
    const text = 'The quick brown fox jumps over the lazy dog. '.repeat(40_000)
    const spans = tokenizer.spans(text)
    const before = process.cpuUsage()
    for (let end = 1_000_001; end < 1_001_001; end++) spans.count(3, end)
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(1_000)
    expect(spans.count(3, 1_000_005)).toBe(tokenizer.count(text.slice(3, 1_000_005)))
  })

  it('refuse what is no slice', () => {
    const spans = tokenizer.spans('four')
    for (const [start, end] of [
      [-1, 2],
      [3, 2],
      [0, 5],
      [0.5, 2],
      [Number.NaN, 2],
    ] as const) {
      expect(() => spans.count(start, end)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
    }
  })
})

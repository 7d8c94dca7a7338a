import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cl100kBase } from '../../src/tokenizer/cl100k-base.ts'
import { byteBoundCounter, exactCounter } from '../../src/tokenizer/index.ts'
import { o200kBase } from '../../src/tokenizer/o200k-base.ts'
import { p50kBase } from '../../src/tokenizer/p50k-base.ts'

const RUNS = process.env.GROUNDLINE_NIGHTLY === '1' ? 100_000 : 5_000
const piece = fc.oneof(
  fc.constantFrom(
    ' ',
    '  ',
    '\n',
    '\r\n',
    '\n\n',
    '\t',
    '/',
    '//',
    "'s",
    '…',
    '.',
    '1234',
    'Ab',
    'word',
    '鍵',
    '🔑',
    '\u0301',
    '\u0085',
    '\ufeff',
    '\u2028',
    '<|endoftext|>',
  ),
  fc.string({ maxLength: 4, unit: 'binary' }),
)
const text = fc.array(piece, { maxLength: 12 }).map((parts) => parts.join(''))

describe('counters that add up at line ends', () => {
  it.each([
    ['o200k_base', exactCounter(o200kBase())],
    ['cl100k_base', exactCounter(cl100kBase())],
    ['bytes', byteBoundCounter()],
  ])(
    `do so on ${RUNS} pairs of texts (%s)`,
    (_, counter) => {
      expect(counter.additiveAtLines).toBe(true)
      fc.assert(
        fc.property(text, text, (before, after) => {
          const [a, b] = [`${before}\n`, after.replace(/^[\s\u0085/]+/, '')]
          expect(counter.count(a + b)).toBe(counter.count(a) + counter.count(b))
        }),
        { numRuns: RUNS, seed: 51 },
      )
    },
    600_000,
  )

  it('do not claim it where a vocabulary looks past a line feed', () => {
    const counter = exactCounter(p50kBase())
    expect(counter.additiveAtLines).toBeUndefined()
    expect(counter.count('a\n\nb')).not.toBe(counter.count('a\n\n') + counter.count('b'))
  })
})

import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cl100kBase } from '../../src/tokenizer/cl100k-base.ts'
import { byteBoundCounter, exactCounter, learningCounter } from '../../src/tokenizer/index.ts'
import { o200kBase } from '../../src/tokenizer/o200k-base.ts'
import { r50kBase } from '../../src/tokenizer/r50k-base.ts'
import { mixedText, realTexts } from './support/texts.ts'

const seed = 20_261_122

describe('byteBoundCounter', () => {
  it('is the length of the UTF-8, and never less than the tokens of a byte-level vocabulary', () => {
    const bound = byteBoundCounter()
    const anything = fc.oneof(
      mixedText,
      fc.string({ unit: 'binary' }),
      fc.array(fc.nat({ max: 0xffff })).map((units) => String.fromCharCode(...units)),
    )
    fc.assert(
      fc.property(anything, (text) => {
        expect(bound.count(text)).toBe(new TextEncoder().encode(text).length)
        expect(bound.count(text)).toBeGreaterThanOrEqual(o200kBase().count(text))
        expect(bound.count(text)).toBeGreaterThanOrEqual(r50kBase().count(text))
      }),
      { numRuns: 2_000, seed },
    )
    expect(bound.kind).toBe('bound')
  })
})

describe('exactCounter', () => {
  it('counts as its tokenizer does', () => {
    const counter = exactCounter(o200kBase())
    expect([counter.id, counter.kind, counter.count('hello world')]).toEqual(['o200k_base', 'exact', 2])
    expect(counter.decode(counter.encode('hello world'))).toBe('hello world')
  })

  it('counts slices in one pass where its tokenizer does, and has no such member where it does not', () => {
    expect(exactCounter(o200kBase()).spans!('hello world').count(0, 5)).toBe(1)
    const { id, encode, decode, count } = o200kBase()
    expect('spans' in exactCounter({ id, encode, decode, count })).toBe(false)
  })
})

describe('learningCounter', () => {
  const lines = realTexts()
    .get('markdown')!
    .split('\n')
    .filter((line) => line.length > 40)

  it('starts at a margin that covers cl100k_base and o200k_base for each other on Markdown, and not r50k_base', () => {
    const root = new URL('../../', import.meta.url)
    const files = ['./', './docs/', './docs/decisions/'].flatMap((folder) =>
      readdirSync(new URL(folder, root))
        .filter((name) => name.endsWith('.md'))
        .map((name) => readFileSync(new URL(folder + name, root), 'utf8')),
    )
    expect(files.length).toBeGreaterThan(20)
    const ratios = files.map((text) => cl100kBase().count(text) / o200kBase().count(text))
    const { factor } = learningCounter({ id: 'secret', base: o200kBase() })
    expect(Math.max(...ratios.map((ratio) => Math.max(ratio, 1 / ratio)))).toBeLessThan(factor)
    const table = `| name${' '.repeat(60)}| purpose${' '.repeat(60)}|\n`.repeat(20)
    expect(r50kBase().count(table)).toBeGreaterThan(3 * o200kBase().count(table))
  })

  it('starts at its margin and says that it is an estimate', () => {
    const counter = learningCounter({ id: 'secret', base: o200kBase() })
    expect([counter.kind, counter.factor, counter.count('hello world')]).toEqual(['estimate', 1.35, 3])
  })

  it('learns a factor under which few counts are too low', () => {
    const truth = (text: string) => r50kBase().count(text)
    const counter = learningCounter({ id: 'secret', base: o200kBase(), quantile: 0.98 })
    const [past, future] = [lines.filter((_, index) => index % 2 === 0), lines.filter((_, index) => index % 2 === 1)]
    for (const line of past) counter.report(line, truth(line))
    const low = future.filter((line) => counter.count(line) < truth(line)).length
    expect(low / future.length).toBeLessThan(0.05)
    expect(counter.factor).toBeLessThan(3)
  })

  it('keeps what it learned in JSON, within its window', () => {
    const counter = learningCounter({ id: 'secret', base: byteBoundCounter(), after: 2, window: 3 })
    for (const tokens of [1, 2, 3, 4, 5]) counter.report('ten bytes.', tokens)
    expect(counter.reports).toBe(3)
    expect(counter.factor).toBe(0.5)
    const again = learningCounter({
      id: 'secret',
      base: byteBoundCounter(),
      after: 2,
      learned: JSON.parse(JSON.stringify(counter)),
    })
    expect([again.factor, again.count('ten bytes.')]).toEqual([0.5, 5])
  })

  it('takes no nonsense from a provider', () => {
    const counter = learningCounter({ id: 'secret', base: byteBoundCounter(), after: 1 })
    for (const tokens of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => counter.report('text', tokens)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
    }
    counter.report('', 5)
    counter.report('text', 0)
    expect(counter.factor).toBe(1.35)
    expect(() => learningCounter({ id: 'x', base: byteBoundCounter(), quantile: 2 })).toThrow(/quantile/)
  })
})

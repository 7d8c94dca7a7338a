import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createWordSlots, SLOT_BLOCK, stemOf } from '../../src/embedder/word-slots.ts'

const vocabulary = ['the', 'of', 'key', 'rotate', 'signing', '##s', 'engine']
const slots = createWordSlots(vocabulary)
const empty = () => new Float64Array(2 * SLOT_BLOCK)
const squares = (sums: Float64Array) => sums.reduce((sum, each) => sum + each * each, 0)
const wordOf = (word: string, count = 1) => {
  const sums = empty()
  slots.addUnknown(sums, 0, word, count)
  return sums
}

describe('createWordSlots', () => {
  it('writes a word as its stem, whether or not the vocabulary holds it', () => {
    const known = empty()
    slots.addKnown(known, 0, vocabulary.indexOf('engine'), 1)
    expect(known).toEqual(wordOf('engine'))
    expect(wordOf('engines')).toEqual(known)
    expect(wordOf('rotated')).toEqual(wordOf('rotate'))
    expect(wordOf('key')).not.toEqual(known)
  })

  it('weighs by rank and by the root of the count', () => {
    expect(squares(wordOf('zebra'))).toBeGreaterThan(20 * squares(wordOf('the')))
    expect(squares(wordOf('key'))).toBeGreaterThan(squares(wordOf('of')))
    expect(squares(wordOf('zebra', 9))).toBeCloseTo(9 * squares(wordOf('zebra')), 10)
  })

  it('writes at most four components of each block, and none beyond the vector', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (word) => {
        const sums = wordOf(word)
        for (const block of [sums.subarray(0, SLOT_BLOCK), sums.subarray(SLOT_BLOCK)])
          expect(block.filter((component) => component !== 0).length).toBeLessThanOrEqual(4)
        const short = new Float64Array(SLOT_BLOCK)
        slots.addUnknown(short, 0, word, 1)
        expect(short).toEqual(sums.slice(0, SLOT_BLOCK))
      }),
      { seed: 5, numRuns: 500 },
    )
  })

  it('spreads words evenly over the components', () => {
    const hits = new Array<number>(2 * SLOT_BLOCK).fill(0)
    for (let word = 0; word < 20_000; word++)
      for (const [at, component] of wordOf(`word${word}x`).entries())
        if (component !== 0) hits[at] = (hits[at] ?? 0) + 1
    const mean = hits.reduce((sum, each) => sum + each, 0) / hits.length
    for (const each of hits) expect(Math.abs(each - mean)).toBeLessThan(6 * Math.sqrt(mean))
  })
})

describe('stemOf', () => {
  it.each([
    ['studies', 'study'],
    ['classes', 'class'],
    ['planning', 'plan'],
    ['loaded', 'load'],
    ['quickly', 'quick'],
    ['keys', 'key'],
    ['glass', 'glass'],
    ['engine', 'engin'],
    ['engines', 'engin'],
    ['20000', '20000'],
    ['bed', 'bed'],
  ])('%s → %s', (word, stem) => {
    expect(stemOf(word)).toBe(stem)
  })
})

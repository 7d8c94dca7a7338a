import { describe, expect, test } from 'vitest'
import { nearDuplicates } from '../../src/corpus/index.ts'
import { seededRandom } from './simulated-file-system.ts'

const random = seededRandom(41)
const words = Array.from({ length: 2_000 }, (_, index) => `word${index}`)
const textOf = (length: number): string[] => Array.from({ length }, () => words[Math.floor(random() * words.length)]!)

/** Share of common five-word shingles: the truth that MinHash estimates. */
function jaccard(a: string, b: string): number {
  const shingles = (text: string): Set<string> => {
    const all = text.split(' ')
    return new Set(all.slice(0, -4).map((_, at) => all.slice(at, at + 5).join(' ')))
  }
  const [one, two] = [shingles(a), shingles(b)]
  const common = [...one].filter((shingle) => two.has(shingle)).length
  return common / (one.size + two.size - common)
}

describe('nearDuplicates', () => {
  test('equal texts are found and unrelated ones are not', () => {
    const finder = nearDuplicates()
    for (let index = 0; index < 300; index++) {
      const text = textOf(100).join(' ')
      expect(finder.add(`a${index}`, text)).toBeUndefined()
      expect(finder.add(`b${index}`, text)).toBe(`a${index}`)
    }
  })

  test('texts clearly over the threshold are found, those clearly below are not', () => {
    let [over, found, under, wrong] = [0, 0, 0, 0]
    for (let index = 0; index < 300; index++) {
      const original = textOf(200)
      const changed = original.slice()
      for (let edit = 0; edit < index % 12; edit++) changed[Math.floor(random() * 200)] = 'edited'
      const [a, b] = [original.join(' '), changed.join(' ')]
      const finder = nearDuplicates({ threshold: 0.8 })
      finder.add('a', a)
      const duplicate = finder.add('b', b) === 'a'
      const share = jaccard(a, b)
      if (share >= 0.9) {
        over++
        if (duplicate) found++
      } else if (share <= 0.65) {
        under++
        if (duplicate) wrong++
      }
    }
    expect(over).toBeGreaterThan(30)
    expect(under).toBeGreaterThan(30)
    expect(found / over).toBeGreaterThanOrEqual(0.97)
    expect(wrong / under).toBeLessThanOrEqual(0.03)
  })

  test('short, empty and non-Latin texts do no harm', () => {
    const finder = nearDuplicates()
    expect(finder.add('a', '')).toBeUndefined()
    expect(finder.add('b', '')).toBe('a')
    expect(finder.add('c', 'one')).toBeUndefined()
    expect(finder.add('d', '东京都')).toBeUndefined()
    expect(finder.add('d', '东京都')).toBeUndefined()
    expect(() => nearDuplicates({ threshold: 0 })).toThrow('threshold')
  })
})

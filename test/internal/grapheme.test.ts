import fc from 'fast-check'
import { expect, test } from 'vitest'
import { graphemeFinder } from '../../src/internal/grapheme.ts'
import { graphemeBoundaries, hostileText, lawRuns, lawTimeout } from '../chunker/hostile-text.ts'

const runs = fc
  .constantFrom('👩‍👩‍👧‍👦', '🇩🇪', 'e\u0301\u0323', '\u200d', '\ud83d', 'ที่', 'a')
  .chain((piece) => fc.integer({ min: 1, max: 900 }).map((times) => piece.repeat(times)))

test('whatever is asked in whatever order, boundaries are those of the whole text', { timeout: lawTimeout }, () => {
  fc.assert(
    fc.property(
      fc
        .array(fc.oneof(hostileText, runs), { minLength: 1, maxLength: 4 })
        .map((parts) => parts.join('').slice(0, 12_000)),
      fc.array(fc.tuple(fc.boolean(), fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(3000)), { maxLength: 40 }),
      (text, asked) => {
        const boundaries = [...graphemeBoundaries(text)].toSorted((a, b) => a - b)
        const finder = graphemeFinder(text)
        const before = (position: number) => boundaries.findLast((boundary) => boundary <= position)!
        for (const [forwards, share, back] of asked) {
          const position = Math.floor(share * text.length)
          const start = before(Math.max(0, position - back))
          if (!forwards) expect(finder.atOrBefore(position, start)).toBe(before(position))
          else if (start < text.length) expect(finder.next(start)).toBe(boundaries.find((boundary) => boundary > start))
        }
      },
    ),
    { numRuns: lawRuns * 2, seed: 20_261_125 },
  )
})

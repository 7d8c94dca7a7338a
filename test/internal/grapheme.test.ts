import fc from 'fast-check'
import { expect, test } from 'vitest'
import { graphemeFinder } from '../../src/internal/grapheme.ts'
import { graphemeBoundaries, hostileText, lawRuns, lawTimeout } from '../chunker/hostile-text.ts'

/** Runs of clusters, and letters between them that move where a window of units ends, also into the middle of a pair. */
const runs = fc
  .tuple(
    fc.constantFrom('👩‍👩‍👧‍👦', '🇩🇪', 'e\u0301\u0323', '\u200d', '\ud83d', 'ที่', '😀'),
    fc.integer({ min: 1, max: 150 }),
    fc.integer({ min: 0, max: 70 }),
  )
  .map(([piece, times, letters]) => `${piece.repeat(times >> 3)}${'\u0d15'.repeat(letters)}${piece.repeat(times)}`)

test('whatever is asked in whatever order, boundaries are those of the whole text', { timeout: lawTimeout }, () => {
  fc.assert(
    fc.property(
      fc
        .array(fc.oneof(hostileText, runs), { minLength: 1, maxLength: 3 })
        .map((parts) => parts.join('').slice(0, 4000)),
      fc.array(fc.tuple(fc.boolean(), fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(600)), { maxLength: 12 }),
      (text, asked) => {
        const boundaries = [...graphemeBoundaries(text)].toSorted((a, b) => a - b)
        const indices = new Uint32Array(text.length + 1)
        for (let at = 0, index = 0; at <= text.length; at += 1) {
          if (boundaries[index + 1] === at) index += 1
          indices[at] = index
        }
        const before = (position: number) => boundaries[indices[position]!]!
        const finder = graphemeFinder(text)
        const wrong: string[] = []
        for (const [forwards, share, back] of asked) {
          const first = Math.floor(share * text.length)
          for (let position = first; position < Math.min(text.length, first + 300); position += 1) {
            const start = before(Math.max(0, position - back))
            const found = forwards ? finder.next(start) : finder.atOrBefore(position, start)
            const expected = forwards ? boundaries[indices[start]! + 1] : before(position)
            if (found !== expected) wrong.push(`${forwards ? 'next' : 'at'} ${position}: ${found} for ${expected}`)
          }
        }
        expect(wrong).toEqual([])
      },
    ),
    { numRuns: lawRuns, seed: 20_261_125 },
  )
})

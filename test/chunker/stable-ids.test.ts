import { describe, expect, test } from 'vitest'
import { characterCounter, markdownChunker, recursiveChunker } from '../../src/chunker/index.ts'

/** Text of the given size from a fixed seed: paragraphs of sentences of made-up words, none twice. */
function prose(units: number, headings: boolean): string[] {
  let state = 20_261_122
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  const paragraphs: string[] = []
  for (let size = 0; size < units; ) {
    const words = Array.from({ length: 30 + random(90) }, (_, index) => {
      const word = (random(60_466_176) + 60_466_176).toString(36).slice(random(3))
      return index % 12 === 11 ? `${word}.` : word
    })
    const heading = headings && random(12) === 0 ? `## Section ${paragraphs.length}\n\n` : ''
    paragraphs.push(`${heading}${words.join(' ')}.\n\n`)
    size += paragraphs[paragraphs.length - 1]!.length
  }
  return paragraphs
}

describe.each([
  ['recursiveChunker', recursiveChunker, false],
  ['markdownChunker without headings', markdownChunker, false],
  ['markdownChunker', markdownChunker, true],
] as const)('%s', (_, create, headings) => {
  test.each([300, 2048, 4000])(
    'an edited paragraph in 1 MB keeps at least 95 %% of the ids at %i characters',
    (maxTokens) => {
      const chunker = create({ maxTokens, counter: characterCounter() })
      const ids = (text: string): string[] => Array.from(chunker.chunk({ id: 'book', text }), ({ id }) => id)
      const paragraphs = prose(1_000_000, headings)
      const before = ids(paragraphs.join(''))
      for (const share of [0.02, 0.35, 0.71]) {
        for (const edit of ['A new sentence here. ', '', 'x'.repeat(700)]) {
          const at = Math.floor(paragraphs.length * share)
          const edited = paragraphs.with(at, edit === '' ? '' : edit + paragraphs[at]!)
          const after = new Set(ids(edited.join('')))
          const kept = before.filter((id) => after.has(id)).length
          expect(kept / before.length).toBeGreaterThanOrEqual(0.95)
        }
      }
    },
  )
})

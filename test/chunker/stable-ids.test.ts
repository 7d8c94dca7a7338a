import { describe, expect, test } from 'vitest'
import {
  type ChunkCounter,
  type ChunkLimits,
  characterCounter,
  codeChunker,
  hierarchicalChunker,
  htmlChunker,
  markdownChunker,
  recursiveChunker,
  sentenceChunker,
  sentenceWindowChunker,
  tokenChunker,
  transcriptChunker,
} from '../../src/chunker/index.ts'
import { o200kBase } from '../../src/tokenizer/o200k-base.ts'

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

const nested = (limits: ChunkLimits) =>
  hierarchicalChunker({
    levels: [recursiveChunker({ ...limits, maxTokens: 8 * (limits.maxTokens ?? 1) }), recursiveChunker(limits)],
  })
const asCode = (limits: ChunkLimits) => codeChunker({ ...limits, language: 'other' })
const characters: readonly [string, ChunkCounter, readonly number[]] = ['characters', characterCounter(), [300, 2048]]
const tokens: readonly [string, ChunkCounter, readonly number[]] = ['tokens', o200kBase(), [128, 512]]

describe.each([
  ['recursiveChunker', recursiveChunker, false, characters],
  ['recursiveChunker', recursiveChunker, false, tokens],
  ['markdownChunker', markdownChunker, false, characters],
  ['markdownChunker', markdownChunker, true, characters],
  ['markdownChunker', markdownChunker, true, tokens],
  ['tokenChunker', tokenChunker, false, characters],
  ['sentenceChunker', sentenceChunker, false, characters],
  ['sentenceWindowChunker', sentenceWindowChunker, false, characters],
  ['htmlChunker', htmlChunker, false, characters],
  ['transcriptChunker', transcriptChunker, false, characters],
  ['codeChunker by indentation', asCode, false, characters],
  ['hierarchicalChunker', nested, false, characters],
] as const)('%s, headings: %s', (_, create, headings, [unit, counter, limits]) => {
  test.each(limits)(`an edited paragraph in 1 MB keeps at least 95 %% of the ids at %i ${unit}`, (maxTokens) => {
    const chunker = create({ maxTokens, counter })
    const ids = (text: string): string[] => Array.from(chunker.chunk({ id: 'book', text }), ({ id }) => id)
    const paragraphs = prose(1_000_000, headings)
    const before = ids(paragraphs.join(''))
    const shares = process.env.GROUNDLINE_NIGHTLY === undefined ? [0.02] : [0.02, 0.35, 0.71]
    for (const share of shares) {
      for (const edit of ['A new sentence here. ', '', 'x'.repeat(700)]) {
        const at = Math.floor(paragraphs.length * share)
        const edited = paragraphs.with(at, edit === '' ? '' : edit + paragraphs[at]!)
        const after = new Set(ids(edited.join('')))
        const kept = before.filter((id) => after.has(id)).length
        expect(kept / before.length).toBeGreaterThanOrEqual(0.95)
      }
    }
  })
})

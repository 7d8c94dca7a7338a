import { describe, expect, test } from 'vitest'
import { type ChunkCounter, characterCounter } from '../../src/chunker/index.ts'
import { o200kBase } from '../../src/tokenizer/o200k-base.ts'
import { everyChunker } from './every-chunker.ts'
import { chunksOf } from './laws.ts'

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

/** A text in parts, and how a part is edited: text is inserted; an empty insertion removes the part. */
interface EditableText {
  readonly parts: readonly string[]
  readonly edit: (part: string, inserted: string) => string
}

const plain = (headings: boolean): EditableText => ({
  parts: prose(1_000_000, headings),
  edit: (part, inserted) => (inserted === '' ? '' : inserted + part),
})
/** Sentences without a paragraph, a line each or all in one. Words in lower case, so that the Unicode rules end none. */
const unparted = (between: string): EditableText => ({
  parts: prose(1_000_000, false).flatMap((text) =>
    text
      .trim()
      .split(/(?<=\.) /)
      .map((sentence) => sentence + between),
  ),
  edit: plain(false).edit,
})
const inside: EditableText['edit'] = (part, inserted) => (inserted === '' ? '' : part.replace('¦', inserted))
const wordsOf = (text: string): string[] => text.trim().split(/\s+/)

/** An array of records, or records one a line. */
const records = (lines: boolean): EditableText => {
  const made = prose(1_000_000, false).map((text, id) => {
    const record = JSON.stringify(
      { id: `r${id}`, text: `¦${text.trim()}`, tags: wordsOf(text).slice(0, 3) },
      null,
      lines ? 0 : 1,
    )
    return lines ? `${record}\n` : `${record},\n`
  })
  return { parts: lines ? made : ['[', ...made, '{}]'], edit: inside }
}

/** Of one word a line, so that the text is about three times the prose. */
const functions = (): EditableText => ({
  parts: prose(300_000, false).map((text, index) => {
    const lines = wordsOf(text).map((word, at) => `  const v${at} = call(value, '${word}')\n`)
    return `/** Does ${index}. */\nfunction f${index}(value) {\n  // ¦\n${lines.join('')}  return value\n}\n\n`
  }),
  edit: inside,
})

const characters: readonly [string, ChunkCounter, readonly number[]] = ['characters', characterCounter(), [300, 2048]]
const tokens: readonly [string, ChunkCounter, readonly number[]] = ['tokens', o200kBase(), [128, 512]]

describe.each([
  ['recursiveChunker', 'text', () => plain(false), characters],
  ['recursiveChunker', 'text', () => plain(false), tokens],
  ['markdownChunker', 'text', () => plain(false), characters],
  ['markdownChunker', 'text under headings', () => plain(true), characters],
  ['markdownChunker', 'text under headings', () => plain(true), tokens],
  ['tokenChunker', 'text', () => plain(false), characters],
  ['sentenceChunker', 'text', () => plain(false), characters],
  ['sentenceChunker', 'one line', () => unparted(' '), characters],
  ['sentenceChunker', 'lines', () => unparted('\n'), characters],
  ['sentenceWindowChunker', 'one line', () => unparted(' '), characters],
  ['sentenceWindowChunker', 'lines', () => unparted('\n'), characters],
  ['markdownChunker', 'one line', () => unparted(' '), characters],
  ['markdownChunker', 'lines', () => unparted('\n'), characters],
  ['recursiveChunker', 'one line', () => unparted(' '), characters],
  ['sentenceWindowChunker', 'text', () => plain(false), characters],
  ['outlineChunker', 'text', () => plain(false), characters],
  ['htmlChunker', 'text', () => plain(false), characters],
  ['transcriptChunker', 'text', () => plain(false), characters],
  ['codeChunker by indentation', 'text', () => plain(false), characters],
  ['codeChunker by indentation', 'functions', functions, characters],
  ['codeChunker by tree-sitter', 'functions', functions, characters],
  ['jsonChunker', 'an array', () => records(false), characters],
  ['jsonChunker', 'JSON lines', () => records(true), characters],
  ['jsonChunker', 'text', () => plain(false), characters],
  ['hierarchicalChunker', 'text', () => plain(false), characters],
  ['semanticChunker', 'text', () => plain(false), characters],
] as const)('%s, %s', (name, _, make, [unit, counter, limits]) => {
  test.each(limits)(
    `an edited part of 1 MB keeps 0.95 of the ids at least, at %i ${unit}`,
    {
      timeout: 600_000,
    },
    async (maxTokens) => {
      const chunker = everyChunker[name]!({ maxTokens, counter })
      const ids = async (text: string): Promise<string[]> =>
        (await chunksOf(chunker, { id: 'book', text })).map(({ id }) => id)
      const { parts, edit } = make()
      const before = await ids(parts.join(''))
      const shares =
        process.env.GROUNDLINE_NIGHTLY === undefined ? [0.02] : Array.from({ length: 20 }, (_, n) => (n + 0.4) / 24)
      for (const share of shares) {
        const at = Math.floor(parts.length * share)
        // A part is added to, taken away, made much longer, and moved by a third of the text.
        const moved = parts.toSpliced(at, 1).toSpliced(at + Math.floor(parts.length / 3), 0, parts[at]!)
        const edits = ['A new sentence here. ', '', 'x'.repeat(700)].map((inserted) =>
          parts.with(at, edit(parts[at]!, inserted)),
        )
        for (const edited of [...edits, ...(share < 0.6 ? [moved] : [])].map((all) => all.join(''))) {
          const after = new Set(await ids(edited))
          const kept = before.filter((id) => after.has(id)).length
          expect(edited).not.toBe(parts.join(''))
          expect(kept / before.length).toBeGreaterThanOrEqual(0.95)
        }
      }
    },
  )
})

import { expect, test } from 'vitest'
import {
  type Chunker,
  characterCounter,
  codeChunker,
  hierarchicalChunker,
  htmlChunker,
  jsonChunker,
  markdownChunker,
  outlineChunker,
  recursiveChunker,
  semanticChunker,
  sentenceChunker,
  sentenceWindowChunker,
  tokenChunker,
  transcriptChunker,
} from '../../src/chunker/index.ts'
import { fakeEmbedder } from '../../src/testing/index.ts'

/** Texts that make careless chunkers quadratic, about `n` units long. */
const generators: Record<string, (n: number) => string> = {
  letter: (n) => 'a'.repeat(n),
  spaces: (n) => ' '.repeat(n),
  newlines: (n) => '\n'.repeat(n),
  crlf: (n) => '\r\n'.repeat(n / 2),
  tabs: (n) => '\t'.repeat(n),
  words: (n) => 'word '.repeat(n / 5),
  sentences: (n) => 'A b c. '.repeat(n / 7),
  stops: (n) => '.'.repeat(n),
  abbreviations: (n) => 'Dr. '.repeat(n / 4),
  ideographs: (n) => '字'.repeat(n),
  'ideographic stops': (n) => '字。'.repeat(n / 2),
  hangul: (n) => '각'.repeat(n),
  arabic: (n) => 'مرحبا'.repeat(n / 5),
  thai: (n) => 'ที่นี่'.repeat(n / 6),
  emoji: (n) => '😀'.repeat(n / 2),
  families: (n) => '👩‍👩‍👧‍👦'.repeat(n / 11),
  flags: (n) => '🇩🇪'.repeat(n / 4),
  'one cluster': (n) => `a${'\u0301'.repeat(n)}`,
  'lone surrogates': (n) => '\ud83d'.repeat(n),
  joiners: (n) => '\u200d'.repeat(n),
  headings: (n) => '# a\n'.repeat(n / 4),
  fences: (n) => '```\n'.repeat(n / 4),
  quotes: (n) => '> a\n'.repeat(n / 4),
  items: (n) => '- a\n'.repeat(n / 4),
  table: (n) => `|a|b|\n|-|-|\n${'|a|b|\n'.repeat(n / 6)}`,
  brackets: (n) => '['.repeat(n),
  'open quotes': (n) => '"'.repeat(n),
  braces: (n) => '{"a":'.repeat(n / 5),
  speakers: (n) => 'A: b\n'.repeat(n / 5),
  urls: (n) => `https://example.com/${'a/'.repeat(n / 2)}`,
}

const limits = { maxTokens: 200, counter: characterCounter() }
const small = recursiveChunker(limits)
const chunkers: Record<string, Chunker> = {
  recursive: recursiveChunker(limits),
  token: tokenChunker(limits),
  sentence: sentenceChunker(limits),
  markdown: markdownChunker(limits),
  outline: outlineChunker(limits),
  code: codeChunker({ ...limits, language: 'other' }),
  transcript: transcriptChunker(limits),
  json: jsonChunker(limits),
  html: htmlChunker(limits),
  'sentence window': sentenceWindowChunker(limits),
  hierarchical: hierarchicalChunker({ levels: [recursiveChunker({ ...limits, maxTokens: 2000 }), small] }),
  semantic: semanticChunker({ ...limits, embedder: fakeEmbedder({ dimensions: 4 }) }),
}

/** Least processor time of a few runs, in milliseconds: other work on the machine only ever adds to it. */
const least = async (chunker: Chunker, text: string, rounds: number): Promise<number> => {
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < rounds; round += 1) {
    const start = process.cpuUsage().user
    for await (const _ of chunker.chunk({ id: 'd', text }));
    best = Math.min(best, (process.cpuUsage().user - start) / 1000)
  }
  return best
}

const size = process.env.GROUNDLINE_NIGHTLY === undefined ? 5_000 : 200_000

// Time may grow 2.6-fold for twice the text, and so 6.76-fold for four times; what is quadratic grows 16-fold.
test.each(Object.keys(chunkers))('%s takes linear time, whatever the text', { timeout: 1_200_000 }, async (name) => {
  const chunker = chunkers[name]!
  const slow: string[] = []
  for (const [kind, make] of Object.entries(generators)) {
    const [short, long] = [make(size), make(size * 4)]
    let ratio = Number.POSITIVE_INFINITY
    // The collector may strike in any one run: linear is what was linear once.
    for (let attempt = 0; attempt < 4 && ratio > 6.76; attempt += 1) {
      const later = await least(chunker, long, 2 + attempt)
      ratio = Math.min(ratio, later / Math.max(3, await least(chunker, short, 2 + attempt)))
    }
    if (ratio > 6.76) slow.push(`${kind}: ×${ratio.toFixed(1)} for four times the text`)
  }
  expect(slow).toEqual([])
})

import fc from 'fast-check'

/** Pieces that break chunkers: sequences that must not be cut, structure, and the absence of it. */
const pieces: readonly string[] = [
  'word ',
  'the quick brown fox. ',
  '\n',
  '\r\n',
  '\n\n',
  '\r',
  '\t',
  '   ',
  '\u00a0',
  '\u2028',
  '\u2029',
  '\u0085',
  '\ufeff',
  '👩‍👩‍👧‍👦',
  '👍🏽',
  '🇩🇪🇫🇷🇯🇵',
  '🏴󠁧󠁢󠁥󠁮󠁧󠁿',
  'e\u0301\u0323',
  'a' + '\u0300'.repeat(40),
  ' \u0301',
  '\ud83d',
  '\udc69',
  'नमस्ते क्षि',
  'สวัสดีครับ ที่นี่',
  '각각\u1100\u1161\u11a8',
  'שָׁלוֹם עולם',
  'مرحبا بالعالم، كيف؟ ',
  '日本語の文章です。',
  'これは「引用」です、はい。',
  'https://example.com/a/b?c=d#e ',
  'Dr. Smith met e.g. J. Doe. ',
  '"Quoted." Then! ',
  '# Heading\n',
  '```js\nlet x = 1\n```\n',
  '| a | b |\n|---|---|\n| 1 | 2 |\n',
  '- item\n',
  '> quote\n',
  '<|endoftext|>',
  '__proto__',
  '\u0000',
  'x'.repeat(300),
  '字'.repeat(70),
]

/** Sequences that no cut may part, wherever the limit falls. */
export const indivisible: readonly string[] = [
  '👩‍👩‍👧‍👦',
  '👍🏽',
  '🇩🇪',
  '🏴󠁧󠁢󠁥󠁮󠁧󠁿',
  '😀',
  'e\u0301\u0323',
  '\r\n',
  '\u1100\u1161\u11a8',
  'ที่',
  'क्षि',
  'שָׁ',
]

const mixed: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...pieces) },
      { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
      { weight: 1, arbitrary: fc.tuple(fc.constantFrom(...pieces), fc.nat(8)).map(([piece, n]) => piece.repeat(n)) },
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.join(''))

const blank: fc.Arbitrary<string> = fc.string({
  unit: fc.constantFrom(' ', '\n', '\r\n', '\r', '\t', '\u00a0', '\u0085', '\u2028', '\u2029', '\u3000', '\ufeff'),
  maxLength: 300,
})

/** Random texts made of hostile pieces, repeated ones included; some are blank, without any white space, or one paragraph over and over. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  { weight: 12, arbitrary: mixed },
  { weight: 1, arbitrary: blank },
  { weight: 1, arbitrary: mixed.map((text) => text.replace(/\s+/g, '')) },
  { weight: 1, arbitrary: fc.tuple(mixed, fc.integer({ min: 2, max: 5 })).map(([text, n]) => `${text}\n\n`.repeat(n)) },
)

/** How many cases a law runs: few by default, 10,000 in the nightly run. */
export const lawRuns: number = process.env.GROUNDLINE_NIGHTLY === undefined ? 60 : 10_000

/** Time that a law may take, in milliseconds. */
export const lawTimeout: number = process.env.GROUNDLINE_NIGHTLY === undefined ? 60_000 : 3_600_000

/** Grapheme boundaries of a short text, by Intl.Segmenter over the whole of it. */
export function graphemeBoundaries(text: string): Set<number> {
  const boundaries = new Set([0, text.length])
  for (const { index } of new Intl.Segmenter('und', { granularity: 'grapheme' }).segment(text)) boundaries.add(index)
  return boundaries
}

import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { cl100kBase } from '../../src/tokenizer/cl100k-base.ts'
import { longMerge } from '../../src/tokenizer/merge-long.ts'
import { shortMerge } from '../../src/tokenizer/merge-short.ts'
import { o200kBase } from '../../src/tokenizer/o200k-base.ts'
import { createRankTable } from '../../src/tokenizer/rank-table.ts'
import { heapMerge } from './support/heap-merge.ts'

vi.setConfig({ testTimeout: process.env.GROUNDLINE_NIGHTLY ? 1_200_000 : 120_000 })

const utf8 = new TextEncoder()

/** A small vocabulary trained on repetitive text, where merges overlap far more often than in a real one. */
function trainedTable(corpus: string, merges: number) {
  const tokens = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte))
  const words = corpus.split(' ').map((word) => Array.from(utf8.encode(word), (byte) => String.fromCharCode(byte)))
  for (let round = 0; round < merges; round++) {
    const counts = new Map<string, number>()
    for (const word of words) {
      for (let index = 0; index + 1 < word.length; index++) {
        const pair = word[index]! + word[index + 1]!
        counts.set(pair, (counts.get(pair) ?? 0) + 1)
      }
    }
    const best = [...counts].filter(([pair]) => !tokens.includes(pair)).sort((a, b) => b[1] - a[1])[0]
    if (!best) break
    tokens.push(best[0])
    for (const word of words) {
      for (let index = 0; index + 1 < word.length; index++) {
        if (word[index]! + word[index + 1]! === best[0]) word.splice(index, 2, best[0])
      }
    }
  }
  const arena = Uint8Array.from(Buffer.from(tokens.join(''), 'latin1'))
  const ranks = new Map(tokens.map((token, rank) => [token, rank]))
  return {
    table: createRankTable(
      Uint16Array.from(tokens, (token) => token.length),
      arena,
    ),
    ranks,
  }
}

describe('the merge of long words', () => {
  const { table, ranks } = trainedTable('abababcab aabbaabb abcabcabca bbbbab cacacab aaaaabaaa abaabaaab ccbaccba', 60)
  const long = longMerge(table)
  const short = shortMerge(table)
  const out = new Int32Array(4096)

  it('gives the tokens of the heap merge on every word over a small, entangled vocabulary', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 3, maxLength: 200 })
    fc.assert(
      fc.property(word, (text) => {
        if (ranks.has(text)) return
        const bytes = utf8.encode(text)
        const expected = heapMerge(bytes, (part) => ranks.get(part))
        expect(Array.from(out.subarray(0, long(bytes, 0, bytes.length, out, 0)))).toEqual(expected)
      }),
      { numRuns: 5_000, seed: 1 },
    )
  })

  it('gives the tokens of the quadratic merge on short words', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 3, maxLength: 60 })
    fc.assert(
      fc.property(word, (text) => {
        if (ranks.has(text)) return
        const bytes = utf8.encode(text)
        const expected = Array.from(out.subarray(0, short(bytes, 0, bytes.length, out, 0)))
        expect(Array.from(out.subarray(0, long(bytes, 0, bytes.length, out, 0)))).toEqual(expected)
      }),
      { numRuns: 5_000, seed: 2 },
    )
  })
})

const kinds: readonly (readonly [string, (length: number) => string])[] = [
  ['one letter', (length) => 'a'.repeat(length)],
  ['blanks', (length) => ' '.repeat(length)],
  ['newlines', (length) => '\n'.repeat(length)],
  ['blanks before a letter', (length) => `${' '.repeat(length)}x`],
  ['equals signs', (length) => '='.repeat(length)],
  ['digits', (length) => '7'.repeat(length)],
  ['random letters', (length) => randomLetters(length, 'abcdefghijklmnopqrstuvwxyz')],
  ['two letters at random', (length) => randomLetters(length, 'ab')],
  ['base64 without white space', (length) => randomLetters(length, 'ABCDEFabcdef0123456789+/')],
  ['unpunctuated Chinese', (length) => randomLetters(length, '的一是不了人我在有他这为之大来以个中上们')],
  ['one emoji', (length) => '😀'.repeat(length / 2)],
  ['families of emoji', (length) => '👩‍👩‍👧‍👦'.repeat(length / 11)],
  ['combining marks', (length) => `e${'\u0301'.repeat(length)}`],
  ['capitals', (length) => 'A'.repeat(length)],
  ['letters of both cases', (length) => 'aªA'.repeat(length / 3)],
  ['apostrophes', (length) => "'s'".repeat(length / 3)],
  ['lone surrogates', (length) => '\ud800'.repeat(length)],
  ['Thai', (length) => 'ภาษาไทย'.repeat(length / 7)],
]

/** Texts of many words, built against the splitters: white space, changes of class and look-ahead without end. */
const manyWords: readonly (readonly [string, (length: number) => string])[] = [
  ['no-break spaces', (length) => '\u00a0'.repeat(length)],
  ['ideographic spaces before a letter', (length) => `${'\u3000'.repeat(length)}x`],
  ['blanks and newlines in turn', (length) => ' \n'.repeat(length / 2)],
  ['carriage returns', (length) => '\r'.repeat(length)],
  ['blanks after a newline', (length) => `\n${' '.repeat(length)}`],
  ['a letter after every blank', (length) => ' a'.repeat(length / 2)],
  ['letters and digits in turn', (length) => 'a1'.repeat(length / 2)],
  ['capitals and small letters in turn', (length) => 'aA'.repeat(length / 2)],
  ['capitals before one small letter', (length) => `${'A'.repeat(length)}a`],
  ['small letters before one capital', (length) => `${'a'.repeat(length)}A`],
  ['contractions', (length) => "'ll".repeat(length / 3)],
  ['long s after apostrophes', (length) => "'\u017f".repeat(length / 2)],
  ['slashes and newlines', (length) => '/\n'.repeat(length / 2)],
  ['open brackets', (length) => '['.repeat(length)],
  ['pairs of brackets', (length) => '[]('.repeat(length / 3)],
  ['beginnings of special tokens', (length) => '<|'.repeat(length / 2)],
  ['special tokens', (length) => '<|endoftext|>'.repeat(length / 13)],
  ['all but the end of a special token', (length) => '<|endoftext|'.repeat(length / 12)],
  ['zero-width joiners', (length) => '\u200d'.repeat(length)],
  ['byte order marks', (length) => '\ufeff'.repeat(length)],
  ['NUL characters', (length) => '\0'.repeat(length)],
  ['Korean syllables', (length) => '가나다라'.repeat(length / 4)],
  ['Arabic with marks', (length) => 'بِسْمِ'.repeat(length / 6)],
  ['title-case digraphs', (length) => '\u01c5'.repeat(length)],
]

function randomLetters(length: number, letters: string): string {
  const units = Array.from(letters)
  let state = 12345
  let text = ''
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
    text += units[(state >> 16) % units.length]
  }
  return text
}

describe.each([
  ['o200k_base', o200kBase],
  ['cl100k_base', cl100kBase],
] as const)('%s', (_name, create) => {
  const tokenizer = create()
  const ranks = new Map<string, number>()
  for (let id = 0; id < (tokenizer.id === 'o200k_base' ? 199_998 : 100_256); id++) {
    ranks.set(Buffer.from(tokenizer.tokenBytes(id)).toString('latin1'), id)
  }

  it.each(kinds)('gives the tokens of the heap merge on one long word of %s', (kind, make) => {
    // Kinds that split into several words are compared with tiktoken elsewhere; here the whole is one word.
    if (['digits', 'blanks before a letter', 'base64 without white space', 'apostrophes'].includes(kind)) return
    const text = make(process.env.GROUNDLINE_NIGHTLY ? 1_000_000 : 3_000)
    const encoded = tokenizer.encode(text)
    expect(Array.from(encoded)).toEqual(heapMerge(utf8.encode(text), (part) => ranks.get(part)))
  })

  it.each([...kinds, ...manyWords])('takes 100,000 units of %s in linear time', (_kind, make) => {
    const time = (text: string) => {
      const before = process.cpuUsage()
      tokenizer.count(text)
      return process.cpuUsage(before).user / 1000
    }
    const [once, twice] = [make(100_000), make(200_000)]
    time(once)
    const [first, second] = [1, 2, 3]
      .map(() => [time(once), time(twice)] as const)
      .reduce(([a, b], [c, d]) => [Math.min(a, c), Math.min(b, d)])
    expect(first).toBeLessThan(2_000)
    // Quadratic work would take seconds here; the constant is what a busy machine may add.
    expect(second).toBeLessThan(4 * first + 100)
  })
})

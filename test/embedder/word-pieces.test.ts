import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createWordPieces, type FoundWords } from '../../src/embedder/word-pieces.ts'

const letters = [...'abcdefghijklmnopqrstuvwxyz0123456789αβσς']
const vocabulary = [
  ...letters,
  ...letters.map((letter) => `##${letter}`),
  ...[
    'read',
    'file',
    '##file',
    'javascript',
    'http',
    'server',
    '##s',
    'naive',
    'cafe',
    'un',
    '##aff',
    '##able',
    '##ing',
  ],
].filter((token, index, all) => all.indexOf(token) === index)
const pieces = createWordPieces(vocabulary)
const encode = (text: string) => Array.from(pieces.encode(text))
const tokens = (text: string) => encode(text).map((id) => vocabulary[id])

describe('createWordPieces', () => {
  it('takes whole words first, then the longest pieces from the left', () => {
    expect(tokens('unaffable reading')).toEqual(['un', '##aff', '##able', 'read', '##ing'])
    expect(tokens('READ the')).toEqual(['read', 't', '##h', '##e'])
  })

  it('cuts identifiers at humps and underscores, but keeps a word that the vocabulary knows', () => {
    expect(tokens('HTTPServer readFile read_file JavaScript')).toEqual([
      'http',
      'server',
      'read',
      'file',
      'read',
      'file',
      'javascript',
    ])
  })

  it('takes accents off, unfolds ligatures and full-width letters, and lower-cases Greek', () => {
    expect(tokens('Naïve CAFÉ cafe\u0301 ﬁle ｒｅａｄ')).toEqual(['naive', 'cafe', 'cafe', 'file', 'read'])
    expect(tokens('ΑΒ')).toEqual(['α', '##β'])
  })

  it('lets every other character separate words, lone surrogates too', () => {
    expect(tokens('東京read\ud800file\udc00 — read…')).toEqual(['read', 'file', 'read'])
    expect(encode('')).toEqual([])
    expect(encode('東京は\u0300\ud83d 💥 \0')).toEqual([])
  })

  it('drops words over 100 characters', () => {
    expect(encode('x'.repeat(100))).toHaveLength(100)
    expect(encode('x'.repeat(101))).toEqual([])
  })

  it.each(['aBcHTTPsErver2F9', 'aBSEfile2σΒ'])(
    'cuts words of %s as a regular expression cuts identifiers',
    (letters) => {
      const word = fc.string({ unit: fc.constantFrom(...letters), minLength: 1, maxLength: 100 })
      fc.assert(
        fc.property(word, (text) => {
          const found: FoundWords = { known: [], unknown: [] }
          const whole = vocabulary.includes(text.toLowerCase())
          const parts = whole ? [text] : (text.match(/[A-Z]+(?![a-z])|[A-Z][a-z0-9]*|[^A-Z]+/g) ?? [])
          const cut = parts.map((part) => encode(part.toLowerCase()))
          expect([...pieces.encode(text, found)]).toEqual(cut.flat())
          expect(found.known).toEqual(cut.filter((ids) => ids.length === 1).flat())
          expect(found.unknown).toEqual(
            parts.map((part) => part.toLowerCase()).filter((_, at) => (cut[at]?.length ?? 0) > 1),
          )
        }),
        { seed: 8, numRuns: 1000 },
      )
    },
  )

  it('gives the tokens of the parts of a text that is joined by a separator', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
        expect(encode(`${a}, ${b}`)).toEqual([...encode(a), ...encode(b)])
      }),
      { seed: 3, numRuns: 500 },
    )
  })

  it('gives only ids of the vocabulary for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        for (const id of encode(text)) expect(vocabulary[id]).toBeDefined()
      }),
      { seed: 5, numRuns: 500 },
    )
  })

  it('is linear in one long word, one long run of separators and many short words', () => {
    const started = performance.now()
    for (const text of ['a'.repeat(1_000_000), ' '.repeat(1_000_000), 'a '.repeat(500_000), '\u0301'.repeat(300_000)])
      encode(text)
    expect(performance.now() - started).toBeLessThan(3000)
  })
})

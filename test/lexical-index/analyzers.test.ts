import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { englishAnalyzer, languageAnalyzer, stemEnglish, wordAnalyzer } from '../../src/lexical-index/index.ts'

describe('wordAnalyzer', () => {
  const { analyze } = wordAnalyzer()

  it.each([
    ['Hello, World!', ['hello', 'world']],
    ['Crème Brûlée', ['creme', 'brulee']],
    ['readFile', ['read', 'file', 'readfile']],
    ['read_file_sync', ['read', 'file', 'sync', 'readfilesync']],
    ['XMLHttpRequest', ['xml', 'http', 'request', 'xmlhttprequest']],
    ['utf8', ['utf', '8', 'utf8']],
    ['東京都', ['東京', '京都']],
    ['猫', ['猫']],
    ['API設計', ['api', '設計']],
    ['ＡＢＣ', ['abc']],
    ['__init__', ['init']],
    ['привет мир', ['привет', 'мир']],
    ['\ud800 😀 !?', []],
    ['', []],
  ])('cuts %j into %j', (text, terms) => {
    expect(analyze(text)).toEqual(terms)
  })

  it('gives a word in lower case, upper case and title case the same term', () => {
    for (const word of ['straße', 'łódź', 'naïve', 'index'])
      expect(new Set([word, word.normalize('NFD')].flatMap((each) => analyze(each))).size).toBe(1)
  })

  it.each([
    ['one letter', 'a'],
    ['camel humps', 'aB'],
    ['ideographs', '字'],
    ['combining marks', '\u0301'],
    ['underscores', '_'],
    ['digits and letters', 'a1'],
    ['words', 'word '],
  ])('is linear on %s', (_, unit) => {
    const time = (units: number) => {
      const text = unit.repeat(units)
      const runs = Array.from({ length: 3 }, () => {
        const start = performance.now()
        analyze(text)
        return performance.now() - start
      })
      return Math.min(...runs)
    }
    time(20_000)
    // A quadratic analyzer needs sixteen times as long; timers on a busy machine need some room.
    expect(time(400_000)).toBeLessThan(10 * time(100_000) + 200)
  })
})

describe('what an analyzer remembers of words', () => {
  const mixed = fc.array(
    fc.oneof(
      fc.string({ unit: fc.constantFrom(...'aBcs2_ -.é字ー\u0301😀\ud800') }),
      fc.constantFrom('readFile_sync', 'HTTPServer2', 'The', 'ponies', 'x'.repeat(70), 'naïve'),
    ),
  )

  it.each([
    ['stems and stop words', () => englishAnalyzer()],
    ['words alone', () => wordAnalyzer()],
    ['a stemmer that sees diacritics', () => wordAnalyzer({ stem: (word) => word.slice(0, 4), fold: 'after' })],
  ])('never changes the terms of a text: with %s', (_, create) => {
    const used = create()
    fc.assert(
      fc.property(mixed, (parts) => {
        const text = parts.join(' ')
        const runs = text.match(/[\p{L}\p{N}\p{M}_]+/gu) ?? []
        expect(used.analyze(text)).toEqual(runs.flatMap((run) => create().analyze(run)))
      }),
      { seed: 4, numRuns: 500 },
    )
  })

  it('holds a bounded number of words, and finds each again after more than that', () => {
    const { analyze } = englishAnalyzer()
    const words = Array.from({ length: 40_000 }, (_, index) => `w${index.toString(36)}q`)
    const first = words.map((word) => analyze(word))
    expect(analyze(words.join(' '))).toEqual(first.flat())
  })
})

describe('englishAnalyzer', () => {
  it('leaves stop words out and stems the rest', () => {
    expect(englishAnalyzer().analyze('The indexes of the agreed plans were rebuilding')).toEqual([
      'index',
      'agree',
      'plan',
      'rebuild',
    ])
  })

  it.each([
    ['ponies', 'poni'],
    ['caresses', 'caress'],
    ['cats', 'cat'],
    ['feed', 'feed'],
    ['agreed', 'agree'],
    ['plastered', 'plaster'],
    ['bled', 'bled'],
    ['motoring', 'motor'],
    ['sing', 'sing'],
    ['conflated', 'conflate'],
    ['boxes', 'box'],
    ['caches', 'cache'],
    ['searches', 'search'],
    ['reaches', 'reach'],
    ['cache', 'cache'],
    ['hopping', 'hop'],
    ['falling', 'fall'],
    ['filing', 'file'],
    ['happy', 'happi'],
    ['sky', 'sky'],
    ['is', 'is'],
    ['über', 'über'],
  ])('stems %s to %s, as step 1 of Porter does, with -es after a hissing sound', (word, stem) => {
    expect(stemEnglish(word)).toBe(stem)
  })
})

describe('languageAnalyzer', () => {
  it.each([
    ['german', 'Häuser', 'Häusern'],
    ['french', 'mangés', 'manger'],
    ['spanish', 'casas', 'casa'],
    ['italian', 'gatti', 'gatto'],
    ['portuguese', 'livros', 'livro'],
    ['dutch', 'boeken', 'boek'],
    ['swedish', 'bilarna', 'bilar'],
    ['russian', 'книги', 'книга'],
    ['english', 'relational', 'relate'],
    ['danish', 'husene', 'huset'],
    ['finnish', 'taloissa', 'talossa'],
    ['greek', 'σπίτια', 'σπίτι'],
    ['hungarian', 'házak', 'házat'],
    ['norwegian', 'husene', 'huset'],
    ['romanian', 'casele', 'casa'],
    ['turkish', 'kitaplar', 'kitap'],
    ['ukrainian', 'книги', 'книга'],
  ] as const)('joins forms of one word in %s: %s and %s', async (language, one, other) => {
    const { analyze } = await languageAnalyzer(language)
    expect(analyze(one)).toEqual(analyze(other))
  })

  it('refuses a language without a stemmer', async () => {
    await expect(languageAnalyzer('klingon' as 'german')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })
})

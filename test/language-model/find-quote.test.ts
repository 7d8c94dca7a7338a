import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { quoteFinder } from '../../src/language-model/find-quote.ts'
import { foldText } from '../../src/language-model/fold-text.ts'
import { nearMatch } from '../../src/language-model/near-match.ts'

const NIGHTLY = process.env.GROUNDLINE_NIGHTLY === '1'

function mulberry(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

/** Sentences of a made-up manual, about `units` long: a few hundred words, numbers, names, negations. */
function manual(units: number, seed: number): string {
  const random = mulberry(seed)
  const syllables = [
    'ro',
    'ta',
    'key',
    'lin',
    'dex',
    'mor',
    'sta',
    'ble',
    'ven',
    'tu',
    'pra',
    'sol',
    'fen',
    'gri',
    'ca',
    'no',
    'wex',
    'hal',
  ]
  const words = Array.from({ length: 700 }, () =>
    Array.from({ length: 1 + Math.floor(random() * 3) }, () => syllables[Math.floor(random() * syllables.length)]).join(
      '',
    ),
  )
  const pick = () =>
    random() < 0.04
      ? String(Math.floor(random() * 5000))
      : random() < 0.03
        ? 'not'
        : words[Math.floor(random() ** 2 * words.length)]!
  let text = ''
  while (text.length < units) {
    const sentence = Array.from({ length: 6 + Math.floor(random() * 20) }, pick).join(' ')
    text += `${sentence[0]!.toUpperCase()}${sentence.slice(1)}${random() < 0.2 ? ',\n' : '. '}`
  }
  return text
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz ,.'
/** Puts `count` random edits into a text. */
function edit(text: string, count: number, random: () => number): string {
  let edited = text
  for (let made = 0; made < count; made++) {
    const at = Math.floor(random() * edited.length)
    const letter = LETTERS[Math.floor(random() * LETTERS.length)]!
    const kind = Math.floor(random() * 3)
    edited = edited.slice(0, at) + (kind === 0 ? '' : letter) + edited.slice(kind === 1 ? at : at + 1)
  }
  return edited
}

/** The table of all prefixes: fewest edits between `words` and any stretch of `text`. */
function fewestEdits(text: string, words: string): number {
  let row = Array.from({ length: text.length + 1 }, () => 0)
  for (let at = 1; at <= words.length; at++) {
    const next = [at]
    for (let column = 1; column <= text.length; column++)
      next.push(
        Math.min(
          row[column - 1]! + (text[column - 1] === words[at - 1] ? 0 : 1),
          row[column]! + 1,
          next[column - 1]! + 1,
        ),
      )
    row = next
  }
  return row.reduce((least, cost) => Math.min(least, cost))
}

describe('nearMatch', () => {
  it('finds a stretch with as few edits as the whole table, whenever they are within the limit', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'c', ' '), minLength: 30, maxLength: 90 })
    fc.assert(
      fc.property(
        letters,
        fc.nat(40),
        fc.integer({ min: 12, max: 30 }),
        fc.nat(3),
        fc.nat(),
        (text, from, length, edits, seed) => {
          const words = edit(text.slice(from, from + length), edits, mulberry(seed))
          const limit = 3
          if (words.length < 12) return
          const found = nearMatch(text, words, limit)
          const fewest = fewestEdits(text, words)
          if (fewest > limit) expect(found).toBeUndefined()
          else expect(found?.edits === fewest || (found?.edits === 1 && fewest === 0)).toBe(true)
          if (found) expect(fewestEdits(text.slice(found.start, found.end), words)).toBeLessThanOrEqual(found.edits)
        },
      ),
      { numRuns: 1000, seed: 21 },
    )
  })
})

describe('foldText', () => {
  it('gives every unit its place in the original', () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom('a', 'B', ' ', '\n', '“', '’', '—', 'é', '🔑', '\\', '*', '\u200b', 'ß', 'İ'),
          maxLength: 60,
        }),
        (text) => {
          const { text: folded, offsets } = foldText(text)
          expect(offsets.length).toBe(folded.length + 1)
          for (let at = 0; at < folded.length; at++) {
            expect(offsets[at]!).toBeLessThan(offsets[at + 1]!)
            if (folded[at] !== ' ') expect(foldText(text[offsets[at]!]!).text).toBe(folded[at])
          }
        },
      ),
      { numRuns: 500, seed: 22 },
    )
  })
})

describe('quoteFinder', () => {
  const source =
    'The **key** must be rotated every 90 days;\nit is not “optional”. Nobody – not even Ann – keeps it longer than a quarter of a year.'
  const find = (quote: string) => quoteFinder(source).find(quote)

  it('finds words as they are, with their span', () => {
    expect(find('every 90 days')).toEqual({ start: 28, end: 41, match: 'exact', edits: 0, altered: false })
  })

  it('forgives case, white space, quotes, dashes and markup', () => {
    const found = find('the key MUST be rotated every 90 days; it is not "optional".')!
    expect(found).toMatchObject({ match: 'folded', edits: 0, altered: false })
    expect(source.slice(found.start, found.end)).toBe(
      'The **key** must be rotated every 90 days;\nit is not “optional”',
    )
  })

  it('forgives slips, but no changed number, negation or word', () => {
    expect(find('Nobody - not even Ann - keeps it longar than a quarter of a year')).toMatchObject({
      match: 'near',
      edits: 1,
      altered: false,
    })
    expect(find('The key must be rotated every 30 days; it is not "optional"')).toMatchObject({
      match: 'near',
      altered: true,
    })
    expect(find('The key must be rotated every 90 days; it is now "optional"')).toMatchObject({
      match: 'near',
      altered: true,
    })
    expect(
      find('Nobody - not even Ann - keeps it longer than a quarter of a day, or so it is said by all of us'),
    ).toBeUndefined()
  })

  it('prefers the place the provider points at', () => {
    const twice = quoteFinder('keys rotate. And keys rotate.')
    expect(twice.find('keys rotate')).toMatchObject({ start: 0 })
    expect(twice.find('keys rotate', { start: 13, end: 29 })).toMatchObject({ start: 17 })
  })

  it('does not hang on repetition', () => {
    const started = performance.now()
    expect(quoteFinder('ab'.repeat(50_000)).find(`${'ab'.repeat(900)}c${'ba'.repeat(900)}`)).toBeDefined()
    expect(quoteFinder('a'.repeat(100_000)).find(`${'a'.repeat(1000)}${'b'.repeat(300)}`)).toBeUndefined()
    expect(performance.now() - started).toBeLessThan(20_000)
  })

  const runs = NIGHTLY ? 5000 : 400
  it(`recognises quotations with up to 3 % edits and accepts no fabricated ones (${runs} each, 100 KB)`, () => {
    const text = manual(100_000, 1)
    const other = manual(100_000, 2)
    const random = mulberry(3)
    const finder = quoteFinder(text)
    finder.find('warm up')
    const cut = (from: string) => {
      const start = Math.floor(random() * (from.length - 400))
      return from.slice(start, start + 40 + Math.floor(random() * 260)).trim()
    }
    let [recognised, verified, fabricated] = [0, 0, 0]
    for (let run = 0; run < runs; run++) {
      const quote = cut(text)
      const found = finder.find(edit(quote, Math.floor(quote.length * 0.03), random))
      const at = text.indexOf(quote)
      // Recognised: the span found is the passage quoted, give or take the edits at its ends.
      if (found && Math.abs(found.start - at) < 12 && Math.abs(found.end - at - quote.length) < 12) recognised++
      if (found && !found.altered) verified++
      const kind = run % 4
      const words = quote.split(' ')
      const third = Math.floor(words.length / 3)
      const fake =
        kind === 0
          ? cut(other)
          : kind === 1
            ? /\d/.test(quote)
              ? quote.replace(/\d/, (digit) => String((Number(digit) + 1) % 10))
              : [...words.slice(third), ...words.slice(0, third)].join(' ')
            : kind === 2
              ? words.with(Math.floor(words.length / 2), 'not never').join(' ')
              : words.map((word, index) => (index % 4 === 1 ? 'xylograph' : word)).join(' ')
      const accepted = finder.find(fake)
      if (accepted && !accepted.altered) fabricated++
    }
    console.log(
      `recognised ${recognised}, of these without doubt ${verified}, fabricated accepted ${fabricated}, of ${runs} each`,
    )
    expect(recognised / runs).toBeGreaterThanOrEqual(0.99)
    expect(fabricated / runs).toBeLessThanOrEqual(0.005)
  })
})

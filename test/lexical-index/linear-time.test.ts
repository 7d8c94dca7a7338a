import { describe, expect, it } from 'vitest'
import {
  type AnalyzerLanguage,
  englishAnalyzer,
  languageAnalyzer,
  lexicalIndex,
  wordAnalyzer,
} from '../../src/lexical-index/index.ts'
import { adversarialTexts } from '../chunker/adversarial-texts.ts'

const languages: readonly AnalyzerLanguage[] = [
  'danish',
  'dutch',
  'english',
  'finnish',
  'french',
  'german',
  'greek',
  'hungarian',
  'italian',
  'norwegian',
  'portuguese',
  'romanian',
  'russian',
  'spanish',
  'swedish',
  'turkish',
  'ukrainian',
]
const nightly = process.env.GROUNDLINE_NIGHTLY !== undefined
const analyzers = {
  words: async () => wordAnalyzer(),
  'words with another stemmer': async () => wordAnalyzer({ stem: (word) => word.slice(0, 5), fold: 'after' }),
  'light English': async () => englishAnalyzer(),
  // The stemmers see one word of 64 units at the most: two of them stand for all between nights.
  ...Object.fromEntries(
    (nightly ? languages : (['german', 'turkish'] as const)).map((language) => [
      language,
      () => languageAnalyzer(language),
    ]),
  ),
}
const units = nightly ? 200_000 : 10_000

/** Processor time that others cannot add to, the least of a few runs. */
function timeOf(run: () => void): number {
  let least = Number.POSITIVE_INFINITY
  for (let i = 0; i < 3; i++) {
    const start = process.cpuUsage()
    run()
    const { user, system } = process.cpuUsage(start)
    least = Math.min(least, user + system)
  }
  return least / 1_000
}

/** How much longer twice the text takes; what is done in a few milliseconds says nothing of growth. */
function growth(run: (n: number) => () => void): number {
  let ratio = 0
  for (let attempt = 0; attempt < 5; attempt++) {
    const [once, twice] = [timeOf(run(units)), timeOf(run(2 * units))]
    ratio = twice / once
    if (twice < 10 || ratio <= 2.6) return Math.min(ratio, 2.6)
  }
  return ratio
}

describe.each(Object.entries(analyzers))('the analyzer of %s', (_, make) => {
  it('takes at most 2.6 times as long for twice the text, for every adversarial text', async () => {
    const { analyze } = await make()
    const wrong: string[] = []
    for (const [kind, textOf] of Object.entries(adversarialTexts)) {
      const ratio = growth((n) => {
        const text = textOf(n)
        return () => analyze(text)
      })
      if (ratio > 2.6) wrong.push(`${kind}: ×${ratio.toFixed(2)}`)
    }
    expect(wrong).toEqual([])
  }, 300_000)
})

describe('lexicalIndex', () => {
  it('answers phrases of one word over and over, which almost match everywhere, in time that grows with the text', async () => {
    const ask = async (n: number) => {
      const index = lexicalIndex({ analyzer: wordAnalyzer() })
      await index.upsert([
        { id: 'a', text: `${'a '.repeat(n)}b`, metadata: {} },
        { id: 'b', text: 'b', metadata: {} },
      ])
      const start = process.cpuUsage()
      const found = await index.search(`"${'a '.repeat(n / 2)}b b"`, { topK: 2, syntax: 'operators' })
      const { user, system } = process.cpuUsage(start)
      expect(found).toEqual([])
      const matches = await index.search(`"${'a '.repeat(n / 2)}b"`, { topK: 2, syntax: 'operators' })
      expect(matches.map(({ id }) => id)).toEqual(['a'])
      return (user + system) / 1_000
    }
    await ask(20_000)
    // Comparing at every place takes 200,000 × 100,000 steps, many seconds.
    expect(await ask(200_000)).toBeLessThan(1_000)
  }, 60_000)
})

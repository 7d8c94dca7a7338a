import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Bm25Index, type LexicalEntry, lexicalIndex, wordAnalyzer } from '../../src/lexical-index/index.ts'
import { createRandom, type Random } from '../../src/testing/index.ts'

const analyzer = wordAnalyzer()
const zipf = (random: Random, count: number) => `t${Math.floor(count ** random.next())}`
const textOf = (random: Random, most: number, words: number) =>
  Array.from({ length: random.below(most) }, () => zipf(random, words)).join(' ')
const entryOf = (random: Random, id: string, most = 40, words = 400): LexicalEntry => ({
  id,
  text: textOf(random, most, words),
  metadata: { third: random.below(3) },
  ...(random.next() < 0.3 && { headingPath: [textOf(random, 4, words)] }),
})

describe('lexicalIndex over several windows of documents', () => {
  it.each([{}, { variant: 'bm25+' }, { variant: 'bm25l' }, { weights: { text: 1, headings: 2.5 } }] as const)(
    'stops early with the answer of a full scan, ties by id, with %o',
    async (options) => {
      const random = createRandom(17)
      const index = lexicalIndex({ analyzer, ...options })
      await index.upsert(Array.from({ length: 5_000 }, (_, i) => entryOf(random, `e${i}`)))
      // Slots used again, so that lists are out of order.
      await index.remove(Array.from({ length: 900 }, (_, i) => `e${i * 5}`))
      await index.upsert(Array.from({ length: 2_500 }, (_, i) => entryOf(random, `f${i}`)))
      for (let round = 0; round < 40; round++) {
        const query = Array.from({ length: 1 + random.below(30) }, () => zipf(random, 400)).join(' ')
        const filter = round % 3 === 0 ? ({ op: 'eq', path: ['third'], value: 1 } as const) : undefined
        // 10,000 results leave nothing to stop early for.
        const all = await index.search(query, { topK: 10_000, filter })
        for (const [i, { id, score }] of all.entries()) {
          const above = all[i - 1]
          expect(!above || above.score > score || (above.score === score && above.id < id)).toBe(true)
        }
        for (const topK of [1, 10, 100]) expect(await index.search(query, { topK, filter })).toEqual(all.slice(0, topK))
      }
    },
  )

  it('scores what a plain scan scores, ids and ties included', async () => {
    const random = createRandom(29)
    const index = lexicalIndex({ analyzer })
    const entries = Array.from({ length: 4_500 }, (_, i) => ({
      id: `e${i}`,
      text: textOf(random, 30, 300),
      metadata: {},
    }))
    await index.upsert(entries)
    const texts = entries.map(({ text }) => analyzer.analyze(text))
    const average = texts.reduce((sum, terms) => sum + terms.length, 0) / texts.length
    for (let round = 0; round < 12; round++) {
      const query = textOf(random, 12, 300)
      const scores = new Map<string, number>()
      for (const term of analyzer.analyze(query)) {
        const df = texts.filter((terms) => terms.includes(term)).length
        for (const [i, terms] of texts.entries()) {
          const tf = terms.filter((each) => each === term).length
          if (tf === 0) continue
          const idf = Math.log(1 + (texts.length - df + 0.5) / (df + 0.5))
          const gain = (idf * tf) / (tf + 1.2 * (0.25 + (0.75 * terms.length) / average))
          scores.set(`e${i}`, (scores.get(`e${i}`) ?? 0) + gain)
        }
      }
      const found = await index.search(query, { topK: 100 })
      expect(found.length).toBe(Math.min(100, scores.size))
      const best = Array.from(scores.values()).sort((a, b) => b - a)
      for (const [i, { id, score }] of found.entries()) {
        expect(Math.abs(score - scores.get(id)!)).toBeLessThan(1e-9)
        expect(Math.abs(score - best[i]!)).toBeLessThan(1e-9)
      }
    }
  })
})

describe('lexicalIndex, changed step by step', () => {
  it('answers to the bit as one made anew from what is left', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        const random = createRandom(seed)
        const changed = lexicalIndex({ weights: { headings: 2 } })
        const left = new Map<string, LexicalEntry>()
        for (let step = 0; step < 8; step++) {
          const batch = new Map(
            Array.from({ length: random.below(30) }, () => `e${random.below(50)}`).map((id) => [
              id,
              entryOf(random, id, 12, 40),
            ]),
          )
          await changed.upsert([...batch.values()])
          for (const [id, entry] of batch) left.set(id, entry)
          const gone = Array.from(left.keys()).filter(() => random.next() < 0.3)
          await changed.remove(gone)
          for (const id of gone) left.delete(id)
        }
        const rebuilt = lexicalIndex({ weights: { headings: 2 } })
        await rebuilt.upsert([...left.values()])
        expect(await changed.count()).toBe(left.size)
        const same = async (query: string, syntax: 'plain' | 'operators') => {
          const ask = (index: Bm25Index) => index.search(query, { topK: random.pick([5]), syntax })
          expect(await ask(changed)).toEqual(await ask(rebuilt))
        }
        for (let i = 0; i < 8; i++) {
          await same(textOf(random, 8, 40), 'plain')
          await same(`"${zipf(random, 40)} ${zipf(random, 40)}" t${random.below(4)}*`, 'operators')
        }
      }),
      { numRuns: process.env.GROUNDLINE_NIGHTLY ? 1_000 : 60, seed: 9 },
    )
  })
})

describe('phrases and prefixes', () => {
  it('find the entries that hold the words side by side within one field, or a word that begins so', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        const random = createRandom(seed)
        const index = lexicalIndex({ analyzer })
        const entries = Array.from({ length: 60 }, (_, i) => entryOf(random, `e${i}`, 14, 30))
        await index.upsert(entries)
        const fields = (entry: LexicalEntry) =>
          [entry.text, entry.headingPath?.join('\n') ?? ''].map((field) => [...analyzer.analyze(field)])
        const idsOf = async (query: string) =>
          (await index.search(query, { topK: 100, syntax: 'operators' })).map(({ id }) => id).sort()
        const expected = (holds: (words: string[]) => boolean) =>
          entries
            .filter((entry) => fields(entry).some(holds))
            .map(({ id }) => id)
            .sort()
        for (let i = 0; i < 10; i++) {
          const phrase = Array.from({ length: 1 + random.below(3) }, () => zipf(random, 30)).join(' ')
          const words = [...analyzer.analyze(phrase)].join(' ')
          expect(await idsOf(`"${phrase}"`)).toEqual(expected((field) => ` ${field.join(' ')} `.includes(` ${words} `)))
          const prefix = `t${random.below(4)}`
          expect(await idsOf(`${prefix}*`)).toEqual(expected((field) => field.some((word) => word.startsWith(prefix))))
        }
      }),
      { numRuns: process.env.GROUNDLINE_NIGHTLY ? 1_000 : 60, seed: 4 },
    )
  })
})

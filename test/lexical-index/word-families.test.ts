import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { lexicalIndex, wordAnalyzer } from '../../src/lexical-index/index.ts'

describe('families', () => {
  const texts = [
    'they recommend tea',
    'a recommendation of tea',
    'recommended reading',
    'record of recollections',
    'tea',
  ]
  const entries = texts.map((text, i) => ({ id: `e${i}`, text, metadata: {} }))
  const found = async (index: ReturnType<typeof lexicalIndex>, query: string) =>
    (await index.search(query, { topK: 10 })).map(({ id }) => id)

  it('finds words that begin as those of the query do, after the words themselves, and no others', async () => {
    const plain = lexicalIndex()
    const index = lexicalIndex({ families: 0.3 })
    await plain.upsert(entries)
    await index.upsert(entries)
    expect(await found(plain, 'recommendations')).toEqual(['e1'])
    expect(await found(index, 'recommendations')).toEqual(['e1', 'e0', 'e2'])
    expect(await found(index, 'recommends')).toHaveLength(3)
    expect(await found(index, 'tea')).toEqual(await found(plain, 'tea'))
    expect(await found(index, 'recommending')).toHaveLength(3)
    await index.remove(['e1'])
    expect(await found(index, 'recommendations')).toEqual(['e0', 'e2'])
    await index.upsert([{ id: 'late', text: 'recommendable', metadata: {} }])
    expect(await found(index, 'recommendations')).toContain('late')
  })

  it('with share 1 answers as an index in which relatives are the word, be they in few entries or in many, query after query', async () => {
    const word = fc.constantFrom('measure', 'measurement', 'measurable', 'treasury', 'treasure')
    const same = (text: string) => text.replace(/measur\w+/g, 'measure').replace(/treasur\w+/g, 'treasure')
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(399), word), { minLength: 1, maxLength: 300 }),
        fc.array(fc.constantFrom('measure', 'treasure', 'measure treasure'), { minLength: 2, maxLength: 4 }),
        async (placed, queries) => {
          const texts = Array.from({ length: 400 }, (_, at) => `meadow ${'grass '.repeat(at % 5)}`)
          for (const [at, each] of placed) texts[at] += ` ${each}`
          const entriesOf = (list: string[]) => list.map((text, i) => ({ id: `e${i}`, text, metadata: {} }))
          const index = lexicalIndex({ families: 1, analyzer: wordAnalyzer() })
          const plain = lexicalIndex({ analyzer: wordAnalyzer() })
          await index.upsert(entriesOf(texts))
          await plain.upsert(entriesOf(texts.map(same)))
          const ids = texts.map((_, i) => `e${i}`)
          const mixtures = ids.map((_, i) => ({ members: [i, (i + 1) % 400], weights: [1, 0.5] }))
          for (const query of queries) {
            expect(await index.search(query, { topK: 400 })).toEqual(await plain.search(query, { topK: 400 }))
            const scores = await index.scoreMixtures(query, ids, mixtures)
            expect(scores).toEqual(await plain.scoreMixtures(query, ids, mixtures))
          }
        },
      ),
      { numRuns: 25, seed: 10 },
    )
  })

  it('scores as an index would in which relatives are the word itself, so often as the share says', async () => {
    const word = fc.constantFrom('measure', 'measurement', 'measurable', 'meadow', 'treasure', 'treasury', 'treatment')
    const joined: Record<string, string[]> = {
      measure: ['measurement', 'measurable'],
      treasure: ['treasury'],
    }
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(word, { minLength: 1, maxLength: 9 }), { minLength: 1, maxLength: 30 }),
        fc.constantFrom('measure', 'treasure', 'measure treasure', 'meadow measure'),
        fc.constantFrom(0.25, 0.5, 1),
        fc.integer({ min: 1, max: 5 }),
        async (documents, query, share, topK) => {
          const index = lexicalIndex({ families: share, analyzer: wordAnalyzer() })
          await index.upsert(documents.map((words, i) => ({ id: `e${i}`, text: words.join(' '), metadata: {} })))
          const average = documents.reduce((sum, words) => sum + words.length, 0) / documents.length
          const frequency = (words: string[], term: string) =>
            words.reduce((sum, each) => sum + (each === term ? 1 : joined[term]?.includes(each) ? share : 0), 0)
          const expected = documents.map((words, i) => {
            const score = query.split(' ').reduce((sum, term) => {
              const df = documents.filter((each) => frequency(each, term) > 0).length
              const tf = frequency(words, term)
              const idf = Math.log(1 + (documents.length - df + 0.5) / (df + 0.5))
              return sum + (idf * tf) / (tf + 1.2 * (0.25 + (0.75 * words.length) / average) || 1)
            }, 0)
            return { id: `e${i}`, score }
          })
          const best = expected.filter(({ score }) => score > 0).sort((a, b) => b.score - a.score)
          const matches = await index.search(query, { topK })
          expect(matches).toHaveLength(Math.min(topK, best.length))
          for (const [i, { id, score }] of matches.entries()) {
            expect(score).toBeCloseTo(expected.find((each) => each.id === id)!.score, 9)
            expect(score).toBeCloseTo(best[i]!.score, 9)
          }
          const [mixture] = await index.scoreMixtures(
            query,
            [matches[0]?.id ?? 'none'],
            [{ members: [0], weights: [1] }],
          )
          expect(mixture).toBeCloseTo(best[0]?.score ?? 0, 9)
        },
      ),
      { numRuns: 200, seed: 9 },
    )
  })

  it('refuses a share that is not from 0 to 1', () => {
    for (const families of [-0.1, 1.1, Number.NaN])
      expect(() => lexicalIndex({ families })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Bm25Index,
  type LexicalIndexOptions,
  lexicalIndex,
  openLexicalIndex,
  wordAnalyzer,
} from '../../src/lexical-index/index.ts'
import { createRandom, lexicalIndexConformance } from '../../src/testing/index.ts'

const entry = (id: string, text: string, headingPath?: string[]) =>
  headingPath ? { id, text, metadata: {}, headingPath } : { id, text, metadata: {} }

/** BM25 written down once more, over whole texts. */
function plainScores(
  texts: Map<string, string[]>,
  query: string[],
  { k1 = 1.2, b = 0.75, variant = 'bm25' }: LexicalIndexOptions,
) {
  const average = [...texts.values()].reduce((sum, words) => sum + words.length, 0) / texts.size
  const scores: { id: string; score: number }[] = []
  const held = new Map(query.map((term) => [term, [...texts.values()].filter((each) => each.includes(term)).length]))
  for (const [id, words] of texts) {
    let score = 0
    for (const term of query) {
      const df = held.get(term)!
      const tf = words.filter((word) => word === term).length
      if (tf === 0) continue
      const idf = Math.log(1 + (texts.size - df + 0.5) / (df + 0.5))
      const norm = 1 - b + (b * words.length) / average
      if (variant === 'bm25l') score += (idf * (tf / norm + 0.5)) / (k1 + tf / norm + 0.5)
      else score += idf * (tf / (tf + k1 * norm) + (variant === 'bm25+' ? 1 : 0))
    }
    if (score > 0) scores.push({ id, score })
  }
  return scores.sort((x, y) => y.score - x.score || (x.id < y.id ? -1 : 1))
}

describe('lexicalIndex', () => {
  for (const { name, run } of lexicalIndexConformance({ create: () => lexicalIndex() })) it(name, run)

  it.each<LexicalIndexOptions>([{}, { k1: 0 }, { b: 0 }, { k1: 2, b: 1 }, { variant: 'bm25+' }, { variant: 'bm25l' }])(
    'scores by the formula with %o, through additions, replacements and removals, for every topK',
    async (options) => {
      await fc.assert(
        fc.asyncProperty(fc.integer(), async (seed) => {
          const random = createRandom(seed)
          // Zipf-like, so that lists of very different lengths meet and terms are closed early.
          const word = () => 'w'.repeat(Math.floor(40 ** random.next()))
          const words = () => Array.from({ length: 1 + random.below(12) }, word)
          const index = lexicalIndex({ ...options, analyzer: wordAnalyzer() })
          const texts = new Map<string, string[]>()
          for (let round = 0; round < 3; round++) {
            const batch = new Map(Array.from({ length: 60 }, () => [`e${random.below(120)}`, words()]))
            await index.upsert([...batch].map(([id, text]) => entry(id, text.join(' '))))
            for (const [id, text] of batch) texts.set(id, text)
            const gone = [...texts.keys()].filter(() => random.next() < 0.2)
            await index.remove(gone)
            for (const id of gone) texts.delete(id)
          }
          for (let i = 0; i < 8; i++) {
            const query = Array.from({ length: 1 + random.below(5) }, word)
            const topK = random.pick([1, 3, 200])
            const expected = plainScores(texts, query, options).slice(0, topK)
            const actual = await index.search(query.join(' '), { topK })
            expect(actual.length).toBe(expected.length)
            actual.forEach(({ score }, at) => {
              expect(score).toBeCloseTo(expected[at]!.score, 6)
            })
          }
        }),
        { numRuns: 25, seed: 3 },
      )
    },
  )

  it('gives long questions with frequent words the answers of a plain scan, with slots used again and with filters', async () => {
    const random = createRandom(41)
    // Term 0 is in nearly every text, the last in hardly any.
    const words = (count: number) => Array.from({ length: count }, () => `t${Math.floor(900 ** random.next())}`)
    const analyzer = wordAnalyzer({ name: 'plain' })
    const index = lexicalIndex({ analyzer })
    const texts = new Map<string, string[]>()
    const put = async (ids: readonly string[]) => {
      const batch = ids.map((id) => [id, words(5 + random.below(60))] as const)
      await index.upsert(
        batch.map(([id, text]) => ({ ...entry(id, text.join(' ')), metadata: { half: id.endsWith('1') ? 1 : 2 } })),
      )
      for (const [id, text] of batch) texts.set(id, analyzer.analyze(text.join(' ')) as string[])
    }
    await put(Array.from({ length: 1_200 }, (_, i) => `e${i}`))
    const gone = Array.from(texts.keys()).filter(() => random.next() < 0.3)
    await index.remove(gone)
    for (const id of gone) texts.delete(id)
    await put(Array.from({ length: 500 }, (_, i) => `f${i}`))
    await put(Array.from({ length: 300 }, (_, i) => `e${i * 3}`))
    for (let round = 0; round < 12; round++) {
      const query = words([3, 12, 40][round % 3]!)
      const terms = analyzer.analyze(query.join(' ')) as string[]
      const all = plainScores(texts, terms, {})
      const filter = round % 2 === 0 ? undefined : ({ op: 'eq', path: ['half'], value: 1 } as const)
      for (const topK of [1, 10, 100]) {
        const expected = all.filter(({ id }) => filter === undefined || id.endsWith('1')).slice(0, topK)
        const actual = await index.search(query.join(' '), { topK, filter })
        expect(actual.length).toBe(expected.length)
        for (const [at, { score }] of actual.entries()) expect(score).toBeCloseTo(expected[at]!.score, 6)
      }
    }
  })

  it('counts headings as text, by their weight', async () => {
    const entries = [entry('a', 'rotate', ['keys']), entry('b', 'keys', ['rotate']), entry('c', 'neither')]
    const heavy = lexicalIndex({ weights: { headings: 3 } })
    await heavy.upsert(entries)
    expect((await heavy.search('keys', { topK: 3 })).map(({ id }) => id)).toEqual(['a', 'b'])
    const none = lexicalIndex({ weights: { headings: 0 } })
    await none.upsert(entries)
    expect((await none.search('keys', { topK: 3 })).map(({ id }) => id)).toEqual(['b'])
  })

  it('returns no entry twice and no score of 0 with the least weights there are', async () => {
    const index = lexicalIndex({ weights: { text: 0.001, headings: 0.001 }, families: 0.001, k1: 1_000 })
    await index.upsert([entry('a', 'recommend tea', ['tea']), entry('b', 'recommendation tea')])
    const found = await index.search('recommend tea tea', { topK: 10 })
    expect(found.map(({ id }) => id).sort()).toEqual(['a', 'b'])
    for (const { score } of found) expect(score).toBeGreaterThan(0)
  })

  it.each<[LexicalIndexOptions]>([
    [{ weights: { text: 1e-50 } }],
    [{ families: 1e-50 }],
    [{ k1: -1 }],
    [{ k1: Number.NaN }],
    [{ b: 2 }],
    [{ weights: { text: -1 } }],
  ])('refuses %o', (options) => {
    expect(() => lexicalIndex(options)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  })
})

describe('lexicalIndex with operators', () => {
  const texts = {
    a: 'the key rotation schedule',
    b: 'rotation of the key',
    c: 'keys rotate; a schedule of rotating keys',
    d: 'rotor blades',
  }
  const search = async (query: string, heading?: string[]) => {
    const index = lexicalIndex()
    await index.upsert(Object.entries(texts).map(([id, text]) => entry(id, text, id === 'd' ? heading : undefined)))
    return (await index.search(query, { topK: 10, syntax: 'operators' })).map(({ id }) => id).sort()
  }

  it.each([
    ['"key rotation"', ['a']],
    ['"rotation of key"', ['b']],
    ['"key rotation" blades', ['a']],
    ['"key rotation" "rotor blades"', []],
    ['"no such phrase"', []],
    ['rot*', ['a', 'b', 'c', 'd']],
    ['roto*', ['d']],
    ['ROTO* schedule', ['a', 'c', 'd']],
    // Its stem, rotate, begins otherwise.
    ['rotating*', ['c']],
    ['"', []],
    ['*', []],
    ['""', []],
  ])('answers %s with %j', async (query, ids) => {
    expect(await search(query)).toEqual(ids)
  })

  it('lets no phrase cross from the text into the headings', async () => {
    expect(await search('"rotor blades"', ['steel'])).toEqual(['d'])
    expect(await search('"blades steel"', ['steel'])).toEqual([])
  })
})

describe('openLexicalIndex', () => {
  it('answers as the saved index did, and goes on', async () => {
    const random = createRandom(6)
    const index = lexicalIndex({ weights: { headings: 2 } })
    const words = () => Array.from({ length: 20 }, () => 'w'.repeat(1 + random.below(30))).join(' ')
    await index.upsert(
      Array.from({ length: 300 }, (_, i) => ({
        ...entry(`e${i}`, words(), [words()]),
        metadata: { even: i % 2 === 0 },
      })),
    )
    await index.remove(['e7'])
    const bytes = await index.save()
    const again = await openLexicalIndex(bytes, { weights: { headings: 2 } })
    const filter = { op: 'eq', path: ['even'], value: true } as const
    for (let i = 0; i < 20; i++) {
      const query = words()
      const [left, right] = [
        await index.search(query, { topK: 20, filter }),
        await again.search(query, { topK: 20, filter }),
      ]
      expect(right.map(({ id }) => id)).toEqual(left.map(({ id }) => id))
      for (const [at, { score }] of right.entries()) expect(score).toBeCloseTo(left[at]!.score, 9)
    }
    await again.upsert([entry('new', 'unheard')])
    expect((await again.search('unheard', { topK: 1 }))[0]?.id).toBe('new')
    expect(await again.count()).toBe(300)
  })

  it('refuses damaged bytes and another analyzer', async () => {
    const index = lexicalIndex()
    await index.upsert([entry('a', 'some words'), entry('b', 'more words')])
    const bytes = await index.save()
    for (let at = 0; at < bytes.length; at += 7) {
      const damaged = bytes.slice()
      damaged[at]! ^= 4
      await expect(openLexicalIndex(damaged)).rejects.toMatchObject({ code: 'CORRUPT_DATA' })
      await expect(openLexicalIndex(bytes.subarray(0, at))).rejects.toMatchObject({ code: 'CORRUPT_DATA' })
    }
    await expect(openLexicalIndex(bytes, { analyzer: wordAnalyzer() })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    })
  })
})

describe('scoreMixtures', () => {
  const entries = [
    { id: 'a', text: 'copper wire and copper plate', metadata: {} },
    { id: 'b', text: 'iron wire', metadata: {} },
    { id: 'c', text: 'a plate of brass beside the door', metadata: {} },
    { id: 'd', text: '', metadata: {} },
  ]
  const single = (member: number) => ({ members: [member], weights: [1] })

  it('a mixture of one entry scores what search gives it, in every variant', async () => {
    for (const variant of ['bm25', 'bm25+', 'bm25l'] as const) {
      const index = lexicalIndex({ variant })
      await index.upsert(entries)
      const matches = await index.search('copper plate wire', { topK: 10 })
      const scores = await index.scoreMixtures(
        'copper plate wire',
        matches.map(({ id }) => id),
        matches.map((_, i) => single(i)),
      )
      expect(matches.length).toBe(3)
      for (const [i, { score }] of matches.entries()) expect(scores[i]).toBeCloseTo(score, 9)
    }
  })

  it('two entries together score what a text of both would, in an index of the same size and average length', async () => {
    const index = lexicalIndex({ b: 0 })
    await index.upsert([...entries, { id: 'ab', text: 'copper wire and copper plate iron wire', metadata: {} }])
    const [together, whole] = await index.scoreMixtures(
      'copper wire',
      ['a', 'b', 'ab'],
      [{ members: [0, 1], weights: [1, 1] }, single(2)],
    )
    expect(together).toBeCloseTo(whole!, 12)
  })

  it('a heavier neighbour never lowers a score when lengths do not count, and unknown ids count as empty', async () => {
    const index = lexicalIndex({ b: 0 })
    await index.upsert(entries)
    const weights = [0.05, 0.2, 0.5, 1]
    const scores = await index.scoreMixtures(
      'wire',
      ['b', 'c'],
      [single(1), ...weights.map((weight) => ({ members: [1, 0], weights: [1, weight] }))],
    )
    expect(scores[0]).toBe(0)
    expect([...scores]).toEqual([...scores].sort((x, y) => x - y))
    const [known, unknown, nothing] = await index.scoreMixtures(
      'wire',
      ['nobody', 'b'],
      [single(1), { members: [1, 0], weights: [1, 1] }, single(0)],
    )
    expect(unknown).toBe(known)
    expect(nothing).toBe(0)
    expect([...(await index.scoreMixtures('zinc', ['a', 'd'], [single(0), single(1)]))]).toEqual([0, 0])
    const twice = await index.scoreMixtures('wire', ['b', 'a', 'b'], [single(0), single(2)])
    expect([...twice]).toEqual([known, known])
  })
})

describe('a saved index', () => {
  const lone = '\ud800x'
  /** Splits at spaces, so that any text can be a term. */
  const analyzer = { id: 'spaces', analyze: (text: string) => text.split(' ').filter((term) => term !== '') }

  it('is the same index: scores to the bit, phrases, prefixes, removals, and saving again', async () => {
    const random = createRandom(11)
    const index = lexicalIndex({ analyzer, weights: { headings: 2.5 } })
    const word = () =>
      ['a', '"', 'né', lone, '\u0000', `w${random.below(400)}`, `w${random.below(9)}`][random.below(7)]!
    const words = (count: number) => Array.from({ length: count }, word).join(' ')
    const made = Array.from({ length: 500 }, (_, i) => ({
      ...entry(`e${i}`, words(random.below(60)), [words(2)]),
      metadata: i % 3 === 0 ? {} : { group: i % 5 },
    }))
    await index.upsert(made)
    await index.upsert([entry('e3', Array.from({ length: 300 }, () => 'many').join(' '))])
    await index.remove(['e7', 'e8', 'e499'])
    await index.upsert([entry('late', words(30))])
    // As a Buffer with something before it, too: a view of a larger buffer is read where it begins.
    const bytes = Buffer.concat([Buffer.from('xyz'), await index.save()]).subarray(3)
    const options = { analyzer, weights: { headings: 2.5 } }
    const open = () => openLexicalIndex(bytes, options)
    const same = async (left: Bm25Index, right: Bm25Index) => {
      for (let i = 0; i < 40; i++) {
        const query = words(1 + random.below(5))
        const filter = i % 2 === 0 ? ({ op: 'eq', path: ['group'], value: 1 } as const) : undefined
        const each = { topK: 30, ...(filter && { filter }) }
        expect(await right.search(query, each)).toEqual(await left.search(query, each))
      }
      for (const query of ['"a né"', 'w3*', `w1* "a ${lone}"`]) {
        const each = { topK: 50, syntax: 'operators' } as const
        expect(await right.search(query, each)).toEqual(await left.search(query, each))
      }
      const mixture = [['e1', 'e2', 'gone'], [{ members: [0, 1, 2], weights: [1, 0.5, 1] }]] as const
      expect(await right.scoreMixtures('a w3 many', ...mixture)).toEqual(
        await left.scoreMixtures('a w3 many', ...mixture),
      )
      expect(await right.count()).toBe(await left.count())
      const filter = { op: 'exists', path: ['group'] } as const
      expect(await right.count({ filter })).toBe(await left.count({ filter }))
    }
    await same(index, await open())
    const again = await open()
    for (const one of [index, again]) {
      await one.remove(['e20', 'nobody'])
      await one.upsert([entry('e21', 'a fresh néw text'), entry('more', 'w3 w3 w3')])
      await one.remove(['e3', 'more'])
    }
    await same(index, again)
    await same(index, await openLexicalIndex(await again.save(), options))
    await same(
      again,
      await openLexicalIndex(await (await open()).save(), options).then(async (one) => {
        await one.remove(['e20', 'e3'])
        await one.upsert([entry('e21', 'a fresh néw text')])
        return one
      }),
    )
  })

  it('opened with other weights of fields answers as one made with them', async () => {
    const random = createRandom(14)
    const words = (count: number) => Array.from({ length: count }, () => `w${random.below(60)}`).join(' ')
    const made = Array.from({ length: 200 }, (_, i) => entry(`e${i}`, words(1 + random.below(30)), [words(3)]))
    const index = lexicalIndex({ weights: { headings: 2.5 } })
    await index.upsert(made)
    const bytes = await index.save()
    for (const options of [
      {},
      { weights: { text: 0 } },
      { weights: { headings: 0 } },
      { weights: { text: 0.5, headings: 7 } },
    ]) {
      const [opened, fresh] = [await openLexicalIndex(bytes, options), lexicalIndex(options)]
      const changed = entry('e5', words(20), ['w1'])
      await fresh.upsert(made)
      for (const one of [opened, fresh]) {
        await one.remove(['e3', 'e4'])
        await one.upsert([changed])
      }
      for (let i = 0; i < 20; i++) {
        const query = words(4)
        const [left, right] = [await fresh.search(query, { topK: 50 }), await opened.search(query, { topK: 50 })]
        expect(right.map(({ id }) => id)).toEqual(left.map(({ id }) => id))
        for (const [at, { score }] of right.entries()) expect(score).toBeCloseTo(left[at]!.score, 9)
      }
    }
  })

  it('holds no word that only removed entries had', async () => {
    const index = lexicalIndex()
    await index.upsert([entry('a', 'plain words'), entry('b', 'canaryword plain')])
    await index.remove(['b'])
    expect(Buffer.from(await index.save()).includes('canaryword')).toBe(false)
    const again = await openLexicalIndex(await index.save())
    await again.upsert([entry('c', 'secondcanary')])
    await again.remove(['c', 'a'])
    const left = Buffer.from(await again.save())
    expect([left.includes('secondcanary'), left.includes('plain')]).toEqual([false, false])
    expect(await (await openLexicalIndex(left)).count()).toBe(0)
  })
})

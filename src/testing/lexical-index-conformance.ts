import type { Metadata } from '../document.ts'
import type { Filter } from '../filter.ts'
import type { LexicalEntry, LexicalIndex } from '../lexical-index/lexical-index.ts'
import { type ConformanceCase, check, checkAborts, checkEqual, checkThrows } from './conformance.ts'
import { EDGE_METADATA, edgeFilters } from './edge-filters.ts'
import { invalidFilters } from './invalid-filters.ts'
import { createRandom } from './random.ts'
import { passesFilter, randomFilter, randomMetadata } from './random-filters.ts'

/** What the cases need to know of an implementation. */
export interface LexicalIndexConformanceOptions {
  /** Makes an empty index. */
  readonly create: () => Promise<LexicalIndex> | LexicalIndex
}

const WORDS = ['amber', 'bronze', 'copper', 'dynamo', 'ember', 'falcon', 'garnet', 'harbor', 'indigo', 'jasper']

/** The laws of {@link LexicalIndex}: which entries match, never how they are scored. */
// @__NO_SIDE_EFFECTS__
export function lexicalIndexConformance(options: LexicalIndexConformanceOptions): readonly ConformanceCase[] {
  const using = async (run: (index: LexicalIndex) => Promise<void>) => {
    const index = await options.create()
    try {
      await run(index)
    } finally {
      await index.close?.()
    }
  }
  return [
    {
      name: 'finds exactly the allowed entries that share a word with the query, best first, ties by id',
      run: () => using(checkSearches),
    },
    {
      name: 'replaces, removes and counts',
      run: () =>
        using(async (index) => {
          await index.upsert([entry('a', 'amber'), entry('b', 'amber bronze'), entry('c', 'copper')])
          await index.upsert([entry('a', 'copper')])
          await index.remove(['c', 'unknown'])
          checkEqual(await index.count(), 2, 'count')
          checkEqual(await idsOf(index, 'amber'), ['b'], 'entries with a word that one of two lost')
          checkEqual(await idsOf(index, 'copper'), ['a'], 'entries with a word of a removed entry')
        }),
    },
    {
      name: 'prefers the shorter of two entries that hold the word once',
      run: () =>
        using(async (index) => {
          await index.upsert([entry('long', `amber ${'falcon '.repeat(50)}`), entry('short', 'amber falcon')])
          checkEqual(await idsOf(index, 'amber'), ['short', 'long'], 'order')
        }),
    },
    {
      name: 'where it scores mixtures, one entry alone scores what a search gives it, and unknown ids score nothing',
      run: () =>
        using(async (index) => {
          if (index.scoreMixtures === undefined) return
          await index.upsert([entry('a', 'amber falcon'), entry('b', 'amber bronze bronze'), entry('c', 'copper')])
          const matches = await index.search('amber bronze', { topK: 10 })
          const ids = [...matches.map(({ id }) => id), 'c', 'unknown']
          const mixtures = ids.map((_, i) => ({ members: [i], weights: [1] }))
          const scores = await index.scoreMixtures('amber bronze', ids, mixtures)
          checkEqual(scores.length, ids.length, 'one score a mixture')
          for (const [i, id] of ids.entries()) {
            const expected = matches[i]?.score ?? 0
            check(Math.abs(scores[i]! - expected) < 1e-6, `the score of ${id}: ${scores[i]}, expected ${expected}`)
          }
        }),
    },
    {
      name: 'answers a query without known words, or without words, with nothing',
      run: () =>
        using(async (index) => {
          await index.upsert([entry('a', 'amber'), entry('empty', '')])
          for (const query of ['zzzzz', '', '   ', '?!', '\u0000', '\ud800'])
            checkEqual(await idsOf(index, query), [], `matches of ${JSON.stringify(query)}`)
        }),
    },
    {
      name: 'refuses a topK that is no integer from 1 to 10,000, and a query that is no text',
      run: () =>
        using(async (index) => {
          await index.upsert([entry('a', 'amber')])
          for (const topK of [0, -1, 2.5, Number.NaN, 1e9])
            await checkThrows(() => index.search('amber', { topK }), 'INVALID_ARGUMENT', `topK ${topK}`)
          const noText = 5 as unknown as string
          await checkThrows(() => index.search(noText, { topK: 1 }), 'INVALID_ARGUMENT', 'a number as query')
        }),
    },
    {
      name: 'refuses an id twice in one batch and stores none of the batch',
      run: () =>
        using(async (index) => {
          const twice = [entry('a', 'amber'), entry('a', 'bronze')]
          await checkThrows(() => index.upsert(twice), 'DUPLICATE_ID', 'the batch')
          checkEqual([await index.count(), await idsOf(index, 'amber bronze')], [0, []], 'what is left of the batch')
        }),
    },
    {
      name: 'refuses every malformed filter',
      run: () =>
        using(async (index) => {
          await index.upsert([entry('a', 'amber', { a: 1 })])
          for (const { name, filter } of invalidFilters()) {
            const bad = filter as Filter
            await checkThrows(() => index.search('amber', { topK: 1, filter: bad }), 'INVALID_FILTER', name)
            await checkThrows(() => index.count({ filter: bad }), 'INVALID_FILTER', `count by ${name}`)
          }
        }),
    },
    {
      name: 'refuses what is no entry, id, metadata or options, and changes nothing',
      run: () => using(checkBadArguments),
    },
    {
      name: 'gives filters over unknown fields, other types, nothing and very much their one meaning',
      run: () =>
        using(async (index) => {
          const entries = EDGE_METADATA.map((metadata, i) => entry(`e${String(i).padStart(2, '0')}`, 'amber', metadata))
          await index.upsert(entries)
          for (const { name, filter } of edgeFilters()) {
            const expected = entries.filter(({ metadata }) => passesFilter(filter, metadata)).map(({ id }) => id)
            const found = await index.search('amber', { topK: 100, filter })
            checkEqual(found.map(({ id }) => id).sort(), expected, name)
            checkEqual(await index.count({ filter }), expected.length, `count of ${name}`)
          }
        }),
    },
    {
      name: 'takes an aborted signal at its word, and works afterwards',
      run: () =>
        using(async (index) => {
          await checkAborts((signal) => index.upsert([entry('a', 'amber')], { signal }), 'upsert')
          checkEqual([await index.count(), await idsOf(index, 'amber')], [0, []], 'what is left of the batch')
          await index.upsert([entry('a', 'amber')])
          await checkAborts((signal) => index.search('amber', { topK: 1, signal }), 'search')
          await checkAborts((signal) => index.remove(['a'], { signal }), 'remove')
          checkEqual(await idsOf(index, 'amber'), ['a'], 'the entry whose removal was aborted')
        }),
    },
    {
      name: 'after close every call is CLOSED',
      run: async () => {
        const index = await options.create()
        if (index.close === undefined) return
        await index.close()
        await index.close()
        await checkThrows(() => index.search('amber', { topK: 1 }), 'CLOSED', 'search')
        await checkThrows(() => index.upsert([entry('b', 'amber')]), 'CLOSED', 'upsert')
      },
    },
  ]
}

async function checkSearches(index: LexicalIndex): Promise<void> {
  const random = createRandom(30)
  const texts = Array.from({ length: 200 }, () =>
    Array.from({ length: random.below(8) }, () => random.pick(WORDS)).join(' '),
  )
  const entries = texts.map((text, i) => entry(`e${i}`, text, randomMetadata(random)))
  await index.upsert(entries.slice(0, 120))
  await index.upsert(entries.slice(80))
  for (let i = 0; i < 60; i++) {
    const words = [random.pick(WORDS), random.pick(WORDS)]
    const filter = i % 2 === 0 ? undefined : randomFilter(random)
    const matches = await index.search(words.join(' '), { topK: 1_000, filter })
    const expected = entries.filter(
      ({ text, metadata }) =>
        words.some((word) => text.split(' ').includes(word)) && (!filter || passesFilter(filter, metadata)),
    )
    const label = `${words.join(' ')} with ${JSON.stringify(filter)}`
    checkEqual(matches.map(({ id }) => id).sort(), expected.map(({ id }) => id).sort(), `matches of ${label}`)
    check(
      matches.every(({ score }) => score > 0),
      `scores of ${label} must be more than 0`,
    )
    const ordered = matches.every(({ id, score }, j) => {
      const before = matches[j - 1]
      return before === undefined || before.score > score || (before.score === score && before.id < id)
    })
    check(ordered, `matches of ${label} must be best first, ties by id`)
    const few = await index.search(words.join(' '), { topK: 5, filter })
    checkEqual(few, matches.slice(0, 5), `the first five of ${label}`)
    const allowed = entries.filter(({ metadata }) => !filter || passesFilter(filter, metadata)).length
    checkEqual(await index.count({ filter }), allowed, `count of ${label}`)
  }
}

async function checkBadArguments(index: LexicalIndex): Promise<void> {
  await index.upsert([entry('a', 'amber', { n: 1 }), entry('b', 'bronze')])
  const refuses = (call: () => unknown, what: string) => checkThrows(call, 'INVALID_ARGUMENT', what)
  const as = <T>(value: unknown) => value as T
  for (const bad of [undefined, null, 5, 'entries', {}]) {
    const named = String(bad)
    await refuses(() => index.upsert(as(bad)), `upsert of ${named}`)
    await refuses(() => index.remove(as(bad)), `remove of ${named}`)
    await refuses(() => index.upsert([entry('a', 'copper'), as(bad)]), `upsert of an entry and ${named}`)
    if (typeof bad === 'string') continue
    await refuses(() => index.remove(['a', as(bad)]), `remove of an id and ${named}`)
    await refuses(() => index.search(as(bad), { topK: 1 }), `a search for ${named}`)
    await refuses(() => index.upsert([entry('c', 'copper'), { ...entry('d', ''), text: as(bad) }]), `text ${named}`)
    await refuses(() => index.upsert([{ ...entry('c', 'copper'), id: as(bad) }]), `id ${named}`)
    if (bad !== undefined) {
      const headed = { ...entry('c', 'copper'), headingPath: as<string[]>(bad) }
      await refuses(() => index.upsert([headed]), `headings ${named}`)
    }
  }
  for (const id of ['', '\u0000', 'a\nb', '\ud800', 'x'.repeat(1_025)])
    await refuses(() => index.upsert([entry('c', 'copper'), entry(id, 'copper')]), `id ${JSON.stringify(id)}`)
  for (const options of [undefined, null, 5, {}])
    await refuses(() => index.search('amber', as(options)), `search with ${JSON.stringify(options)}`)
  for (const metadata of [undefined, null, [], { n: Number.NaN }, { n: 1n }]) {
    const batch = [entry('c', 'copper'), { ...entry('d', 'copper'), metadata: as<Metadata>(metadata) }]
    await checkThrows(() => index.upsert(batch), 'INVALID_METADATA', 'metadata')
  }
  checkEqual(
    [await index.count(), await idsOf(index, 'amber'), await idsOf(index, 'copper')],
    [2, ['a'], []],
    'what there was before',
  )
}

async function idsOf(index: LexicalIndex, query: string): Promise<readonly string[]> {
  return (await index.search(query, { topK: 100 })).map(({ id }) => id)
}

function entry(id: string, text: string, metadata: Metadata = {}): LexicalEntry {
  return { id, text, metadata }
}

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { characterCounter, hierarchicalChunker, recursiveChunker } from '../../src/chunker/index.ts'
import { lexicalIndex } from '../../src/lexical-index/index.ts'
import { contextualLexicalRetriever, lexicalRetriever, memoryChunkStore } from '../../src/retriever/index.ts'
import { retrieverConformance } from '../../src/testing/retriever-conformance.ts'

describe('contextualLexicalRetriever', () => {
  for (const { name, run } of retrieverConformance({
    create: async (chunks) => {
      const index = lexicalIndex()
      await index.upsert(chunks)
      const store = memoryChunkStore()
      store.put(chunks)
      return contextualLexicalRetriever({ index, store })
    },
  }))
    test(name, run)
})

const counter = characterCounter()
const document = {
  id: 'birds',
  text: [
    'The kestrel hovers over open fields. It nests in old buildings. A pair raises four young.\n\n',
    'The dipper lives beside fast streams. It nests behind waterfalls. A pair raises five young.\n\n',
    'The siskin feeds on alder seeds. It nests high in spruce trees. A pair raises four young.\n\n',
  ].join(''),
}

type Options = Omit<Parameters<typeof contextualLexicalRetriever>[0], 'index' | 'store'>

async function over(documents: readonly { id: string; text: string }[], options: Options = {}, withSections = true) {
  const chunker = hierarchicalChunker({
    levels: [recursiveChunker({ maxTokens: 100, counter }), recursiveChunker({ maxTokens: 38, counter })],
  })
  const [index, sections, store] = [lexicalIndex(), lexicalIndex(), memoryChunkStore()]
  const chunks = documents.flatMap((each) => [...chunker.chunk(each)])
  await sections.upsert(documents.flatMap((each) => [...chunker.ancestors(each)[0]!]))
  await index.upsert(chunks)
  store.put(chunks)
  const retriever = contextualLexicalRetriever({
    index,
    store,
    ...(withSections && { sections: [{ index: sections }] }),
    reach: 40,
    ...options,
  })
  return { retriever, index, sections, store, chunks }
}

test('a sentence that does not name its subject is found by the section that does', async () => {
  const { retriever } = await over([document])
  for (const [bird, place] of [
    ['kestrel', 'buildings'],
    ['dipper', 'waterfalls'],
    ['siskin', 'spruce'],
  ]) {
    const { passages } = await retriever.retrieve(`Where does the ${bird} nest?`, { topK: 2 })
    expect(passages.some(({ text }) => text.includes(place!))).toBe(true)
  }
})

test('each passage says what its own words, its neighbours and its section gave, and they add up', async () => {
  const { passages, explanation } = await (await over([document])).retriever.retrieve('young of the dipper')
  expect(explanation.stages.map(({ stage }) => stage)).toEqual(['lexical', 'section', 'contextual'])
  for (const { score, stages } of passages) {
    const parts = stages.slice(0, 3).reduce((sum, stage) => sum + stage.score, 0)
    expect(parts).toBeCloseTo(score, 10)
    expect(stages[3]!.score).toBe(score)
    for (const { normalized, weight } of stages) {
      expect(normalized).toBeGreaterThanOrEqual(0)
      expect(normalized).toBeLessThanOrEqual(1)
      expect(weight).toBe(1)
    }
  }
  for (const [at, last] of ['lexical', 'neighbours', 'section', 'contextual'].entries()) {
    const best = passages.map(({ stages }) => stages[at]!).find(({ rank }) => rank === 1)
    if (best) expect(best).toMatchObject({ stage: last, normalized: 1 })
  }
})

test('weights and counts out of range are refused', () => {
  const [index, store] = [lexicalIndex(), memoryChunkStore()]
  for (const options of [
    { reach: -1 },
    { reach: Number.POSITIVE_INFINITY },
    { repeats: 'some' as 'all' },
    { candidates: 0 },
    { sections: [{ index, weight: Number.NaN }] },
  ])
    expect(() => contextualLexicalRetriever({ index, store, ...options })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    )
})

const words = fc.constantFrom('kestrel', 'dipper', 'siskin', 'nest', 'field', 'stream', 'tree', 'young', 'the')
const sentence = fc.array(words, { minLength: 2, maxLength: 8 }).map((each) => `${each.join(' ')}.`)
const documents = fc
  .array(fc.array(sentence, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 3 })
  .map((texts) => texts.map((text, i) => ({ id: `d${i}`, text: text.join(' ') })))
const cases = { numRuns: process.env.GROUNDLINE_NIGHTLY === undefined ? 60 : 10_000, seed: 4 }

test('passages are verbatim slices, and no character of a document is given twice', async () => {
  await fc.assert(
    fc.asyncProperty(documents, words, words, fc.constantFrom('first', 'all'), async (texts, a, b, repeats) => {
      const { retriever } = await over(texts, { repeats: repeats as 'first' | 'all' })
      const { passages } = await retriever.retrieve(`${a} ${b}`, { topK: 100 })
      const given = new Map<string, { start: number; end: number }[]>()
      for (const { documentId, start, end, text } of passages) {
        expect(texts.find(({ id }) => id === documentId)!.text.slice(start, end)).toBe(text)
        const spans = given.get(documentId) ?? []
        expect(spans.some((span) => start < span.end && end > span.start)).toBe(false)
        given.set(documentId, [...spans, { start, end }])
      }
    }),
    cases,
  )
})

test('without reach and sections the passages and scores are those of the index', async () => {
  await fc.assert(
    fc.asyncProperty(documents, words, words, async (texts, a, b) => {
      const query = `${a} ${b}`
      const { retriever, index } = await over(texts, { reach: 0, repeats: 'all' }, false)
      const matches = await index.search(query, { topK: 1000 })
      const { passages } = await retriever.retrieve(query, { topK: 1000 })
      const scores = new Map(passages.map(({ id, score }) => [id, score]))
      expect([...scores.keys()].sort()).toEqual(matches.map(({ id }) => id).sort())
      for (const { id, score } of matches) expect(scores.get(id)).toBeCloseTo(score, 9)
    }),
    cases,
  )
})

test('documents of one chunk each score as BM25 scores them, sections or not', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(sentence, { minLength: 1, maxLength: 12 }), words, words, async (texts, a, b) => {
      const chunker = hierarchicalChunker({
        levels: [recursiveChunker({ maxTokens: 400, counter }), recursiveChunker({ maxTokens: 200, counter })],
      })
      const [index, sections, store] = [lexicalIndex(), lexicalIndex(), memoryChunkStore()]
      for (const [i, text] of texts.entries()) {
        const chunks = [...chunker.chunk({ id: `d${i}`, text })]
        expect(chunks).toHaveLength(1)
        await sections.upsert(chunker.ancestors({ id: `d${i}`, text })[0]!)
        await index.upsert(chunks)
        store.put(chunks)
      }
      const query = `${a} ${b}`
      const retriever = contextualLexicalRetriever({ index, store, sections: [{ index: sections, weight: 0.7 }] })
      const { passages } = await retriever.retrieve(query, { topK: 100 })
      const plain = await lexicalRetriever({ index, store }).retrieve(query, { topK: 100 })
      const scores = new Map(passages.map(({ id, score }) => [id, score]))
      expect([...scores.keys()].sort()).toEqual(plain.passages.map(({ id }) => id).sort())
      for (const { id, score } of plain.passages) expect(scores.get(id)).toBeCloseTo(score, 9)
    }),
    cases,
  )
})

test('a section of weight 0 changes no score', async () => {
  const without = await over([document], {}, false)
  const { index, store, sections } = await over([document])
  const retriever = contextualLexicalRetriever({ index, store, sections: [{ index: sections, weight: 0 }], reach: 40 })
  const query = 'young of the siskin'
  const scored = async (from: typeof retriever) =>
    (await from.retrieve(query, { topK: 50 })).passages.map(({ id, score }) => [id, score])
  expect(await scored(retriever)).toEqual(await scored(without.retriever))
})

test('a text that a document repeats is given once, where it stands first, whatever stands around the copies', async () => {
  const repeated = 'Keys rotate at every month end. '
  const text = `Storms close the harbour often.\n\n${repeated}\n\nAudits of keys look at old keys.\n\n${repeated}\n\n`
  const { retriever } = await over([{ id: 'a', text }])
  const once = await retriever.retrieve('when do keys rotate', { topK: 50 })
  const copies = once.passages.filter((passage) => passage.text.startsWith('Keys rotate'))
  expect(copies.map(({ start }) => start)).toEqual([text.indexOf('Keys rotate')])
  expect(once.explanation.stages.at(-1)!.note).toContain('1 repeats left out')
  const all = await over([{ id: 'a', text }], { repeats: 'all' })
  const { passages } = await all.retriever.retrieve('when do keys rotate', { topK: 50 })
  expect(passages.filter((passage) => passage.text.startsWith('Keys rotate'))).toHaveLength(2)
  expect(copies[0]!.score).toBe(
    Math.max(...passages.filter((p) => p.text.startsWith('Keys')).map(({ score }) => score)),
  )
})

test('chunks that do not pass a filter neither appear nor lend their words', async () => {
  const chunker = hierarchicalChunker({
    levels: [recursiveChunker({ maxTokens: 100, counter }), recursiveChunker({ maxTokens: 38, counter })],
  })
  const [index, store] = [lexicalIndex(), memoryChunkStore()]
  const chunks = [...chunker.chunk(document)].map((chunk) => ({
    ...chunk,
    metadata: { ...chunk.metadata, open: !chunk.text.includes('kestrel') },
  }))
  await index.upsert(chunks)
  store.put(chunks)
  const retriever = contextualLexicalRetriever({ index, store, reach: 40 })
  const filter = { op: 'eq', path: ['open'], value: true } as const
  expect((await retriever.retrieve('kestrel', { topK: 50 })).passages.length).toBeGreaterThan(1)
  expect((await retriever.retrieve('kestrel', { topK: 50, filter })).passages).toEqual([])
  const { passages } = await retriever.retrieve('kestrel nests', { topK: 50, filter })
  expect(passages.length).toBeGreaterThan(1)
  for (const { metadata } of passages) expect(metadata.open).toBe(true)
})

test('an index without scoreMixtures lets neighbours add their scores', async () => {
  const { index, store, chunks } = await over([document])
  const { scoreMixtures: _, ...plain } = index
  const retriever = contextualLexicalRetriever({ index: plain, store, reach: 40, repeats: 'all' })
  const { passages } = await retriever.retrieve('siskin nests', { topK: 50 })
  const own = new Map((await index.search('siskin nests', { topK: 50 })).map(({ id, score }) => [id, score]))
  for (const { id, score, start, end } of passages) {
    const expected = chunks
      .map((each) => [own.get(each.id) ?? 0, Math.abs(each.start + each.end - start - end) / 2] as const)
      .filter(([, distance]) => Math.exp(-distance / 40) >= 0.05)
      .reduce((sum, [score, distance]) => sum + score * Math.exp(-distance / 40), 0)
    expect(score, id).toBeCloseTo(expected, 9)
  }
})

/** What the retriever gives by definition: of every candidate and its neighbours, from all chunks of the documents. */
async function byDefinition(
  { index, sections, chunks }: Awaited<ReturnType<typeof over>>,
  query: string,
  { reach, candidates, topK }: { reach: number; candidates: number; topK: number },
) {
  const matches = await index.search(query, { topK: Math.max(topK, candidates) })
  const above = new Map((await sections.search(query, { topK: candidates })).map(({ id, score }) => [id, score]))
  const found = new Set(matches.map(({ id }) => id))
  const notes = (at: number) => chunks[at]!.metadata.chunk as { parentId: string; previousId?: string; nextId?: string }
  const beside = (at: number, other: number) => chunks[at]?.documentId === chunks[other]?.documentId
  const scored: { id: string; score: number }[] = []
  for (const [at, { id }] of chunks.entries()) {
    if (![at - 1, at, at + 1].some((near) => beside(at, near) && found.has(chunks[near]?.id ?? ''))) continue
    const members: { id: string; weight: number }[] = []
    for (let other = at - 6; other <= at + 6; other += 1) {
      if (!beside(at, other)) continue
      const distance = Math.abs(chunks[other]!.start + chunks[other]!.end - chunks[at]!.start - chunks[at]!.end) / 2
      const weight = reach === 0 ? Number(other === at) : Math.exp(-distance / reach)
      if (weight > 0.05) members.push({ id: chunks[other]!.id, weight })
    }
    const ids = members.map((member) => member.id)
    const mixture = { members: ids.map((_, i) => i), weights: members.map(({ weight }) => weight) }
    const [together] = await index.scoreMixtures(query, ids, [mixture])
    const { parentId, previousId, nextId } = notes(at)
    const section = previousId === undefined && nextId === undefined ? together! : (above.get(parentId) ?? 0)
    const score = (together! + 0.5 * section) / 1.5
    if (score > 0) scored.push({ id, score })
  }
  return scored.toSorted((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1)).slice(0, topK)
}

test('passages and scores are those of the definition', async () => {
  const texts = fc
    .array(fc.array(sentence, { minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 4 })
    .map((many) => many.map((each, i) => ({ id: `d${i}`, text: each.join(' ') })))
  const settings = fc.record({
    reach: fc.constantFrom(0, 15, 40, 400),
    candidates: fc.constantFrom(1, 3, 500),
    topK: fc.constantFrom(1, 10, 100),
  })
  await fc.assert(
    fc.asyncProperty(texts, words, words, settings, async (drawn, a, b, setting) => {
      const { topK, ...rest } = setting
      const parts = await over(drawn, { ...rest, repeats: 'all' })
      const expected = await byDefinition(parts, `${a} ${b}`, setting)
      const { passages } = await parts.retriever.retrieve(`${a} ${b}`, { topK })
      // Scores that differ by rounding alone may change places.
      expect(passages.map(({ score }) => score.toFixed(9))).toEqual(expected.map(({ score }) => score.toFixed(9)))
      const clear = (list: readonly { id: string; score: number }[]) =>
        list.filter(({ score }) => expected.filter((other) => Math.abs(other.score - score) < 1e-9).length === 1)
      expect(clear(passages).map(({ id }) => id)).toEqual(clear(expected).map(({ id }) => id))
    }),
    cases,
  )
})

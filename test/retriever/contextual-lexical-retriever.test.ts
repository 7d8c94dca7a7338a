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

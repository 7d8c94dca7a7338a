import { describe, expect, test } from 'vitest'
import { characterCounter, hierarchicalChunker, recursiveChunker } from '../../src/chunker/index.ts'
import { lexicalIndex } from '../../src/lexical-index/index.ts'
import { contextualLexicalRetriever, memoryChunkStore } from '../../src/retriever/index.ts'
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

async function birds(neighbours?: readonly [number, number]) {
  const chunker = hierarchicalChunker({
    levels: [recursiveChunker({ maxTokens: 100, counter }), recursiveChunker({ maxTokens: 38, counter })],
  })
  const [index, sections, store] = [lexicalIndex(), lexicalIndex(), memoryChunkStore()]
  await sections.upsert(chunker.ancestors(document)[0]!)
  const chunks = [...chunker.chunk(document)]
  await index.upsert(chunks)
  store.put(chunks)
  return contextualLexicalRetriever({
    index,
    store,
    sections: [{ index: sections }],
    ...(neighbours && { neighbours }),
  })
}

test('a sentence that does not name its subject is found by the section that does', async () => {
  const retriever = await birds()
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
  const { passages, explanation } = await (await birds([0.5, 0.25])).retrieve('young of the dipper')
  expect(explanation.stages.map(({ stage }) => stage)).toEqual(['lexical', 'section', 'contextual'])
  for (const { score, stages } of passages) {
    const parts = stages.slice(0, 3).reduce((sum, stage) => sum + stage.score, 0)
    expect(parts).toBeCloseTo(score, 10)
    expect(stages[3]!.score).toBe(score)
  }
})

test('weights and counts out of range are refused', () => {
  const [index, store] = [lexicalIndex(), memoryChunkStore()]
  for (const options of [
    { neighbours: [-1, 0] as const },
    { candidates: 0 },
    { sections: [{ index, weight: Number.NaN }] },
  ])
    expect(() => contextualLexicalRetriever({ index, store, ...options })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    )
})

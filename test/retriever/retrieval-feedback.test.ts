import { describe, expect, it } from 'vitest'
import { learnHybridWeights, profileRetriever, retrievalFeedback } from '../../src/retriever/index.ts'
import { retrieverConformance } from '../../src/testing/index.ts'
import { chunkOf, legsOver } from './pipeline.ts'

const chunks = ['a', 'b', 'c', '__proto__'].map((id) => chunkOf(id, `the same words of n${id}`))
const remembered = async () => {
  const memory = retrievalFeedback()
  const { lexical } = await legsOver(chunks)
  return { memory, lexical, retriever: memory.remember(lexical) }
}

describe('retrievalFeedback', () => {
  for (const { name, run } of retrieverConformance({
    create: async (given) => retrievalFeedback().remember((await legsOver(given)).lexical),
  }))
    it(name, run)

  it('changes no answer, and names each retrieval', async () => {
    const { lexical, retriever } = await remembered()
    const [one, two, plain] = await Promise.all([
      retriever.retrieve('words'),
      retriever.retrieve('words'),
      lexical.retrieve('words'),
    ])
    expect(one.passages).toEqual(plain.passages)
    expect(one.explanation.stages).toEqual(plain.explanation.stages)
    expect(one.explanation.recordId).not.toBe(two.explanation.recordId)
  })

  it('feeds a profile that changes the order, the last verdict on a passage counting', async () => {
    const { memory, lexical, retriever } = await remembered()
    expect(memory.profile()).toEqual({ liked: [], disliked: [] })
    const { explanation } = await retriever.retrieve('words')
    memory.feedback(explanation.recordId, { liked: ['a', 'c'], disliked: ['__proto__'] })
    memory.feedback(explanation.recordId, { disliked: ['a'] })
    expect(memory.profile()).toEqual({ liked: ['c'], disliked: ['__proto__', 'a'] })
    const vectors = async (ids: readonly string[]) =>
      ids.map((id) => (id === 'c' ? Float32Array.of(1, 0) : Float32Array.of(0, 1)))
    const mine = profileRetriever({ retriever: lexical, profile: memory.profile, vectors })
    expect((await mine.retrieve('words')).passages[0]?.id).toBe('c')
  })

  it('feeds labelled queries that weights are learned from', async () => {
    const { memory, lexical, retriever } = await remembered()
    for (const id of ['a', 'b', 'c', '__proto__']) {
      for (const query of [`words n${id}`, `same n${id}`]) {
        const { explanation } = await retriever.retrieve(query)
        memory.feedback(explanation.recordId, { liked: [id], disliked: id === 'b' ? ['a'] : [] })
      }
    }
    await retriever.retrieve('nobody said anything of this')
    const queries = memory.labelledQueries()
    expect(queries).toHaveLength(8)
    expect(queries.find(({ query }) => query === 'words nb')?.relevant).toEqual(
      new Map([
        ['a', 0],
        ['b', 1],
      ]),
    )
    const learned = await learnHybridWeights({ lexical, dense: lexical, queries })
    expect(learned.lexicalAlone).toBeGreaterThan(0.9)
  })

  it('refuses what was not retrieved, and takes nothing of it', async () => {
    const { memory, retriever } = await remembered()
    const { explanation } = await retriever.retrieve('words')
    const refused = expect.objectContaining({ code: 'INVALID_ARGUMENT' })
    expect(() => memory.feedback('unknown', { liked: ['a'] })).toThrow(refused)
    expect(() => memory.feedback(explanation.recordId, { liked: ['a', 'elsewhere'] })).toThrow(refused)
    expect(() => memory.feedback(7 as never, {})).toThrow(refused)
    expect(memory.labelledQueries()).toEqual([])
    expect(() => retrievalFeedback({ records: 0 })).toThrow(refused)
  })

  it('forgets the oldest retrievals without a verdict first, and goes on from what it remembered', async () => {
    let next = 0
    const { lexical } = await legsOver(chunks)
    const memory = retrievalFeedback({ records: 2, newId: () => `r${next++}` })
    const retriever = memory.remember(lexical)
    await retriever.retrieve('words')
    memory.feedback('r0', { liked: ['a'] })
    for (let i = 0; i < 3; i++) await retriever.retrieve('same words')
    expect(memory.records().map(({ id }) => id)).toEqual(['r0', 'r3'])
    const again = retrievalFeedback({ earlier: JSON.parse(JSON.stringify(memory.records())) })
    expect(again.profile()).toEqual(memory.profile())
    again.feedback('r3', { disliked: ['a'] })
    expect(again.profile()).toEqual({ liked: [], disliked: ['a'] })
  })
})

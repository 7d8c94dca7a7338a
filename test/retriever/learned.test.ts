import { describe, expect, it } from 'vitest'
import { learnHybridWeights, profileRetriever, type Retriever } from '../../src/retriever/index.ts'
import { fakeEmbedder } from '../../src/testing/index.ts'
import { chunkOf, legsOver } from './pipeline.ts'

describe('learnHybridWeights', () => {
  const subjects = ['amber', 'bronze', 'copper', 'dynamo', 'ember', 'falcon', 'garnet', 'harbor']
  const chunks = subjects.flatMap((subject) => [
    chunkOf(subject, `all about ${subject}`),
    chunkOf(`${subject}2`, 'noise'),
  ])
  const queries = subjects.map((subject) => ({ query: subject, relevant: new Map([[subject, 1]]) }))

  it('gives a leg of noise no weight', async () => {
    const { lexical } = await legsOver(chunks)
    const { dense } = await legsOver(chunks, fakeEmbedder())
    const learned = await learnHybridWeights({ lexical, dense, queries })
    expect(learned).toMatchObject({ weights: { lexical: 1, dense: 0 }, lexicalAlone: 1 })
  })

  it('weighs a leg that knows what the words do not', async () => {
    const { lexical, dense } = await legsOver(chunks)
    const blind: Retriever = { retrieve: (_, options) => lexical.retrieve('noise', options) }
    const learned = await learnHybridWeights({ lexical: blind, dense, queries })
    expect(learned.weights.dense).toBeGreaterThan(0)
    expect(learned.crossValidated).toBeGreaterThan(learned.lexicalAlone)
    await expect(learnHybridWeights({ lexical, dense, queries: [] })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    })
  })
})

describe('profileRetriever', () => {
  const chunks = ['a', 'b', 'c'].map((id) => chunkOf(id, 'the same words', { metadata: { lang: id } }))
  const vectors = async (ids: readonly string[]) =>
    ids.map((id) => (id === 'b' || id === 'liked' ? Float32Array.of(1, 0) : Float32Array.of(0, 1)))

  it('changes nothing with an empty profile', async () => {
    const { lexical } = await legsOver(chunks)
    const mine = profileRetriever({ retriever: lexical, profile: () => ({}), vectors })
    expect(await mine.retrieve('words')).toEqual(await lexical.retrieve('words'))
  })

  it('prefers what is like what was liked, avoids what is like what was not, and boosts within bounds', async () => {
    const { lexical } = await legsOver(chunks)
    const first = async (profile: object) =>
      (await profileRetriever({ retriever: lexical, profile: () => profile, vectors }).retrieve('words')).passages[0]
        ?.id
    expect(await first({ liked: ['liked'] })).toBe('b')
    expect(await first({ disliked: ['other'] })).toBe('b')
    expect(await first({ boosts: [{ path: ['lang'], value: 'c', factor: 1e9 }] })).toBe('c')
  })
})

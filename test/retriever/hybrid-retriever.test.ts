import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { hybridRetriever, type Retriever } from '../../src/retriever/index.ts'
import { chunkOf, legsOver } from './pipeline.ts'

const labelled = new URL('../fixtures/labelled/', import.meta.url)
const passages: Record<string, string> = JSON.parse(readFileSync(new URL('passages.json', labelled), 'utf8'))
const questions: { question: string; relevant: Record<string, number> }[] = JSON.parse(
  readFileSync(new URL('questions.json', labelled), 'utf8'),
)
const legs = await legsOver(Object.entries(passages).map(([id, text]) => chunkOf(id, text)))

async function meanNdcg(retriever: Retriever): Promise<number> {
  let sum = 0
  for (const { question, relevant } of questions) {
    const { passages: found } = await retriever.retrieve(question, { topK: 10 })
    const gain = (grades: readonly number[]) => grades.reduce((total, grade, i) => total + grade / Math.log2(i + 2), 0)
    const ideal = Object.values(relevant).sort((a, b) => b - a)
    sum += gain(found.map(({ id }) => relevant[id] ?? 0)) / gain(ideal)
  }
  return sum / questions.length
}

describe('hybridRetriever', () => {
  it('with its default weights is no worse than BM25 alone, even beside a weak embedder', async () => {
    const bm25 = await meanNdcg(legs.lexical)
    expect(bm25).toBeGreaterThan(0.7)
    expect(await meanNdcg(hybridRetriever(legs))).toBeGreaterThanOrEqual(bm25)
  })

  it('with a leg of weight 0 answers exactly as the other leg alone, and never asks the first', async () => {
    const silent: Retriever = { retrieve: () => Promise.reject(new Error('must not be asked')) }
    const lexicalOnly = hybridRetriever({ lexical: legs.lexical, dense: silent, weights: { dense: 0 } })
    const denseOnly = hybridRetriever({ lexical: silent, dense: legs.dense, weights: { lexical: 0 } })
    for (const { question } of questions) {
      expect((await lexicalOnly.retrieve(question)).passages).toEqual((await legs.lexical.retrieve(question)).passages)
      expect((await denseOnly.retrieve(question)).passages).toEqual((await legs.dense.retrieve(question)).passages)
    }
  })

  it('says of every passage what each leg said, and the parts add up to the score', async () => {
    const { passages: found, explanation } = await hybridRetriever(legs).retrieve('how do I restore a backup')
    expect(explanation.stages.map(({ stage }) => stage)).toEqual(['lexical', 'dense', 'fusion'])
    for (const { stages, score } of found) {
      const parts = stages.filter(({ stage }) => stage !== 'fusion')
      expect(parts.length).toBeGreaterThan(0)
      const sum = parts.reduce((total, { normalized = 0, weight = 0 }) => total + normalized * weight, 0)
      expect(sum).toBeCloseTo(score, 10)
    }
  })

  it('joins by rank where a leg has no scores to compare', async () => {
    const flat: Retriever = {
      async retrieve(query, options) {
        const { passages: found, explanation } = await legs.dense.retrieve(query, options)
        return { passages: found.map((passage) => ({ ...passage, score: 1 })), explanation }
      },
    }
    const hybrid = hybridRetriever({ lexical: legs.lexical, dense: flat })
    const { explanation } = await hybrid.retrieve('restore a backup')
    expect(explanation.stages.at(-1)?.note).toContain('rrf')
  })

  it('answers from one leg where the other finds nothing', async () => {
    const nothing: Retriever = { retrieve: async () => ({ passages: [], explanation: { stages: [] } }) }
    const hybrid = hybridRetriever({ lexical: legs.lexical, dense: nothing })
    const ids = (list: readonly { id: string }[]) => list.map(({ id }) => id)
    const { passages: found } = await hybrid.retrieve('restore a backup', { topK: 3 })
    expect(ids(found)).toEqual(ids((await legs.lexical.retrieve('restore a backup', { topK: 3 })).passages))
  })

  it.each([
    { weights: { lexical: 0, dense: 0 } },
    { weights: { dense: -1 } },
    { weights: { lexical: Number.NaN } },
    { rrfK: -1 },
    { candidates: 0 },
  ])('refuses %o', (options) => {
    expect(() => hybridRetriever({ ...legs, ...options })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    )
  })
})

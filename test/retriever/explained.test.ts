import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { lexicalHashEmbedder } from '../../src/embedder/index.ts'
import {
  calibratedTieredRetriever,
  hybridRetriever,
  lexicalOverlapReranker,
  limitPerSource,
  listwiseReranker,
  maximalMarginalRelevance,
  multiQueryRetriever,
  parentRetriever,
  profileRetriever,
  type RetrievalStep,
  type Retriever,
  retrievalFeedback,
  sourceAuthority,
  tieredRetriever,
  timeDecay,
  transformedRetriever,
  windowRetriever,
} from '../../src/retriever/index.ts'
import { createRandom, type Random, scriptedModel } from '../../src/testing/index.ts'
import { chunkOf, type Legs, legsOver } from './pipeline.ts'

const WORDS = ['amber', 'bronze', 'copper', 'dynamo', 'ember', 'falcon']
const embedder = lexicalHashEmbedder()

/** Sixty chunks, six a document, some of them twins, so that scores tie. */
function chunksOf(random: Random) {
  let end = 0
  return Array.from({ length: 60 }, (_, i) => {
    const text = `${Array.from({ length: 1 + random.below(6) }, () => random.pick(WORDS)).join(' ')} `
    const start = i % 6 === 0 ? 0 : end
    end = start + text.length
    return chunkOf(`c${(i * 37) % 60}`, text, { documentId: `d${Math.floor(i / 6)}`, start, end })
  })
}

const steps: readonly ((random: Random) => RetrievalStep)[] = [
  () => lexicalOverlapReranker(),
  () => listwiseReranker({ model: scriptedModel('[3] > [1]') }),
  () => listwiseReranker({ model: scriptedModel([new Error('down')]) }),
  () => limitPerSource({ limit: 2 }),
  (random) => timeDecay({ timeOf: () => random.below(1e6), halfLifeMs: 1e5, now: () => 1e6 }),
  () => sourceAuthority({ authorityOf: ({ id }) => Number(id.slice(1)) / 60 }),
]

/** A retriever over the legs with a few decorators around it; `names` says which. */
async function composed(random: Random, legs: Legs, chunks: readonly ReturnType<typeof chunkOf>[], names: string[]) {
  const { store, lexical, dense } = legs
  const vectors = async (ids: readonly string[]) => {
    const known = ids.map((id) => chunks.find((chunk) => chunk.id === id))
    const { vectors: made } = await embedder.embed(known.map((chunk) => chunk?.text ?? ''))
    return known.map((chunk, i) => (chunk === undefined || random.next() < 0.1 ? undefined : made[i]))
  }
  const place = new Map(chunks.map(({ id }, i) => [id, i]))
  const documentOf = (id: string) => Math.floor((place.get(id) ?? 0) / 6)
  const documents = new Map<string, ReturnType<typeof chunkOf>>(
    Array.from({ length: 10 }, (_, i) => {
      const own = chunks.slice(i * 6, i * 6 + 6)
      const text = own.map((chunk) => chunk.text).join('')
      return [`d${i}`, chunkOf(`d${i}`, text, { documentId: `d${i}`, start: 0, end: text.length })] as const
    }),
  )
  const whole = { get: async (ids: readonly string[]) => ids.map((id) => documents.get(id)) }
  const bases: Record<string, () => Retriever> = {
    lexical: () => lexical,
    dense: () => dense,
    hybrid: () => hybridRetriever({ lexical, dense, weights: { dense: random.next() }, candidates: 20 }),
    rrf: () => hybridRetriever({ lexical, dense, fusion: 'rrf', nearDuplicates: false, gate: 'none' }),
    'hybrid of one': () => hybridRetriever({ lexical, dense, weights: { dense: 0 } }),
  }
  const around: Record<string, (inner: Retriever) => Retriever | Promise<Retriever>> = {
    steps: (retriever) =>
      transformedRetriever({
        retriever,
        steps: Array.from({ length: 1 + random.below(3) }, () => random.pick(steps)(random)),
      }),
    queries: (retriever) => multiQueryRetriever({ retriever, generate: async () => [random.pick(WORDS)] }),
    tiered: (first) => tieredRetriever({ first, embedder, ...(random.next() < 0.5 && { vectors }) }),
    calibrated: (first) =>
      calibratedTieredRetriever({
        first,
        exact: dense,
        embedder,
        queries: Array.from({ length: 20 }, () => random.pick(WORDS)),
      }),
    parent: (retriever) =>
      parentRetriever({
        retriever,
        store: whole,
        parentOf: ({ id }) => (place.has(id) ? `d${documentOf(id)}` : undefined),
        minChildren: 2,
      }),
    window: (retriever) =>
      windowRetriever({
        retriever,
        store,
        windowOf: ({ id }) =>
          place.has(id) ? [-1, 0, 1].flatMap((by) => chunks[place.get(id)! + by]?.id ?? []) : [id],
      }),
    profile: (retriever) =>
      profileRetriever({ retriever, vectors, profile: () => ({ liked: ['c1', 'c2'], disliked: ['c3'] }) }),
    remembered: (retriever) => retrievalFeedback().remember(retriever),
  }
  const base = random.pick(Object.keys(bases))
  names.push(base)
  let retriever = bases[base]!()
  for (let i = random.below(4); i > 0; i--) {
    const name = random.pick(Object.keys(around))
    names.push(name)
    retriever = await around[name]!(retriever)
  }
  return retriever
}

describe('every passage of every composition of retrievers', () => {
  it('says rank, score, normalised score and weight of each stage, and stands by score, then id', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        const random = createRandom(seed)
        const chunks = chunksOf(random)
        const names: string[] = []
        const retriever = await composed(random, await legsOver(chunks, embedder), chunks, names)
        const { passages, explanation } = await retriever.retrieve(`${random.pick(WORDS)} ${random.pick(WORDS)}`, {
          topK: random.pick([1, 5, 30]),
        })
        const label = `${names.join(' < ')}, seed ${seed}`
        expect(passages.length, label).toBeGreaterThan(0)
        expect(explanation.stages.length, label).toBeGreaterThan(0)
        for (const [i, { id, score, stages }] of passages.entries()) {
          expect(stages.length, label).toBeGreaterThan(0)
          for (const stage of stages) {
            const { rank, normalized = Number.NaN, weight = Number.NaN } = stage
            const holds =
              Number.isInteger(rank) &&
              rank >= 1 &&
              Number.isFinite(stage.score) &&
              normalized >= 0 &&
              normalized <= 1 &&
              weight >= 0 &&
              Number.isFinite(weight)
            expect(holds, `${label}: ${JSON.stringify(stage)}`).toBe(true)
          }
          expect(stages.at(-1)!.score, label).toBe(score)
          const above = passages[i - 1]
          const ordered = !above || above.score > score || (above.score === score && above.id < id)
          expect(ordered, `${label}: ${above?.id} before ${id}`).toBe(true)
          if (above) expect(above.stages.at(-1)!.rank, label).toBeLessThan(stages.at(-1)!.rank)
        }
      }),
      { numRuns: process.env.GROUNDLINE_NIGHTLY ? 5_000 : 300, seed: 5 },
    )
  }, 600_000)

  it('explains diversity too, whose order is not that of the scores', async () => {
    const chunks = chunksOf(createRandom(1))
    const { lexical } = await legsOver(chunks)
    const { passages } = await transformedRetriever({
      retriever: lexical,
      steps: [maximalMarginalRelevance({ lambda: 0.5 })],
    }).retrieve('amber falcon')
    for (const [i, { stages }] of passages.entries())
      expect(stages.at(-1)).toMatchObject({
        stage: 'diversity',
        rank: i + 1,
        weight: 0.5,
        normalized: expect.any(Number),
      })
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Metadata } from '../../src/document.ts'
import { lexicalHashEmbedder } from '../../src/embedder/index.ts'
import { lexicalIndex } from '../../src/lexical-index/index.ts'
import {
  calibratedTieredRetriever,
  contextualLexicalRetriever,
  listwiseReranker,
  memoryChunkStore,
  multiQueryRetriever,
  parentRetriever,
  profileRetriever,
  type Retriever,
  tieredRetriever,
  transformedRetriever,
  windowRetriever,
} from '../../src/retriever/index.ts'
import { createRandom, type Random, retrieverConformance, scriptedModel } from '../../src/testing/index.ts'
import { chunkOf, legsOver } from './pipeline.ts'

const WORDS = ['amber', 'bronze', 'copper', 'dynamo', 'ember', 'falcon']
const rounds = process.env.GROUNDLINE_NIGHTLY ? 3_000 : 150

describe.each<[string, (legs: Awaited<ReturnType<typeof legsOver>>) => Retriever]>([
  [
    'parentRetriever',
    ({ lexical: retriever, store }) => parentRetriever({ retriever, store, parentOf: () => undefined }),
  ],
  [
    'windowRetriever',
    ({ lexical: retriever, store }) => windowRetriever({ retriever, store, windowOf: ({ id }) => [id] }),
  ],
  [
    'multiQueryRetriever',
    ({ lexical: retriever }) => multiQueryRetriever({ retriever, generate: async () => ['note'] }),
  ],
  [
    'profileRetriever',
    ({ lexical: retriever }) =>
      profileRetriever({
        retriever,
        profile: () => ({ liked: ['none'] }),
        vectors: async (ids) => ids.map(() => undefined),
      }),
  ],
  [
    'transformedRetriever',
    ({ lexical: retriever }) => transformedRetriever({ retriever, steps: [async (_, passages) => passages] }),
  ],
])('%s', (_, make) => {
  for (const { name, run } of retrieverConformance({ create: async (chunks) => make(await legsOver(chunks)) }))
    it(name, run)
})

describe('contextualLexicalRetriever', () => {
  const create = async (chunks: Parameters<typeof legsOver>[0]) => {
    const index = lexicalIndex()
    await index.upsert(chunks)
    return contextualLexicalRetriever({ index, store: (await legsOver(chunks)).store })
  }
  for (const { name, run } of retrieverConformance({ create })) it(name, run)
})

/** Documents as overlapping small chunks with parents around them, some parents without or beside their children. */
function hierarchy(random: Random) {
  const texts = Array.from({ length: 1 + random.below(4) }, () =>
    Array.from({ length: 10 + random.below(60) }, () => random.pick(WORDS)).join(' '),
  )
  const secret = (): Metadata => ({ secret: random.next() < 0.3 })
  const slicesOf = (prefix: string, longest: number) =>
    texts.flatMap((text, d) => {
      const slices = []
      for (let start = 0; start < text.length; ) {
        const end = Math.min(text.length, start + 5 + random.below(longest))
        const span = { documentId: `d${d}`, start, end, metadata: secret() }
        slices.push(chunkOf(`${prefix}${d}.${start}`, text.slice(start, end), span))
        start = Math.max(start + 1, end - random.below(6))
      }
      return slices
    })
  const [small, large] = [slicesOf('s', 40), slicesOf('l', 160)]
  const parents = new Map(
    small.map((chunk) => {
      const around = large.filter(
        (each) => each.documentId === chunk.documentId && each.start <= chunk.start && each.end >= chunk.end,
      )
      return [
        chunk.id,
        random.next() < 0.1 ? `gone ${chunk.id}` : around.length > 0 ? random.pick(around).id : undefined,
      ]
    }),
  )
  return { texts, small, large, parents }
}

async function checkLaws(seed: number, kind: 'parent' | 'window'): Promise<void> {
  const random = createRandom(seed)
  const { texts, small, large, parents } = hierarchy(random)
  const { lexical: retriever, store } = await legsOver(small)
  const sections = memoryChunkStore()
  sections.put(large)
  const minChildren = 1 + random.below(3)
  const wide =
    kind === 'parent'
      ? parentRetriever({ retriever, store: sections, parentOf: ({ id }) => parents.get(id), minChildren })
      : windowRetriever({
          retriever,
          store,
          windowOf: ({ id }) => {
            const at = small.findIndex((chunk) => chunk.id === id)
            return small.slice(Math.max(0, at - random.below(3)), at + 1 + random.below(3)).map((chunk) => chunk.id)
          },
        })
  const topK = random.pick([1, 3, 20])
  const query = `${random.pick(WORDS)} ${random.pick(WORDS)}`
  const filter = random.next() < 0.5 ? undefined : ({ op: 'eq', path: ['secret'], value: false } as const)
  const { passages } = await wide.retrieve(query, { topK, filter })
  expect(passages.length).toBeLessThanOrEqual(topK)
  const small0 = await retriever.retrieve(query, { topK, filter })
  expect(passages.length > 0).toBe(small0.passages.length > 0)
  const hidden = filter === undefined ? [] : small.filter(({ metadata }) => metadata.secret === true)
  for (const [i, a] of passages.entries()) {
    expect(texts[Number(a.documentId.slice(1))]!.slice(a.start, a.end)).toBe(a.text)
    if (filter !== undefined) expect(a.metadata.secret).toBe(false)
    for (const b of passages.slice(i + 1))
      expect(a.documentId !== b.documentId || a.end <= b.start || b.end <= a.start).toBe(true)
    // A window shows of a chunk that the filter keeps back no more than its neighbours share with it.
    if (kind === 'window')
      for (const chunk of hidden) {
        const open = small.filter((each) => each.documentId === chunk.documentId && each.metadata.secret === false)
        const own = Array.from({ length: chunk.end - chunk.start }, (_, at) => chunk.start + at).find((at) =>
          open.every((each) => at < each.start || at >= each.end),
        )
        if (own !== undefined && a.documentId === chunk.documentId) expect(own >= a.start && own < a.end).toBe(false)
      }
  }
  if (kind !== 'parent') return
  // Where a parent stands in, its children do not; a child stands alone only where its parent is not wanted.
  for (const { id } of passages)
    for (const other of passages) if (parents.get(other.id) === id) expect.unreachable(`${other.id} beside ${id}`)
}

describe('passages that grow', () => {
  it.each(['parent', 'window'] as const)(
    'are slices of their documents, hold no character twice and nothing that the filter keeps back: %s',
    async (kind) => {
      await fc.assert(
        fc.asyncProperty(fc.integer(), (seed) => checkLaws(seed, kind)),
        { numRuns: rounds, seed: 7 },
      )
    },
    120_000,
  )
})

describe('multiQueryRetriever', () => {
  it('leaves no rejection unheard when the search fails before the generator has ended', async () => {
    const unheard: unknown[] = []
    const listen = (reason: unknown) => unheard.push(reason)
    process.on('unhandledRejection', listen)
    const down = new Error('down')
    const broken: Retriever = { retrieve: () => Promise.reject(down) }
    const slowly = async () => {
      for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
      return ['other']
    }
    await expect(multiQueryRetriever({ retriever: broken, generate: slowly }).retrieve('amber')).rejects.toBe(down)
    const controller = new AbortController()
    const stopped = multiQueryRetriever({
      retriever: broken,
      generate: async () => {
        await slowly()
        controller.abort('enough')
        throw new Error('stopped')
      },
    }).retrieve('amber', { signal: controller.signal })
    await expect(stopped).rejects.toBe('enough')
    await new Promise(setImmediate)
    process.off('unhandledRejection', listen)
    expect(unheard).toEqual([])
  })
})

describe('profileRetriever', () => {
  it('never puts a passage further back for a boost above 1, nor further to the front for one below', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        const random = createRandom(seed)
        const chunks = Array.from({ length: 12 }, (_, i) =>
          chunkOf(`c${i}`, Array.from({ length: 6 }, () => random.pick(WORDS)).join(' '), {
            metadata: { team: i % 3 },
          }),
        )
        const { lexical } = await legsOver(chunks)
        const known = new Map(chunks.map(({ id }) => [id, Float32Array.of(random.normal(), random.normal())]))
        const vectors = async (ids: readonly string[]) => ids.map((id) => known.get(id))
        const order = async (factor: number) => {
          const boosts = [{ path: ['mine'], value: 'yes', factor }]
          const profile = () => ({ liked: ['c1'], disliked: ['c2', 'c3'], boosts })
          const found = await profileRetriever({ retriever: lexical, profile, vectors }).retrieve('amber falcon', {
            topK: 50,
          })
          return found.passages.map(({ id }) => id)
        }
        const place = async (id: string, factor: number) => {
          for (const chunk of chunks) Object.assign(chunk.metadata, { mine: chunk.id === id ? 'yes' : 'no' })
          return (await order(factor)).indexOf(id)
        }
        const [first] = await order(1)
        for (const id of [first!, 'c2', 'c5']) {
          const plain = await place(id, 1)
          if (plain < 0) continue
          expect(await place(id, 1.5)).toBeLessThanOrEqual(plain)
          expect(await place(id, 0.6)).toBeGreaterThanOrEqual(plain)
        }
      }),
      { numRuns: 60, seed: 3 },
    )
  })
})

describe('the explanation of calibrated tiers', () => {
  const chunks = Array.from({ length: 120 }, (_, i) => chunkOf(`c${i}`, `${WORDS[i % 6]} number ${i} of ${i * 7}`))
  const embedder = lexicalHashEmbedder()

  it('says how good the first tier is, or that it was left out because it cannot reach the target', async () => {
    const { lexical, dense } = await legsOver(chunks, embedder)
    const queries = Array.from({ length: 24 }, (_, i) => `${WORDS[i % 6]} ${i * 7}`)
    const good = await calibratedTieredRetriever({ first: dense, exact: dense, embedder, queries })
    const { explanation } = await good.retrieve('amber 7')
    expect(explanation.stages.at(-1)).toMatchObject({ stage: 'calibration', note: expect.stringContaining('measured') })
    const blind: Retriever = { retrieve: (_, options) => lexical.retrieve('bronze', { ...options, topK: 1 }) }
    const poor = await calibratedTieredRetriever({ first: blind, exact: dense, embedder, queries })
    expect(poor.measured.candidates).toBe(0)
    const answered = await poor.retrieve('amber 7')
    expect(answered.passages).toEqual((await dense.retrieve('amber 7')).passages)
    expect(answered.explanation.stages.map(({ stage }) => stage)).toEqual(['dense', 'calibration'])
    expect(answered.explanation.stages.at(-1)?.note).toMatch(/^first tier left out: 0\.\d+ of the exact answer/)
  })

  it('names the plan of a filtered search', async () => {
    const { dense, lexical } = await legsOver(chunks, embedder)
    const filter = { op: 'exists', path: ['nothing'] } as const
    for (const each of [
      dense,
      tieredRetriever({ first: dense, embedder }),
      transformedRetriever({ retriever: dense, steps: [] }),
    ])
      expect((await each.retrieve('amber', { filter })).explanation.stages[0]?.note).toBe(
        'exact scan of 0 of 120 entries',
      )
    expect((await lexical.retrieve('amber', { filter })).passages).toEqual([])
  })
})

describe('listwiseReranker', () => {
  it('makes a permutation of every answer whatever, or lets the order stand', async () => {
    const passages = WORDS.map((id, i) => ({ ...chunkOf(id, id), score: 1 - i / 10, stages: [], source: {} }))
    const part = fc.oneof(
      fc.string(),
      fc.constantFrom(
        '[1]',
        '[6] > [2]',
        ' > ',
        '3',
        '99999999999',
        '[0]',
        '</think>',
        '<think>',
        '\n',
        ',',
        '[[',
        '-1',
        '１',
      ),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(part), async (parts) => {
        const reranked = await listwiseReranker({ model: scriptedModel([parts.join('')]) }).rerank('q', passages)
        expect(reranked.map(({ id }) => id).sort()).toEqual([...WORDS].sort())
        const [weight] = new Set(reranked.map(({ stages }) => stages.at(-1)?.weight))
        if (weight === 0) expect(reranked.map(({ id }) => id)).toEqual(WORDS)
      }),
      { numRuns: rounds, seed: 2 },
    )
  })
})

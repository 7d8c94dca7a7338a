import { describe, expect, it } from 'vitest'
import { accessFilter } from '../../src/corpus/index.ts'
import { lexicalHashEmbedder } from '../../src/embedder/index.ts'
import {
  hybridRetriever,
  lexicalOverlapReranker,
  limitPerSource,
  maximalMarginalRelevance,
  memoryChunkStore,
  multiQueryRetriever,
  parentRetriever,
  sourceAuthority,
  tieredRetriever,
  timeDecay,
  transformedRetriever,
  windowRetriever,
} from '../../src/retriever/index.ts'
import { fakeEmbedder, retrieverConformance } from '../../src/testing/index.ts'
import { chunkOf, legsOver } from './pipeline.ts'

const subjects = ['amber', 'bronze', 'copper', 'dynamo', 'ember', 'falcon']
const text = subjects.map((subject, i) => `Sentence ${i} tells of ${subject} and of nothing else. `).join('')
const sentences = subjects.map((subject, i) => {
  const start = text.indexOf(`Sentence ${i}`)
  const end = i + 1 < subjects.length ? text.indexOf(`Sentence ${i + 1}`) : text.length
  return chunkOf(subject, text.slice(start, end), { documentId: 'd', start, end })
})
const sections = [0, 3].map((from) => {
  const [start, end] = [sentences[from]!.start, sentences[from + 2]!.end]
  return chunkOf(`section ${from}`, text.slice(start, end), { documentId: 'd', start, end })
})
const sectionOf = (id: string) => (subjects.indexOf(id) < 3 ? 'section 0' : 'section 3')

function spansAreDisjoint(passages: readonly { documentId: string; start: number; end: number; text: string }[]): void {
  for (const [i, a] of passages.entries()) {
    if (a.documentId === 'd') expect(text.slice(a.start, a.end)).toBe(a.text)
    for (const b of passages.slice(i + 1))
      expect(a.documentId !== b.documentId || a.end <= b.start || b.end <= a.start).toBe(true)
  }
}

describe('the gate of hybridRetriever', () => {
  it('keeps a leg of noise from dragging the other down', async () => {
    const chunks = Array.from({ length: 600 }, (_, i) =>
      chunkOf(`c${i}`, `common ${'filler '.repeat(i % 7)} unique${'x'.repeat(i % 50)}`),
    )
    const { lexical } = await legsOver(chunks)
    const { dense: noise } = await legsOver(chunks, fakeEmbedder({ dimensions: 64 }))
    const weights = { lexical: 1, dense: 1 }
    const nearDuplicates = false
    const gated = await hybridRetriever({ lexical, dense: noise, weights, candidates: 20, nearDuplicates }).retrieve(
      'common uniquexxx',
    )
    const open = await hybridRetriever({
      lexical,
      dense: noise,
      weights,
      candidates: 20,
      nearDuplicates,
      gate: 'none',
    }).retrieve('common uniquexxx')
    const best = new Set((await lexical.retrieve('common uniquexxx')).passages.map(({ id }) => id))
    const kept = (passages: readonly { id: string }[]) => passages.filter(({ id }) => best.has(id)).length
    expect(kept(gated.passages)).toBeGreaterThan(kept(open.passages))
    expect(gated.explanation.stages.at(-1)?.note).toContain('gated')
  })

  it('leaves repetitions of a better passage out, unless asked not to', async () => {
    const body = 'the quick brown fox jumps over the lazy dog while nobody looks at it'
    const legs = await legsOver([chunkOf('a', body), chunkOf('b', `${body.toUpperCase()}!`), chunkOf('c', 'a fox')])
    const ids = async (options: { nearDuplicates?: false }) =>
      (await hybridRetriever({ ...legs, ...options }).retrieve('quick fox')).passages.map(({ id }) => id)
    expect((await ids({})).length).toBe(2)
    expect((await ids({ nearDuplicates: false })).length).toBe(3)
  })
})

describe('tieredRetriever', () => {
  for (const { name, run } of retrieverConformance({
    create: async (chunks) =>
      tieredRetriever({ first: (await legsOver(chunks)).lexical, embedder: lexicalHashEmbedder() }),
  }))
    it(name, run)

  it('orders by full vectors, those without one behind', async () => {
    const { lexical } = await legsOver(sentences)
    const embedder = lexicalHashEmbedder()
    const retriever = tieredRetriever({
      first: lexical,
      embedder,
      vectors: async (ids) => ids.map((id) => (id === 'copper' ? undefined : new Float32Array(1024).fill(1))),
    })
    const { passages, explanation } = await retriever.retrieve('copper sentence')
    expect(passages.at(-1)?.id).toBe('copper')
    expect(explanation.stages.at(-1)?.note).toContain('1 without a vector')
  })
})

describe('parentRetriever', () => {
  it('returns parents for children, no character twice', async () => {
    const { lexical } = await legsOver(sentences)
    const store = memoryChunkStore()
    store.put(sections)
    const retriever = parentRetriever({ retriever: lexical, store, parentOf: ({ id }) => sectionOf(id) })
    const { passages } = await retriever.retrieve('sentence of copper and falcon')
    expect(passages.map(({ id }) => id).sort()).toEqual(['section 0', 'section 3'])
    spansAreDisjoint(passages)
  })

  it('merges only where enough children were found', async () => {
    const { lexical } = await legsOver(sentences)
    const store = memoryChunkStore()
    store.put(sections)
    const retriever = parentRetriever({
      retriever: lexical,
      store,
      minChildren: 2,
      parentOf: ({ id }) => sectionOf(id),
    })
    const { passages } = await retriever.retrieve('amber bronze falcon')
    expect(passages.map(({ id }) => id)).toEqual(expect.arrayContaining(['section 0', 'falcon']))
    spansAreDisjoint(passages)
  })
})

describe('windowRetriever', () => {
  it('widens passages by their neighbours and joins windows that meet', async () => {
    const { lexical, store } = await legsOver(sentences)
    const windowOf = ({ id }: { id: string }) => {
      const at = subjects.indexOf(id)
      return subjects.slice(Math.max(0, at - 1), at + 2)
    }
    const retriever = windowRetriever({ retriever: lexical, store, windowOf })
    const apart = (await retriever.retrieve('amber falcon', { topK: 2 })).passages
    expect(apart.length).toBe(2)
    spansAreDisjoint(apart)
    const joined = (await retriever.retrieve('copper dynamo', { topK: 2 })).passages
    expect(joined.map(({ start, end }) => [start, end])).toEqual([[sentences[1]!.start, sentences[4]!.end]])
    spansAreDisjoint(joined)
  })
})

describe('expansion', () => {
  it('never shows a reader a parent or neighbour that the filter keeps from him', async () => {
    const secret = new Set(['bronze', 'section 3'])
    const guarded = <C extends { readonly id: string }>(chunks: readonly C[]) =>
      chunks.map((chunk) => ({ ...chunk, metadata: { access: [secret.has(chunk.id) ? 'user:bob' : 'user:ann'] } }))
    const { lexical, store } = await legsOver(guarded(sentences))
    const filter = accessFilter(['user:ann'])
    const textOf = (id: string) => sentences.find((each) => each.id === id)!.text
    const windowOf = ({ id }: { id: string }) => {
      const at = subjects.indexOf(id)
      return subjects.slice(Math.max(0, at - 1), at + 2)
    }
    const windows = windowRetriever({ retriever: lexical, store, windowOf })
    for (const { text } of (await windows.retrieve('amber copper', { filter })).passages)
      expect(text).not.toContain(textOf('bronze').trim())
    expect((await windows.retrieve('amber')).passages[0]!.text).toContain(textOf('bronze').trim())
    const parents = memoryChunkStore()
    parents.put(guarded(sections))
    const larger = parentRetriever({ retriever: lexical, store: parents, parentOf: ({ id }) => sectionOf(id) })
    const { passages } = await larger.retrieve('sentence of amber and falcon', { filter })
    expect(passages.map(({ id }) => id)).toContain('falcon')
    expect(passages.map(({ id }) => id)).not.toContain('section 3')
    spansAreDisjoint(passages)
  })
})

describe('multiQueryRetriever', () => {
  it('finds what only a generated query names, and falls back to the query alone', async () => {
    const { lexical } = await legsOver(sentences)
    const more = multiQueryRetriever({ retriever: lexical, generate: async () => ['falcon', '', 'falcon'] })
    const ids = (await more.retrieve('amber')).passages.map(({ id }) => id)
    expect(ids).toEqual(['amber', 'falcon'])
    const broken = multiQueryRetriever({ retriever: lexical, generate: () => Promise.reject(new Error('down')) })
    const { passages, explanation } = await broken.retrieve('amber')
    expect(passages.map(({ id }) => id)).toEqual(['amber'])
    expect(explanation.stages.at(-1)?.note).toContain('failed')
  })
})

describe('transforms', () => {
  const day = 86_400_000
  const passage = (id: string, score: number, rest: object = {}) => ({
    ...chunkOf(id, `text of ${id}`),
    score,
    stages: [],
    source: {},
    ...rest,
  })

  it('timeDecay halves its discount by half-life and leaves the undated alone', async () => {
    const decay = timeDecay({
      timeOf: ({ metadata }) => metadata.time as number | undefined,
      halfLifeMs: day,
      strength: 0.5,
      now: () => 10 * day,
    })
    const scores = Object.fromEntries(
      (
        await decay('q', [
          passage('new', 1, { metadata: { time: 10 * day } }),
          passage('day', 1, { metadata: { time: 9 * day } }),
          passage('old', 1, { metadata: { time: -1e6 * day } }),
          passage('future', 1, { metadata: { time: 99 * day } }),
          passage('undated', 1),
        ])
      ).map(({ id, score }) => [id, score]),
    )
    expect(scores).toEqual({ new: 1, day: 0.75, old: 0.5, future: 1, undated: 1 })
  })

  it('sourceAuthority is bounded', async () => {
    const trusted = sourceAuthority({ authorityOf: ({ id }) => (id === 'good' ? 99 : -99), bound: 0.2 })
    const scores = (await trusted('q', [passage('bad', 1), passage('good', 0.9), passage('far', 0.1)])).map(
      ({ id, score }) => [id, score],
    )
    expect(scores).toEqual([
      ['good', 0.9 * 1.2],
      ['bad', 0.8],
      ['far', expect.closeTo(0.08)],
    ])
  })

  it('limitPerSource keeps the best of each', async () => {
    const few = limitPerSource({ limit: 1 })
    const list = [passage('a', 3, { documentId: 'x' }), passage('b', 2, { documentId: 'x' }), passage('c', 1)]
    expect((await few('q', list)).map(({ id }) => id)).toEqual(['a', 'c'])
  })

  it('maximalMarginalRelevance keeps the order at 1 and looks for novelty below', async () => {
    const same = 'one two three four five six seven eight nine ten'
    const list = [passage('a', 1, { text: same }), passage('b', 0.9, { text: same }), passage('c', 0.5)]
    const order = async (lambda: number) => (await maximalMarginalRelevance({ lambda })('q', list)).map(({ id }) => id)
    expect(await order(1)).toEqual(['a', 'b', 'c'])
    expect(await order(0.5)).toEqual(['a', 'c', 'b'])
  })

  it('refuse to be what they are not', async () => {
    const { lexical: retriever } = await legsOver(sentences)
    const refused = expect.objectContaining({ code: 'INVALID_ARGUMENT' })
    for (const candidates of [0, Number.NaN, 1e9])
      expect(() => transformedRetriever({ retriever, steps: [], candidates })).toThrow(refused)
    expect(() => transformedRetriever({ retriever, steps: [{} as never] })).toThrow(refused)
  })

  it('run in order within transformedRetriever, each named in the explanation', async () => {
    const { lexical } = await legsOver(sentences)
    const retriever = transformedRetriever({
      retriever: lexical,
      steps: [lexicalOverlapReranker(), limitPerSource({ limit: 2 })],
    })
    const { passages, explanation } = await retriever.retrieve('sentence of amber', { topK: 5 })
    expect(passages.length).toBe(2)
    expect(explanation.stages.map(({ stage, note }) => [stage, note])).toEqual([
      ['lexical', undefined],
      ['rerank', undefined],
      ['transform', '4 left out'],
    ])
  })
})

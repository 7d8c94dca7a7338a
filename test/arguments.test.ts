import { describe, expect, it } from 'vitest'
import { lexicalHashEmbedder } from '../src/embedder/index.ts'
import { isGroundlineError } from '../src/errors.ts'
import * as evaluation from '../src/evaluation/index.ts'
import * as lexical from '../src/lexical-index/index.ts'
import { cohereReranker } from '../src/providers/cohere/index.ts'
import { jinaReranker } from '../src/providers/jina/index.ts'
import { voyageReranker } from '../src/providers/voyage/index.ts'
import * as retriever from '../src/retriever/index.ts'
import { scriptedModel } from '../src/testing/index.ts'
import * as vectors from '../src/vector-index/index.ts'
import { chunkOf, legsOver } from './retriever/pipeline.ts'

/** Values that are none of a kind; `null` is a value, not an option left out. */
const none = {
  integer: [null, '5', Number.NaN, -1, 2.5, Number.POSITIVE_INFINITY, {}, true],
  number: [null, '0.5', Number.NaN, -1, Number.NEGATIVE_INFINITY, [], true],
  share: [null, '0.5', Number.NaN, -0.1, 1.1, Number.POSITIVE_INFINITY, {}],
  function: [null, 5, 'f', {}, []],
  retriever: [undefined, null, 5, 'r', {}, [], { retrieve: 5 }],
  object: [null, 5, 'o', []],
  array: [null, 5, 'a', {}],
  text: [null, 5, {}, []],
  choice: [null, 5, 'neither', {}],
} as const
type Kind = keyof typeof none

const embedder = lexicalHashEmbedder()
const { lexical: words, dense, store } = await legsOver([chunkOf('a', 'amber')], embedder)
const index = vectors.exactIndex({ dimensions: embedder.dimensions })
const wordIndex = lexical.lexicalIndex()
const saved = await wordIndex.save()
const some = async () => [] as never[]
const queries = Array.from({ length: 20 }, () => 'amber')
const labelled = queries.map((query) => ({ query, relevant: new Map([['a', 1]]) }))
const judgments = new Map([['q', new Map([['a', 1]])]])
const run = new Map([['q', [{ id: 'a', score: 1 }]]])
const result = evaluation.evaluateRun(run, judgments)
const sample = { vectors: Array.from({ length: 40 }, (_, i) => Float32Array.of(1, i)) }
const storage = { list: some, read: some, publish: some, remove: some, writeNew: some }

/** Options that are good, and of what kind each is. */
type Case = readonly [
  name: string,
  call: (options: never) => unknown,
  good: object,
  kinds: Readonly<Record<string, Kind | 'required function' | 'required store' | 'required index' | 'required text'>>,
]

const cases: readonly Case[] = [
  ['exactIndex', vectors.exactIndex, { dimensions: 3 }, { dimensions: 'integer', metric: 'choice', space: 'object' }],
  [
    'lexicalIndex',
    lexical.lexicalIndex,
    {},
    {
      k1: 'number',
      b: 'share',
      variant: 'choice',
      delta: 'number',
      families: 'share',
      analyzer: 'object',
      weights: 'object',
      'weights.text': 'number',
      'weights.headings': 'number',
    },
  ],
  [
    'openLexicalIndex',
    (options) => lexical.openLexicalIndex(saved, options),
    {},
    { k1: 'number', b: 'share', integrity: 'choice', analyzer: 'object', 'weights.text': 'number' },
  ],
  ['wordAnalyzer', lexical.wordAnalyzer, {}, { name: 'text', stem: 'function', fold: 'choice', stopWords: 'array' }],
  [
    'denseRetriever',
    retriever.denseRetriever,
    { index, embedder, store },
    { index: 'required index', embedder: 'retriever', store: 'required store', stage: 'text' },
  ],
  [
    'lexicalRetriever',
    retriever.lexicalRetriever,
    { index: wordIndex, store },
    { index: 'required index', store: 'required store', stage: 'text' },
  ],
  [
    'hybridRetriever',
    retriever.hybridRetriever,
    { lexical: words, dense },
    {
      lexical: 'retriever',
      dense: 'retriever',
      weights: 'object',
      'weights.lexical': 'number',
      'weights.dense': 'number',
      fusion: 'choice',
      rrfK: 'integer',
      candidates: 'integer',
      gate: 'choice',
      nearDuplicates: 'share',
    },
  ],
  [
    'tieredRetriever',
    retriever.tieredRetriever,
    { first: words, embedder },
    {
      first: 'retriever',
      embedder: 'retriever',
      vectors: 'function',
      oversampling: 'integer',
      candidates: 'integer',
    },
  ],
  [
    'calibratedTieredRetriever',
    retriever.calibratedTieredRetriever,
    { first: words, embedder, exact: dense, queries },
    {
      first: 'retriever',
      exact: 'retriever',
      embedder: 'retriever',
      vectors: 'function',
      queries: 'array',
      recall: 'share',
      topK: 'integer',
      mostCandidates: 'integer',
    },
  ],
  [
    'parentRetriever',
    retriever.parentRetriever,
    { retriever: words, store, parentOf: () => undefined },
    {
      retriever: 'retriever',
      store: 'required store',
      parentOf: 'required function',
      minChildren: 'integer',
      oversampling: 'integer',
    },
  ],
  [
    'windowRetriever',
    retriever.windowRetriever,
    { retriever: words, store, windowOf: () => [] },
    { retriever: 'retriever', store: 'required store', windowOf: 'required function' },
  ],
  [
    'multiQueryRetriever',
    retriever.multiQueryRetriever,
    { retriever: words, generate: some },
    { retriever: 'retriever', generate: 'required function', maxQueries: 'integer', weight: 'number' },
  ],
  [
    'profileRetriever',
    retriever.profileRetriever,
    { retriever: words, profile: () => ({}), vectors: some },
    {
      retriever: 'retriever',
      profile: 'required function',
      vectors: 'required function',
      liking: 'share',
      disliking: 'share',
    },
  ],
  [
    'transformedRetriever',
    retriever.transformedRetriever,
    { retriever: words, steps: [] },
    { retriever: 'retriever', steps: 'array', candidates: 'integer' },
  ],
  [
    'contextualLexicalRetriever',
    retriever.contextualLexicalRetriever,
    { index: wordIndex, store },
    {
      index: 'required index',
      store: 'required store',
      sections: 'array',
      reach: 'number',
      repeats: 'choice',
      candidates: 'integer',
    },
  ],
  [
    'timeDecay',
    retriever.timeDecay,
    { timeOf: () => 0, halfLifeMs: 1, now: Date.now },
    { timeOf: 'required function', halfLifeMs: 'number', strength: 'share', now: 'required function' },
  ],
  [
    'sourceAuthority',
    retriever.sourceAuthority,
    { authorityOf: () => 1 },
    { authorityOf: 'required function', bound: 'share' },
  ],
  ['limitPerSource', retriever.limitPerSource, { limit: 1 }, { limit: 'integer', sourceOf: 'function' }],
  ['maximalMarginalRelevance', retriever.maximalMarginalRelevance, {}, { lambda: 'share' }],
  ['lexicalOverlapReranker', retriever.lexicalOverlapReranker, {}, { weight: 'share' }],
  [
    'listwiseReranker',
    retriever.listwiseReranker,
    { model: scriptedModel('[1]') },
    {
      model: 'retriever',
      window: 'integer',
      passageUnits: 'integer',
      timeoutMs: 'integer',
      maxOutputTokens: 'integer',
      onFallback: 'function',
    },
  ],
  ['cohereReranker', cohereReranker, { model: 'm', apiKey: 'k' }, { model: 'required text', passageTokens: 'integer' }],
  ['voyageReranker', voyageReranker, { model: 'm', apiKey: 'k' }, { model: 'required text', overlong: 'choice' }],
  ['jinaReranker', jinaReranker, { model: 'm', apiKey: 'k' }, { model: 'required text' }],
  [
    'learnHybridWeights',
    retriever.learnHybridWeights,
    { lexical: words, dense, queries: labelled },
    { lexical: 'retriever', dense: 'retriever', queries: 'array', folds: 'integer', candidates: 'integer' },
  ],
  ['retrievalFeedback', retriever.retrievalFeedback, {}, { records: 'integer', earlier: 'array', newId: 'function' }],
  [
    'storedFeedback',
    retriever.storedFeedback,
    { storage },
    { storage: 'retriever', prefix: 'text', records: 'integer', newId: 'function', sealer: 'object' },
  ],
  ['toTool', (options) => retriever.toTool(words, options), {}, { name: 'text', description: 'text', topK: 'integer' }],
  [
    'runRetriever',
    (options) => evaluation.runRetriever(words, [{ id: 'q', text: 'amber' }], options),
    {},
    { topK: 'integer', unit: 'choice' },
  ],
  [
    'evaluateRun',
    (options) => evaluation.evaluateRun(run, judgments, options),
    {},
    { metrics: 'array', order: 'choice' },
  ],
  [
    'pairedBootstrap',
    (options) => evaluation.pairedBootstrap([0, 1], [1, 2], options),
    {},
    { rounds: 'integer', seed: 'integer' },
  ],
  [
    'permutationTest',
    (options) => evaluation.permutationTest([0, 1], [1, 2], options),
    {},
    { rounds: 'integer', seed: 'integer' },
  ],
  ['compareRuns', (options) => evaluation.compareRuns(result, result, options), {}, { rounds: 'integer' }],
  ['evaluationHtml', (options) => evaluation.evaluationHtml([{ name: 'a', result }], options), {}, { title: 'text' }],
  [
    'driftMonitor',
    evaluation.driftMonitor,
    { reference: sample },
    {
      reference: 'object',
      countTokens: 'function',
      falseAlarms: 'share',
      permutations: 'integer',
      seed: 'integer',
    },
  ],
]

/** The options with another value under a name, or under a name within one. */
function withValue(good: object, name: string, value: unknown): never {
  const [outer = '', inner] = name.split('.')
  return { ...good, [outer]: inner === undefined ? value : { [inner]: value } } as never
}

describe.each(cases)('%s', (_, call, good, kinds) => {
  it('takes good options', async () => {
    await call(good as never)
  })

  it.each([null, 5, 'options', []])('refuses %j in place of options', async (options) => {
    await expect((async () => call(options as never))()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })

  it.each(Object.entries(kinds))('names %s, what it must be and what it is', async (name, kind) => {
    const isRequired = kind.startsWith('required')
    const values = isRequired
      ? kind === 'required function'
        ? [undefined, ...none.function]
        : kind === 'required text'
          ? [undefined, ...none.text]
          : none.retriever
      : none[kind as Kind]
    for (const value of values) {
      const error = await (async () => call(withValue(good, name, value)))().then(
        () => `${JSON.stringify(value)} was taken`,
        (thrown) => thrown,
      )
      expect(isGroundlineError(error) ? error.code : error, `${name}: ${String(value)}`).toBe('INVALID_ARGUMENT')
      expect(error.message).toContain(name.split('.').at(-1))
      expect(error.message).toMatch(/ must be .+, got .+/)
      expect(error.details).toMatchObject({ expected: expect.any(String), actual: expect.any(String) })
    }
  })
})

describe('arguments that are no options', () => {
  it.each<[string, () => unknown]>([
    ['a run that is an object', () => evaluation.evaluateRun({ q: [] } as never, judgments)],
    ['judgments that are an object', () => evaluation.evaluateRun(run, { q: {} } as never)],
    ['judgments of objects', () => evaluation.evaluateRun(run, new Map([['q', { a: 1 }]]) as never)],
    ...['constructor@3', '__proto__', 'toString', 'ndcg@', 'ndcg@1e1', 'ndcg@10@3', 'ndcg@-1', 'ndcg@ 5', ''].map(
      (name): [string, () => unknown] => [
        `the metric ${name}`,
        () => evaluation.evaluateRun(run, judgments, { metrics: [name as 'map'] }),
      ],
    ),
    [
      'a score that cannot be sorted by',
      () => {
        const unsorted = new Map([['q', [{ id: 'a', score: Number.NaN }]]])
        return evaluation.evaluateRun(unsorted, judgments, { order: 'trec_eval' })
      },
    ],
    ['NaN in a test, which would be significant', () => evaluation.permutationTest([0, Number.NaN], [1, 2])],
    ['infinity in a test', () => evaluation.pairedBootstrap([0, 1], [1, Number.POSITIVE_INFINITY])],
    ['lists of different lengths', () => evaluation.permutationTest([0, 1], [1])],
    ['no values', () => evaluation.pairedBootstrap([], [])],
    ['texts that are no list', () => evaluation.pairedBootstrap('ab' as never, [1, 2])],
    ['results that are none', () => evaluation.compareRuns(result, {} as never)],
    ['a page of nothing', () => evaluation.evaluationHtml([{ name: 'a' } as never])],
    ['a collection without texts', () => evaluation.parseBeirCollection({ corpus: '' } as never)],
    ['judgments that are no text', () => evaluation.parseQrels(5 as never)],
    ['grades that are an object', () => evaluation.ndcgAt(['a'], { a: 1 } as never)],
    ['a cut of a half', () => evaluation.recallAt(['a'], new Map([['a', 1]]), 0.5)],
    ['a cut that is NaN', () => evaluation.averagePrecision(['a'], new Map([['a', 1]]), Number.NaN)],
    ['no retriever to ask', () => evaluation.runRetriever({} as never, [])],
    ['queries without text', () => evaluation.runRetriever(words, [{ id: 'q' } as never])],
    ['a tool of nothing', () => retriever.toTool(undefined as never)],
    ['nothing to remember', () => retriever.retrievalFeedback().remember({} as never)],
    ['records of something else', () => retriever.retrievalFeedback({ earlier: [{ id: 'a' } as never] })],
    ['bytes that are none', () => lexical.openLexicalIndex('bytes' as never)],
    ['a language that has no stemmer', () => lexical.languageAnalyzer('constructor' as never)],
    [
      'grades that are NaN',
      () => {
        const bad = labelled.map(({ query }) => ({ query, relevant: new Map([['a', Number.NaN]]) }))
        return retriever.learnHybridWeights({ lexical: words, dense, queries: bad })
      },
    ],
    ...[{ boosts: [{ path: ['lang'], value: 'de', factor: Number.NaN }] }, { liked: [5] }, { disliked: 'a' }, 5].map(
      (profile): [string, () => unknown] => [
        `the profile ${JSON.stringify(profile)}`,
        () =>
          retriever
            .profileRetriever({ retriever: words, profile: () => profile as never, vectors: some })
            .retrieve('amber'),
      ],
    ),
    ...[
      { members: [0], weights: [] },
      { members: [0], weights: [0] },
      { members: [0], weights: [Number.NaN] },
      { members: [1], weights: [1] },
      { members: [-1], weights: [1] },
      { members: [0.5], weights: [1] },
      { members: ['a'], weights: [1] },
      { members: 'a', weights: [1] },
      null,
    ].map((mixture): [string, () => unknown] => [
      `the mixture ${JSON.stringify(mixture)}`,
      () => wordIndex.scoreMixtures('amber', ['a'], [mixture as never]),
    ]),
    ['ids of mixtures that are none', () => wordIndex.scoreMixtures('amber', [5 as never], [])],
  ])('%s: INVALID_ARGUMENT', async (_, call) => {
    await expect((async () => call())()).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(/must be|is no|there is no/),
    })
  })

  it('a filter of a tool is its own copy, and checked when the tool is made', async () => {
    const filter = { op: 'eq', path: ['team'], value: 'red' } as { op: 'eq'; path: string[]; value: string }
    let asked: unknown
    const listening = {
      retrieve: (...given: Parameters<typeof words.retrieve>) => {
        asked = given[1]?.filter
        return words.retrieve(...given)
      },
    }
    const tool = retriever.toTool(listening, { filter })
    filter.value = 'blue'
    await tool.call({ query: 'amber' })
    expect(asked).toEqual({ op: 'eq', path: ['team'], value: 'red' })
    expect(() => retriever.toTool(words, { filter: { op: 'near' } as never })).toThrow(
      expect.objectContaining({ code: 'INVALID_FILTER' }),
    )
  })

  it('every function of the four modules is in the list above, or takes no options', () => {
    const named = new Set(cases.map(([name]) => name))
    const without = new Set(
      'ndcgAt recallAt precisionAt reciprocalRank averagePrecision parseQrels parseBeirCollection driftActions actOnDrift englishAnalyzer languageAnalyzer stemEnglish memoryChunkStore'.split(
        ' ',
      ),
    )
    const functions = [vectors, lexical, retriever, evaluation].flatMap((module) => Object.keys(module))
    expect(functions.filter((name) => !named.has(name) && !without.has(name))).toEqual([])
  })
})

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  compareRuns,
  evaluateRun,
  evaluationHtml,
  type MetricName,
  pairedBootstrap,
  parseBeirCollection,
  parseQrels,
  permutationTest,
  runRetriever,
} from '../../src/evaluation/index.ts'
import { createRandom } from '../../src/testing/index.ts'
import { chunkOf, legsOver } from '../retriever/pipeline.ts'

const trec: {
  qrels: Record<string, Record<string, number>>
  run: Record<string, Record<string, number>>
  expected: Record<string, Record<string, number>>
} = JSON.parse(readFileSync(new URL('../fixtures/trec/trec-eval.json', import.meta.url), 'utf8'))
const judgments = new Map(Object.entries(trec.qrels).map(([id, grades]) => [id, new Map(Object.entries(grades))]))
const run = new Map(
  Object.entries(trec.run).map(([id, scores]) => [
    id,
    Object.entries(scores).map(([doc, score]) => ({ id: doc, score })),
  ]),
)

describe('evaluateRun', () => {
  it('gives the values of trec_eval to 1e-9, ties included', () => {
    const metrics = Object.keys(Object.values(trec.expected)[0]!) as MetricName[]
    const { queries, means } = evaluateRun(run, judgments, { metrics, order: 'trec_eval' })
    expect(queries.length).toBe(25)
    for (const { id, values } of queries)
      for (const name of metrics) expect(Math.abs(values[name]! - trec.expected[id]![name]!)).toBeLessThan(1e-9)
    for (const name of metrics) {
      const all = Object.values(trec.expected).map((values) => values[name]!)
      expect(means[name]).toBeCloseTo(all.reduce((sum, value) => sum + value, 0) / all.length, 9)
    }
  })

  it('counts a query without an answer as 0 and leaves out queries without a relevant document', () => {
    const some = new Map([
      ['a', new Map([['x', 1]])],
      ['b', new Map([['x', 0]])],
      ['c', new Map([['y', 2]])],
    ])
    const { means, queries } = evaluateRun(new Map([['a', [{ id: 'x', score: 1 }]]]), some, { metrics: ['ndcg@10'] })
    expect(queries.map(({ id }) => id)).toEqual(['a', 'c'])
    expect(means['ndcg@10']).toBe(0.5)
  })

  it('refuses unknown metrics and lists with a document twice', () => {
    for (const name of ['ndgc@10', 'ndcg@0', 'map@x'])
      expect(() => evaluateRun(run, judgments, { metrics: [name as MetricName] })).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
      )
    const twice = new Map([
      [
        'a',
        [
          { id: 'x', score: 2 },
          { id: 'x', score: 1 },
        ],
      ],
    ])
    expect(() => evaluateRun(twice, new Map([['a', new Map([['x', 1]])]]))).toThrow(
      expect.objectContaining({ code: 'DUPLICATE_ID' }),
    )
  })
})

describe('parseBeirCollection', () => {
  it('reads documents, queries and judgments', () => {
    const collection = parseBeirCollection({
      corpus: '{"_id":"1","title":"T","text":"one"}\n{"_id":"2","text":"two"}\n',
      queries: '{"_id":"q","text":"what"}\n',
      qrels: 'query-id\tcorpus-id\tscore\nq\t1\t2\nq\t2\t0\n',
    })
    expect(collection.documents).toEqual([
      { id: '1', title: 'T', text: 'one' },
      { id: '2', title: '', text: 'two' },
    ])
    expect(collection.queries).toEqual([{ id: 'q', text: 'what' }])
    expect(collection.judgments).toEqual(
      new Map([
        [
          'q',
          new Map([
            ['1', 2],
            ['2', 0],
          ]),
        ],
      ]),
    )
    expect(parseQrels('\ufeffq 0 1 2\n').get('q')).toEqual(new Map([['1', 2]]))
    expect(parseQrels('q 0 1 2\n')).toEqual(new Map([['q', new Map([['1', 2]])]]))
  })

  it('names the line that cannot be read', () => {
    expect(() => parseBeirCollection({ corpus: '{"_id":"1","text":"a"}\n{"_id":2}', queries: '', qrels: '' })).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED_FORMAT', details: expect.objectContaining({ line: 2 }) }),
    )
    expect(() => parseQrels('q\td\t1\nq\td\tx')).toThrow(expect.objectContaining({ code: 'UNSUPPORTED_FORMAT' }))
  })
})

describe('significance', () => {
  const random = createRandom(11)
  const a = Array.from({ length: 80 }, () => random.next())
  const b = a.map((value) => value + 0.05 + 0.05 * random.normal())

  it('finds a difference that is there and none in what is equal', () => {
    const { difference, low, high } = pairedBootstrap(a, b)
    expect(difference).toBeCloseTo(0.05, 1)
    expect(low).toBeGreaterThan(0)
    expect(high).toBeGreaterThan(difference)
    expect(permutationTest(a, b)).toBeLessThan(0.001)
    expect(permutationTest(a, a)).toBe(1)
  })

  it('has the p-values of a full enumeration on few queries', () => {
    // All 2^4 signs of (1, 2, 3, 4): |sum| is 10 for two of them.
    expect(permutationTest([0, 0, 0, 0], [1, 2, 3, 4], { rounds: 40_000 })).toBeCloseTo(2 / 16, 2)
  })

  it('rejects a true null hypothesis about as often as it says', () => {
    const rejected = Array.from({ length: 200 }, () => {
      const left = Array.from({ length: 30 }, () => random.next())
      const right = Array.from({ length: 30 }, () => random.next())
      return permutationTest(left, right, { rounds: 400 }) < 0.05
    }).filter(Boolean).length
    expect(rejected).toBeGreaterThan(1)
    expect(rejected).toBeLessThan(22)
  })
})

describe('compareRuns', () => {
  it('names means, interval, p-value and the queries that changed', () => {
    const worse = new Map([...run].map(([id, results]) => [id, results.slice(3)]))
    const comparison = compareRuns(evaluateRun(worse, judgments), evaluateRun(run, judgments))
    const { difference, a, b, wins, losses, changes } = comparison['recall@100']!
    expect(b - a).toBeCloseTo(difference, 12)
    expect(wins).toBeGreaterThan(losses)
    expect(changes[0]!.b).toBeGreaterThan(changes[0]!.a)
    expect(() => compareRuns(evaluateRun(run, judgments), evaluateRun(run, new Map()))).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    )
  })
})

describe('runRetriever and evaluationHtml', () => {
  it('turn a retriever into a run and runs into a page of its own, with every text escaped', async () => {
    const { lexical } = await legsOver([chunkOf('a', 'amber'), chunkOf('b', 'bronze amber'), chunkOf('c', 'copper')])
    const answers = await runRetriever(lexical, [{ id: 'q', text: 'amber' }], { unit: 'chunk' })
    expect(answers.get('q')?.map(({ id }) => id)).toEqual(['a', 'b'])
    const result = evaluateRun(answers, new Map([['q', new Map([['a', 1]])]]))
    const page = evaluationHtml([{ name: '<script>alert(1)</script>', result }], { queries: new Map([['q', '"&"']]) })
    expect(page).not.toContain('<script')
    expect(page).toContain('&#34;&#38;&#34;')
    expect(page).not.toMatch(/https?:|src=/)
    expect(page).toContain('1.0000')
  })

  it('puts values beside their own queries where two systems were asked different ones', () => {
    const resultOf = (ids: readonly string[]) =>
      evaluateRun(
        new Map(ids.map((id) => [id, [{ id: id === 'q1' ? 'x' : 'a', score: 1 }]])),
        new Map(ids.map((id) => [id, new Map([['a', 1]])])),
        { metrics: ['mrr@10'] },
      )
    const [one, two] = [resultOf(['q1', 'q2']), resultOf(['q2', 'q3'])]
    expect(JSON.parse(JSON.stringify(one))).toEqual(one)
    const page = evaluationHtml([
      { name: 'one', result: one },
      { name: 'two', result: two },
    ])
    for (const row of [
      ['q1', '0.0000', ''],
      ['q2', '1.0000', '1.0000'],
      ['q3', '', '1.0000'],
    ])
      expect(page).toContain(`<tr>${row.map((cell) => `<td>${cell}</td>`).join('')}</tr>`)
  })

  it('label the axes of the plot: the metric and its values, the ranks of the queries', () => {
    const qrels = new Map(Array.from({ length: 9 }, (_, i) => [`q${i}`, new Map([['a', 1]])] as const))
    const run = new Map([...qrels.keys()].map((id) => [id, [{ id: 'a', score: 1 }]] as const))
    const page = evaluationHtml([{ name: 'one', result: evaluateRun(run, qrels) }], { metric: 'MRR' })
    const labels = [...page.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, label]) => label)
    expect(labels).toEqual(
      expect.arrayContaining(['0.00', '0.50', '1.00', '1', '5', '9', 'queries, worst to best', 'MRR', 'one']),
    )
  })
})

import { describe, expect, test } from 'vitest'
import {
  actOnDrift,
  type DriftReport,
  type DriftSample,
  driftActions,
  driftMonitor,
} from '../../src/evaluation/index.ts'
import { fourierFeatures, kernelDiscrepancy, meanDistance } from '../../src/evaluation/permutation-test.ts'
import { seededRandom as seeded } from '../corpus/simulated-file-system.ts'

const DIMENSIONS = 32

/** Unit vectors around a few topics, as embeddings of one domain lie, with words of that domain. */
function domain(seed: number) {
  const random = seeded(seed)
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  const topics = Array.from({ length: 12 }, () => Array.from({ length: DIMENSIONS }, normal))
  return (count: number, drawSeed: number): DriftSample => {
    const draw = seeded(drawSeed)
    const noise = () => Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw())
    const vectors: Float32Array[] = []
    const texts: string[] = []
    for (let item = 0; item < count; item++) {
      const topic = Math.floor(draw() * topics.length)
      const raw = topics[topic]!.map((value) => value + 0.8 * noise())
      const length = Math.hypot(...raw)
      vectors.push(Float32Array.from(raw, (value) => value / length))
      texts.push(Array.from({ length: 12 }, () => `word${seed}x${Math.floor(draw() ** 2 * 400)}`).join(' '))
    }
    return { vectors, texts }
  }
}

const trials = process.env.GROUNDLINE_NIGHTLY === '1' ? 200 : 14
const [usual, other] = [domain(101), domain(202)]

describe('driftMonitor', () => {
  test('without a change it raises an alarm in at most 5 % of reports, but for chance', async () => {
    let alarms = 0
    for (let trial = 0; trial < trials; trial++) {
      const monitor = driftMonitor({ reference: usual(400, 1_000 + trial), permutations: 199, seed: trial + 1 })
      if ((await monitor.report({ sample: usual(200, 5_000 + trial) })).alarm) alarms++
    }
    // Three standard deviations above 5 %.
    expect(alarms / trials).toBeLessThanOrEqual(0.05 + 3 * Math.sqrt((0.05 * 0.95) / trials))
  }, 120_000)

  test('a mixture of 10 % of another domain in 500 samples is found in at least 95 % of reports', async () => {
    const reports = Math.ceil(trials / 2)
    let found = 0
    for (let trial = 0; trial < reports; trial++) {
      const monitor = driftMonitor({ reference: usual(1_000, 2_000 + trial), permutations: 199, seed: trial + 1 })
      const [most, some] = [usual(450, 6_000 + trial), other(50, 7_000 + trial)]
      const vectors = [...most.vectors, ...some.vectors]
      // By the vectors alone; unknown words make it easier.
      if ((await monitor.report({ sample: { vectors } })).alarm) found++
    }
    expect(found / reports).toBeGreaterThanOrEqual(0.95)
  }, 120_000)

  test('words never seen and other tokens are seen, and reports are repeatable JSON', async () => {
    const reference = usual(400, 1)
    const monitor = driftMonitor({ reference, countTokens: (text) => text.length / 4, permutations: 199 })
    const sample = usual(200, 2)
    const texts = sample.texts!.map((text) => text.replaceAll('word101', 'anotherlongword'))
    const report = await monitor.report({ sample: { vectors: sample.vectors, texts } })
    const alarms = report.tests.filter(({ alarm }) => alarm).map(({ name }) => name)
    expect(alarms).toContain('unknown-words')
    expect(alarms).toContain('fertility')
    expect(alarms).not.toContain('centroid')
    expect(JSON.parse(JSON.stringify(report))).toEqual(report)
    expect(await monitor.report({ sample: { vectors: sample.vectors, texts } })).toEqual(report)
    expect(driftActions(report)).toEqual(['review-embedder'])
  })

  test('each test of vectors sees the drift it is for', async () => {
    const monitor = driftMonitor({ reference: usual(400, 1), permutations: 199 })
    const { vectors } = usual(200, 2)
    const alarmsOf = async (changed: readonly Float32Array[]) =>
      (await monitor.report({ sample: { vectors: changed } })).tests
        .filter(({ alarm }) => alarm)
        .map(({ name }) => name)
    expect(await alarmsOf(vectors)).toEqual([])
    // The same directions, a tenth longer: only lengths tell.
    expect(await alarmsOf(vectors.map((vector) => vector.map((value) => value * 1.1)))).toContain('norm')
    // Everything moved a little the same way.
    const moved = vectors.map((vector) => vector.map((value, axis) => (axis === 0 ? value + 0.15 : value)))
    expect(await alarmsOf(moved)).toContain('centroid')
    expect(await alarmsOf(moved)).toContain('mmd')
    // Nearer to the middle of everything, whatever their length.
    const middle = vectors[0]!.map(
      (_, axis) => vectors.reduce((sum, vector) => sum + vector[axis]!, 0) / vectors.length,
    )
    const nearer = vectors.map((vector) => vector.map((value, axis) => value + 0.7 * middle[axis]!))
    expect(await alarmsOf(nearer)).toContain('similarity')
    // Some items as nothing usual is.
    const strange = other(20, 9).vectors
    expect(await alarmsOf([...vectors.slice(20), ...strange])).toContain('novelty')
  })

  test('canaries that miss their passages and stale documents are named', async () => {
    const monitor = driftMonitor({ reference: usual(100, 3) })
    const report = await monitor.report({
      canaries: {
        queries: [
          { query: 'good', expected: ['a'] },
          { query: 'bad', expected: ['a', 'b'] },
        ],
        search: async (query) => (query === 'good' ? ['a', 'x'] : ['a']),
      },
      documents: [
        { id: 'old', modified: '2020-01-01' },
        { id: 'new', modified: '2026-01-01', revision: '1', sourceRevision: '1' },
        { id: 'changed', revision: '1', sourceRevision: '2' },
      ],
      maxAge: 365 * 86_400_000,
      now: new Date('2026-06-01'),
    })
    expect(report.canaries).toEqual([{ query: 'bad', missing: ['b'] }])
    expect(report.stale).toEqual([
      { id: 'old', reason: 'age' },
      { id: 'changed', reason: 'source' },
    ])
    expect(report.alarm).toBe(true)
    expect(driftActions(report)).toEqual(['sync', 'rebuild-index'])
    expect(driftActions(await monitor.report({}))).toEqual(['none'])
  })

  test('samples too small, of other dimensions or with NaN are typed errors', async () => {
    expect(() => driftMonitor({ reference: usual(10, 1) })).toThrow('at least 40')
    const monitor = driftMonitor({ reference: usual(100, 1) })
    const vectors = usual(50, 2).vectors
    await expect(monitor.report({ sample: { vectors: vectors.slice(0, 5) } })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    })
    await expect(monitor.report({ sample: { vectors: vectors.map((one) => one.slice(1)) } })).rejects.toMatchObject({
      code: 'DIMENSION_MISMATCH',
    })
    const bad = vectors.map((one) => one.slice().fill(Number.NaN))
    await expect(monitor.report({ sample: { vectors: bad } })).rejects.toMatchObject({ code: 'INVALID_VECTOR' })
    const reason = new Error('stop')
    await expect(monitor.report({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })

  test('the exact discrepancy is the mean over all pairs of kernels, and random features come near it', () => {
    const [near, far] = [usual(60, 1).vectors, other(40, 2).vectors]
    const vectors = [...near, ...far]
    const labels = new Uint8Array(vectors.length).fill(1, 0, near.length)
    const squared = (a: Float32Array, b: Float32Array) =>
      a.reduce((sum, value, axis) => sum + (value - b[axis]!) ** 2, 0)
    // The same bandwidth: the same random pairs.
    const random = seeded(5)
    const distances = Array.from({ length: 500 }, () => {
      const pair = [Math.floor(random() * vectors.length), Math.floor(random() * vectors.length)] as const
      return Math.sqrt(squared(vectors[pair[0]]!, vectors[pair[1]]!))
    })
      .filter((distance) => distance > 0)
      .sort((a, b) => a - b)
    const bandwidth = distances[distances.length >> 1]!
    const mean = (left: readonly Float32Array[], right: readonly Float32Array[]) =>
      left
        .flatMap((a) => right.map((b) => Math.exp(-squared(a, b) / (2 * bandwidth ** 2))))
        .reduce((x, y) => x + y, 0) /
      (left.length * right.length)
    const expected = Math.sqrt(mean(near, near) + mean(far, far) - 2 * mean(near, far))
    expect(kernelDiscrepancy(vectors, seeded(5)).value(labels)).toBeCloseTo(expected, 5)
    const features = meanDistance(fourierFeatures(vectors, 4_096, seeded(5))).value(labels)
    expect(Math.abs(features - expected)).toBeLessThan(0.05)
  })

  test('the refresh policy carries out what a report asks for, and says what it could not', async () => {
    const report: DriftReport = {
      alarm: true,
      tests: [],
      canaries: [{ query: 'q', missing: ['a'] }],
      stale: [{ id: 'old', reason: 'source' }],
    }
    const done: string[] = []
    const fails = new Error('no disk')
    const outcomes = await actOnDrift(report, {
      sync: async ({ stale }) => {
        done.push(...stale.map(({ id }) => id))
        throw fails
      },
      'rebuild-index': async () => {
        done.push('rebuilt')
      },
    })
    expect(done).toEqual(['old', 'rebuilt'])
    expect(outcomes).toEqual([
      { action: 'sync', outcome: 'failed', error: fails },
      { action: 'rebuild-index', outcome: 'done' },
    ])
    expect(await actOnDrift({ ...report, canaries: [] }, {})).toEqual([{ action: 'sync', outcome: 'undone' }])
    expect(await actOnDrift({ ...report, stale: [], canaries: [] }, {})).toEqual([])
    await expect(actOnDrift(report, {}, { signal: AbortSignal.abort('stop') })).rejects.toBe('stop')
  })
})

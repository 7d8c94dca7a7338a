import type { AbortOptions } from '../document.ts'
import { GroundlineError } from '../errors.ts'
import { requireArray, requireFunction, requireInteger, requireNumber, requireObject } from '../internal/argument.ts'
import {
  fourierFeatures,
  kernelDiscrepancy,
  kolmogorovSmirnov,
  meanDistance,
  permutationPValues,
  shareDifference,
  type TwoSampleStatistic,
} from './permutation-test.ts'

/** Texts with their vectors, drawn at random from a corpus or from what was added or asked lately. */
export interface DriftSample {
  /** One vector a text, all of one embedding space. */
  readonly vectors: readonly Float32Array[]
  /** The texts; empty to leave the tests of words and tokens out. */
  readonly texts?: readonly string[]
}

/** A question whose answer is known. */
export interface CanaryQuery {
  /** The question. */
  readonly query: string
  /** Ids of passages that must be found. */
  readonly expected: readonly string[]
}

/** What a monitor watches. */
export interface DriftMonitorOptions {
  /** What is usual: at least 40 vectors. Half of it is the measure, the other half what new samples are compared with. */
  readonly reference: DriftSample
  /** Counts the tokens of a text, for token fertility. Without it that test is left out. */
  readonly countTokens?: (text: string) => number
  /** The share of reports that may raise an alarm though nothing changed. Default 0.05. */
  readonly falseAlarms?: number
  /** Random relabellings a report. Default 499. */
  readonly permutations?: number
  /** Makes reports repeatable. Default 1. */
  readonly seed?: number
}

/** One test of a report. */
export interface DriftTest {
  /** `centroid`, `mmd`, `similarity`, `novelty` (far from everything usual), `norm`, `unknown-words` or `fertility`. */
  readonly name: string
  /** The statistic. */
  readonly statistic: number
  /** How often chance alone gives as much, after correction for the number of tests. */
  readonly p: number
  /** Whether it counts as drift. */
  readonly alarm: boolean
}

/** What a monitor found. Plain JSON. */
export interface DriftReport {
  /** Whether any test or canary raised an alarm. */
  readonly alarm: boolean
  /** The statistical tests. */
  readonly tests: readonly DriftTest[]
  /** Canary queries that miss an expected passage, with what they miss. */
  readonly canaries: readonly { readonly query: string; readonly missing: readonly string[] }[]
  /** Documents older than the limit, and those whose source has changed. */
  readonly stale: readonly { readonly id: string; readonly reason: 'age' | 'source' }[]
}

/** What to look at for one report. */
export interface DriftCheck extends AbortOptions {
  /** What there is now: at least 20 vectors; 500 find a mixture of 10 % of another domain. */
  readonly sample?: DriftSample
  /** Questions with known answers, and the search that answers them. */
  readonly canaries?: {
    /** The questions. */
    readonly queries: readonly CanaryQuery[]
    /** Ids of the passages found, best first. */
    readonly search: (query: string, options: AbortOptions) => Promise<readonly string[]>
  }
  /** Documents to check for age and change. */
  readonly documents?: Iterable<{
    /** The document. */
    readonly id: string
    /** When its content was written, ISO 8601 or milliseconds. */
    readonly modified?: string | number | undefined
    /** What the corpus stored of its source. */
    readonly revision?: string | undefined
    /** What its source says now. */
    readonly sourceRevision?: string | undefined
  }>
  /** Documents written longer ago than this many milliseconds are stale. Default: no limit. */
  readonly maxAge?: number
  /** What time it is. Default now. */
  readonly now?: Date
}

/** Compares what there is with what was usual. */
export interface DriftMonitor {
  /** One comparison. Repeatable: the same check gives the same report. */
  report(check: DriftCheck): Promise<DriftReport>
}

/** Up to this many items the discrepancy is exact, by all pairs; beyond, by random features. */
const EXACT_ITEMS = 2_000
const FEATURES = 128

/**
 * Watches a corpus, or its questions, for drift: centroid distance, maximum mean discrepancy (exact up to 2,000 items), share
 * of items far from all others, Kolmogorov–Smirnov tests of similarity and norm, words never seen, tokens a word, canary
 * queries, stale documents. Every p-value comes from
 * relabelling the samples themselves, so thresholds are calibrated on the corpus, and the tests together raise a false
 * alarm no more often than asked (Bonferroni).
 *
 * @example
 * ```ts
 * import { driftMonitor } from 'groundline/evaluation'
 *
 * const monitor = driftMonitor({ reference: { vectors, texts } })
 * const { alarm, tests } = await monitor.report({ sample: { vectors: recent, texts: recentTexts } })
 * ```
 */
export function driftMonitor(options: DriftMonitorOptions): DriftMonitor {
  requireObject('options', options)
  const { reference, countTokens, falseAlarms = 0.05, permutations = 499, seed = 1 } = options
  requireInteger('permutations', permutations, 99, 100_000)
  requireInteger('seed', seed, 0)
  requireNumber('falseAlarms', falseAlarms, 0, 1)
  if (countTokens !== undefined) requireFunction('countTokens', countTokens, 'a function from text to a number')
  requireSample('reference', reference, 40, reference?.vectors?.[0]?.length ?? 0)
  const dimensions = reference.vectors[0]!.length
  // Every second item measures, the others are compared: none is on both sides.
  const anchor = { vectors: everySecond(reference.vectors, 0), texts: everySecond(reference.texts ?? [], 0) }
  const usual = { vectors: everySecond(reference.vectors, 1), texts: everySecond(reference.texts ?? [], 1) }
  const centroid = meanOf(anchor.vectors, dimensions)
  const nearest = anchor.vectors.map((vector) => nearestSimilarity(vector, anchor.vectors)).sort((a, b) => a - b)
  // Items further from everything usual than 95 % of the usual items are from one another.
  const unusual = nearest[Math.floor(nearest.length * 0.05)]!
  const vocabulary = new Set(anchor.texts.flatMap(wordsOf))

  const test = (sample: DriftSample): DriftTest[] => {
    const random = generator(seed)
    const vectors = [...usual.vectors, ...sample.vectors]
    const statistics: [string, TwoSampleStatistic][] = [
      ['centroid', meanDistance(vectors)],
      ['mmd', discrepancy(vectors, random)],
      ['similarity', kolmogorovSmirnov(vectors.map((vector) => cosine(vector, centroid)))],
    ]
    const isNew = Float32Array.from(vectors, (vector) => (nearestSimilarity(vector, anchor.vectors) < unusual ? 1 : 0))
    statistics.push(['novelty', shareDifference(isNew)])
    const norms = vectors.map((vector) => Math.sqrt(dot(vector, vector)))
    if (norms.some((norm) => Math.abs(norm - norms[0]!) > 1e-3)) statistics.push(['norm', kolmogorovSmirnov(norms)])
    const texts = [...usual.texts, ...(sample.texts ?? [])]
    if (texts.length === vectors.length) {
      const words = texts.map(wordsOf)
      const unknown = words.map((each) => share(each, (word) => !vocabulary.has(word)))
      statistics.push(['unknown-words', kolmogorovSmirnov(unknown)])
      if (countTokens) {
        const fertility = texts.map((text, at) => countTokens(text) / Math.max(1, words[at]!.length))
        statistics.push(['fertility', kolmogorovSmirnov(fertility)])
      }
    }
    const results = permutationPValues(
      statistics.map(([, statistic]) => statistic),
      usual.vectors.length,
      vectors.length,
      permutations,
      random,
    )
    return results.map(({ statistic, p }, index) => {
      const corrected = Math.min(1, p * results.length)
      return { name: statistics[index]![0], statistic, p: corrected, alarm: corrected <= falseAlarms }
    })
  }

  return {
    report: async ({ sample, canaries, documents = [], maxAge, now = new Date(), signal }) => {
      signal?.throwIfAborted()
      if (maxAge !== undefined) requireNumber('maxAge', maxAge, 0)
      if (sample) requireSample('sample', sample, 20, dimensions)
      const tests = sample ? test(sample) : []
      const missed: { query: string; missing: readonly string[] }[] = []
      for (const { query, expected } of canaries?.queries ?? []) {
        signal?.throwIfAborted()
        const found = new Set(await canaries!.search(query, { signal }))
        const missing = expected.filter((id) => !found.has(id))
        if (missing.length > 0) missed.push({ query, missing })
      }
      const stale: { id: string; reason: 'age' | 'source' }[] = []
      for (const { id, modified, revision, sourceRevision } of documents) {
        const written = modified === undefined ? Number.NaN : new Date(modified).getTime()
        if (sourceRevision !== undefined && sourceRevision !== revision) stale.push({ id, reason: 'source' })
        else if (maxAge !== undefined && now.getTime() - written > maxAge) stale.push({ id, reason: 'age' })
      }
      const alarm = tests.some((each) => each.alarm) || missed.length > 0
      return { alarm, tests, canaries: missed, stale }
    },
  }
}

function discrepancy(vectors: readonly Float32Array[], random: () => number): TwoSampleStatistic {
  if (vectors.length <= EXACT_ITEMS) return kernelDiscrepancy(vectors, random)
  return meanDistance(fourierFeatures(vectors, FEATURES, random))
}

function requireSample(name: string, sample: DriftSample, least: number, dimensions: number): void {
  requireObject(name, sample, 'an object with vectors and texts')
  const { vectors, texts = [] } = sample
  requireArray(`${name}.vectors`, vectors)
  requireArray(`${name}.texts`, texts)
  if (vectors.length < least) {
    throw new GroundlineError('INVALID_ARGUMENT', `${name} must have at least ${least} vectors, got ${vectors.length}`)
  }
  if (texts.length > 0 && texts.length !== vectors.length) {
    throw new GroundlineError('INVALID_ARGUMENT', `${name} has ${texts.length} texts for ${vectors.length} vectors`)
  }
  for (const vector of vectors) {
    if (!(vector instanceof Float32Array)) {
      throw new GroundlineError('INVALID_VECTOR', `a vector of ${name} must be a Float32Array`)
    }
    if (vector.length !== dimensions) {
      throw new GroundlineError(
        'DIMENSION_MISMATCH',
        `a vector of ${name} has ${vector.length} dimensions, not ${dimensions}`,
      )
    }
    if (!Number.isFinite(dot(vector, vector))) {
      throw new GroundlineError('INVALID_VECTOR', `a vector of ${name} holds NaN or Infinity`)
    }
  }
}

function everySecond<T>(items: readonly T[], first: 0 | 1): T[] {
  return items.filter((_, at) => at % 2 === first)
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []
}

function share<T>(items: readonly T[], passes: (item: T) => boolean): number {
  return items.length === 0 ? 0 : items.filter(passes).length / items.length
}

function meanOf(vectors: readonly Float32Array[], dimensions: number): Float32Array {
  const sum = new Float64Array(dimensions)
  for (const vector of vectors) for (let axis = 0; axis < dimensions; axis++) sum[axis]! += vector[axis]!
  return Float32Array.from(sum, (value) => value / vectors.length)
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let axis = 0; axis < a.length; axis++) sum += a[axis]! * b[axis]!
  return sum
}

/** Cosine to the nearest of the others; an item of the list itself does not count. */
function nearestSimilarity(vector: Float32Array, others: readonly Float32Array[]): number {
  let best = -1
  for (const other of others) if (other !== vector) best = Math.max(best, cosine(vector, other))
  return best
}

function cosine(a: Float32Array, b: Float32Array): number {
  return dot(a, b) / (Math.sqrt(dot(a, a) * dot(b, b)) || 1)
}

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
function generator(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

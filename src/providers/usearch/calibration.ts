import { TopK } from '../../internal/top-k.ts'
import { VectorArena } from '../../internal/vector-arena.ts'
import type { GraphSettings } from './native-graph.ts'

/** How many candidates a search for `topK` needs. */
export interface CalibrationPoint {
  /** The `topK` it was measured for. */
  readonly topK: number
  /** Candidates to ask the graph for; 0 where no width reached the target. */
  readonly candidates: number
  /** Mean recall over the queries. */
  readonly recall: number
}

/** What an index measured of itself on vectors that the graph did not hold. */
export interface Calibration {
  /** Rising by `topK`. */
  readonly points: readonly CalibrationPoint[]
  /** How many queries. */
  readonly queries: number
}

/** How many queries measure a recall, where there are as many vectors. */
export const MEASURED_QUERIES = 500

/** Results that are measured: ten first, whose width is the least of every search. */
const MEASURED = [10, 1, 100]
/** The recall counts as reached when it lies above the target by this many standard errors: the least that passes is a lucky one. */
const CONFIDENCE = 2.5
/** And by this much at least: queries that all succeed have no spread. */
const MARGIN = 0.002

/** Queries after which a width may be given up as too small, and standard errors that the recall must lie below what it takes. */
const [GIVE_UP_AFTER, HOPELESS] = [48, 3]

/** When so many wider searches find nothing more, none will: what is missed is not for lack of width, and the mean has to do. */
const FLAT_STEPS = 3

/** Recall as it was measured. */
export interface MeasuredRecall {
  /** Mean over the queries. */
  readonly mean: number
  /** What the mean may be off by: its standard error. */
  readonly error: number
}

/** Whether a recall can be relied on to be the target at least. */
export function reaches({ mean, error }: MeasuredRecall, target: number): boolean {
  return mean >= Math.min(0.9995, target + Math.max(MARGIN, CONFIDENCE * error))
}

/** Whether the queries so far leave no hope of what is needed, so that the rest need not be asked. A mean at the target may have to do. */
function isHopeless({ mean, error }: MeasuredRecall, topK: number, target: number): boolean {
  const needed = topK === 1 ? target : Math.min(0.9995, target + MARGIN)
  return mean < target && mean + HOPELESS * error < needed
}

/** How many of the graph's candidates are rescored: all where its own order is coarse, few beyond `topK` where it is fine. Each one is a row read from memory. */
export function rescoredCount(settings: GraphSettings, topK: number, candidates: number): number {
  return settings.quantization === 'i8' ? candidates : Math.min(candidates, topK + Math.ceil(topK / 10))
}

/** Candidates for a `topK` between or beyond the measured ones; 0 where the scan must answer. */
export function candidatesFor({ points }: Calibration, topK: number): number {
  const above = points.find((point) => point.topK >= topK)
  const below = points.findLast((point) => point.topK <= topK)
  if (above !== undefined && below !== undefined && above !== below) {
    if (above.candidates === 0 || below.candidates === 0) return 0
    const share = (topK - below.topK) / (above.topK - below.topK)
    return Math.ceil(below.candidates + share * (above.candidates - below.candidates))
  }
  const point = above ?? below
  return point === undefined ? 0 : Math.ceil((point.candidates * topK) / point.topK)
}

/** The exact nearest rows of held-out vectors, found as the rows pass by. */
export class Truth {
  readonly #queries: readonly Float32Array[]
  readonly #nearest: readonly TopK[]
  readonly #arena: VectorArena
  readonly #euclidean: boolean
  #scores: Float32Array = new Float32Array(0)

  constructor(settings: GraphSettings, queries: readonly Float32Array[], depth = 129) {
    this.#queries = queries
    this.#euclidean = settings.metric === 'euclidean'
    this.#nearest = queries.map(() => new TopK(depth, (a, b) => a < b))
    this.#arena = new VectorArena(settings.dimensions)
  }

  /** Compares rows with every query; the number of the query that is nearest to each, 0 without any. */
  add(keys: Uint32Array, rows: Float32Array): Uint32Array {
    const count = keys.length
    const dimensions = rows.length / count
    if (count > this.#scores.length) this.#scores = new Float32Array(count)
    this.#arena.reserve(Math.max(count, 257))
    for (let i = 0; i < count; i++) this.#arena.write(i, rows.subarray(i * dimensions, (i + 1) * dimensions))
    const all = Uint32Array.from(keys, (_, i) => i)
    const nearestQuery = new Uint32Array(count)
    const best = new Float32Array(count).fill(Number.NEGATIVE_INFINITY)
    this.#queries.forEach((query, q) => {
      this.#arena.score(this.#euclidean ? 'squared-distance' : 'dot', query, all, this.#scores, false)
      const nearest = this.#nearest[q]!
      for (let i = 0; i < count; i++) {
        const score = this.#euclidean ? -this.#scores[i]! : this.#scores[i]!
        if (score >= nearest.threshold) nearest.offer(keys[i]!, score)
        if (score <= best[i]!) continue
        best[i] = score
        nearestQuery[i] = q
      }
    })
    return nearestQuery
  }

  /** The nearest rows of each query, without its own where it is a row itself. */
  result(own: Uint32Array): NearestRows[] {
    return this.#nearest.map((nearest, q) => {
      const found = nearest.sorted().filter(({ item }) => item !== own[q])
      const isTied = MEASURED.some((topK) => found[topK] !== undefined && found[topK].score === found[topK - 1]!.score)
      return { keys: Uint32Array.from(found, ({ item }) => item), isTied }
    })
  }
}

/** What is nearest to a query. */
export interface NearestRows {
  /** Keys, nearest first. */
  readonly keys: Uint32Array
  /** Whether a result that is measured ends between equals: a search may give one for the other, and keys do not tell. */
  readonly isTied: boolean
}

/** Asks the graph for the keys nearest to query `q`. */
export type AskGraph = (q: number, candidates: number) => Uint32Array

/**
 * Finds, for some sizes of result, the fewest candidates whose recall reaches the target. A query that found all is taken to
 * find it with more candidates too, and is not asked again until a width is found, which all of them then confirm: the recall
 * that counts rests on no such guess. Yields now and then, so that a caller on the event loop can pause.
 */
export function* calibrate(
  settings: GraphSettings,
  truth: readonly Uint32Array[],
  size: number,
  target: number,
  ask: AskGraph,
): Generator<void, Calibration> {
  const points: CalibrationPoint[] = []
  const asked = lastAnswers(ask)
  let least = 1
  for (const topK of MEASURED) {
    if (topK > size / 2 || truth.length === 0) continue
    const ladder = ladderFrom(Math.max(topK, least), size)
    const passes = (recall: MeasuredRecall) =>
      // One result is found or not, which leaves a mean so uncertain that no width would do; it is found before ten are.
      topK === 1 ? recall.mean >= target : reaches(recall, target)
    const foundAll = new Float64Array(truth.length).fill(Number.POSITIVE_INFINITY)
    const measure = (candidates: number) => meanRecall(settings, truth, topK, candidates, target, asked, foundAll)
    let point: CalibrationPoint | undefined
    for (let low = 0; low < ladder.length && point === undefined; ) {
      let high = ladder.length
      let best = -1
      let flat: { readonly at: number; readonly recall: number } | undefined
      let steps = 0
      while (low < high) {
        // The least may do; then four steps at a time, until one is enough, and two more find the step between.
        const middle = low === 0 ? 0 : Math.min((low + high) >>> 1, low + 3)
        const recall = yield* measure(ladder[middle]!)
        if (passes(recall)) {
          best = middle
          high = middle
          continue
        }
        low = middle + 1
        steps = flat !== undefined && recall.mean <= flat.recall ? steps + 1 : 0
        if (steps === 0) flat = { at: middle, recall: recall.mean }
        if (steps < FLAT_STEPS || best >= 0 || flat!.recall < target) continue
        best = flat!.at
        break
      }
      if (best < 0) break
      const candidates = ladder[best]!
      foundAll.fill(Number.POSITIVE_INFINITY)
      const recall = yield* measure(candidates)
      if (passes(recall) || (steps >= FLAT_STEPS && recall.mean >= target))
        point = { topK, candidates, recall: recall.mean }
      low = best + 1
    }
    points.push(point ?? { topK, candidates: 0, recall: 0 })
    if (topK === 10) least = point?.candidates ?? least
  }
  return { points: points.sort((a, b) => a.topK - b.topK), queries: truth.length }
}

/** Keeps what the queries found with the candidates they were last asked for: another size of result begins there. */
function lastAnswers(ask: AskGraph): AskGraph {
  let [last, answers] = [0, new Map<number, Uint32Array>()]
  return (q, candidates) => {
    if (candidates !== last) [last, answers] = [candidates, new Map()]
    const keys = answers.get(q) ?? ask(q, candidates)
    answers.set(q, keys)
    return keys
  }
}

/**
 * Mean share of the true nearest among the rescored candidates. Most widths that are tried are too small, and that shows
 * after a part of the queries: only a recall that comes near the target is measured with all of them. `foundAll` holds the
 * fewest candidates with which each query is known to find all.
 */
function* meanRecall(
  settings: GraphSettings,
  truth: readonly Uint32Array[],
  topK: number,
  candidates: number,
  target: number,
  ask: AskGraph,
  foundAll: Float64Array,
): Generator<void, MeasuredRecall> {
  let [sum, squares] = [0, 0]
  const soFar = (count: number): MeasuredRecall => {
    const mean = sum / count
    return { mean, error: Math.sqrt(Math.max(0, squares / count - mean * mean) / count) }
  }
  for (let q = 0; q < truth.length; q++) {
    let share = 1
    if (candidates < foundAll[q]!) {
      const rescored = new Set(ask(q, candidates).subarray(0, rescoredCount(settings, topK, candidates)))
      const expected = truth[q]!.subarray(0, topK)
      let found = 0
      for (const key of expected) if (rescored.has(key)) found++
      if (found < expected.length) share = found / expected.length
      else foundAll[q] = candidates
    }
    sum += share
    squares += share * share
    if (q % 8 !== 7 && candidates <= 256) continue
    yield
    if (q >= GIVE_UP_AFTER && isHopeless(soFar(q + 1), topK, target)) return soFar(q + 1)
  }
  return soFar(truth.length)
}

function ladderFrom(least: number, size: number): number[] {
  const ladder: number[] = []
  const most = Math.min(size, 8_192)
  for (let step = least; step <= most; step = Math.max(step + 1, Math.ceil(step * 1.08))) ladder.push(step)
  return ladder
}

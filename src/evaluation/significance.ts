import { invalidArgument, requireArray, requireInteger, requireObject } from '../internal/argument.ts'

/** Options of the tests. */
export interface SignificanceOptions {
  /** Random rounds. Default 10,000. */
  readonly rounds?: number
  /** Seed of the rounds: the same seed gives the same answer. Default 1. */
  readonly seed?: number
}

/** What a paired bootstrap says of the mean difference. */
export interface BootstrapResult {
  /** Mean of b − a. */
  readonly difference: number
  /** Lower end of the 95 % interval. */
  readonly low: number
  /** Upper end of the 95 % interval. */
  readonly high: number
}

/**
 * The 95 % interval of the mean of b − a, by drawing queries with replacement (Efron's percentile bootstrap). `a` and
 * `b` hold one value a query, in the same order.
 */
export function pairedBootstrap(
  a: readonly number[],
  b: readonly number[],
  options: SignificanceOptions = {},
): BootstrapResult {
  const differences = differencesOf(a, b)
  const { rounds, next } = drawing(options)
  const means = Float64Array.from({ length: rounds }, () => {
    let sum = 0
    for (let i = 0; i < differences.length; i++) sum += differences[Math.floor(next() * differences.length)]!
    return sum / differences.length
  }).sort()
  return {
    difference: mean(differences),
    low: means[Math.floor(0.025 * (rounds - 1))]!,
    high: means[Math.ceil(0.975 * (rounds - 1))]!,
  }
}

/**
 * Two-sided p-value of the mean of b − a under random exchange of a and b, query by query (Fisher's randomisation test;
 * Smucker, Allan and Carterette, 2007). Never 0: the observed assignment counts as one round.
 */
export function permutationTest(a: readonly number[], b: readonly number[], options: SignificanceOptions = {}): number {
  const differences = differencesOf(a, b)
  const { rounds, next } = drawing(options)
  const observed = Math.abs(mean(differences))
  let atLeast = 1
  for (let round = 0; round < rounds; round++) {
    let sum = 0
    for (const difference of differences) sum += next() < 0.5 ? difference : -difference
    // Sums in another order differ in the last bits; equal assignments must count as equal.
    if (Math.abs(sum / differences.length) >= observed - 1e-12) atLeast++
  }
  return atLeast / (rounds + 1)
}

function differencesOf(a: readonly number[], b: readonly number[]): number[] {
  for (const [name, values] of Object.entries({ a, b })) {
    requireArray(name, values)
    const at = values.findIndex((value) => typeof value !== 'number' || !Number.isFinite(value))
    // A test would call NaN significant.
    if (at >= 0) throw invalidArgument(`${name}[${at}]`, 'a finite number', values[at])
  }
  if (a.length === 0) throw invalidArgument('a', 'the values of one query at least', a)
  if (a.length !== b.length) throw invalidArgument('b', `as long as a, one value for each of ${a.length} queries`, b)
  return b.map((value, i) => value - a[i]!)
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function drawing(options: SignificanceOptions): { rounds: number; next: () => number } {
  requireObject('options', options)
  const { rounds = 10_000, seed = 1 } = options
  requireInteger('rounds', rounds, 1, 10_000_000)
  requireInteger('seed', seed, 0)
  let state = seed >>> 0
  // mulberry32
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
  return { rounds, next }
}

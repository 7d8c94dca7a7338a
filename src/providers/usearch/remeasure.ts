import { createPace, inSteps } from '../../internal/pace.ts'
import { type AskGraph, type Calibration, calibrate } from './calibration.ts'
import type { Graph } from './graph.ts'
import type { GraphSettings } from './native-graph.ts'

/** Vectors that were held out and are in the graph by now, to measure it again. */
export interface Measurement {
  /** What the graph was made with. */
  readonly settings: GraphSettings
  /** The recall to reach. */
  readonly target: number
  /** The vectors. */
  readonly queries: readonly Float32Array[]
  /** Their keys: each vector is asked for one more, and does not count itself. */
  readonly keys: Uint32Array
  /** Keys of what is nearest to each. */
  readonly truth: readonly Uint32Array[]
  /** How many nodes there are. */
  readonly size: number
  /** By key: 1 where it stands for an entry. */
  readonly alive: Uint8Array
}

/** Measures a graph on what is left of the truth: where it is held, in a worker or here in small steps. */
export async function remeasure(graph: Graph, measurement: Measurement, signal: AbortSignal): Promise<Calibration> {
  const { host } = graph.origin
  if (host) {
    const reply = await host.ask({ type: 'measure', ...measurement })
    if (reply.type !== 'measured') throw new Error('the worker answered out of turn')
    return reply.calibration
  }
  const steps = measureSteps(measurement, (query, count) => graph.nearest(query, count))
  return inSteps(steps, createPace(signal))
}

/** The steps of a measurement; `nearest` gives the keys nearest to a vector. */
export function measureSteps(
  { settings, target, queries, keys, truth, size, alive }: Measurement,
  nearest: (query: Float32Array, count: number) => Uint32Array,
): Generator<void, Calibration> {
  const ask: AskGraph = (q, candidates) =>
    nearest(queries[q]!, candidates + 1).filter((key) => key !== keys[q] && alive[key] === 1)
  return calibrate(settings, truth, size, target, ask)
}

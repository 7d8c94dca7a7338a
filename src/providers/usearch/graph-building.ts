import type { Index } from 'usearch'
import { type Calibration, calibrate, Truth } from './calibration.ts'
import { addRows, createGraph, type GraphSettings, type NativeModule, nearestKeys } from './native-graph.ts'

/** What is known of a finished graph. */
export interface GraphReport {
  /** How many nodes it has. */
  readonly size: number
  /** The recall that was asked for. */
  readonly target: number
  /** How many candidates its searches need for it. */
  readonly calibration: Calibration
  /** The held-out vectors' keys. */
  readonly heldKeys: Uint32Array
  /** Keys of the true nearest of each held-out vector. */
  readonly truth: readonly Uint32Array[]
}

/**
 * Builds a graph and measures it: some vectors are held out, the others put in, the recall of the held-out ones measured
 * against the truth gathered on the way, and only then are they put in too.
 */
export class GraphBuilding {
  /** The graph. */
  readonly graph: Index
  readonly #settings: GraphSettings
  readonly #held: readonly Float32Array[]
  readonly #truth: Truth
  #size: number

  /** Starts from `graph` when one is given, empty otherwise. */
  constructor(native: NativeModule, settings: GraphSettings, held: readonly Float32Array[], graph?: Index) {
    this.#settings = settings
    this.graph = graph ?? createGraph(native, settings)
    this.#size = graph === undefined ? 0 : graph.size()
    this.#held = held
    this.#truth = new Truth(settings, held)
  }

  /** Passes rows by: all count for the truth, fresh ones are put into the graph. */
  add(keys: Uint32Array, rows: Float32Array, fresh: boolean): void {
    this.#truth.add(keys, rows)
    if (!fresh) return
    addRows(this.graph, keys, rows)
    this.#size += keys.length
  }

  /** Measures, then puts the held-out vectors in under their keys. Yields now and then. */
  *finish(target: number, heldKeys: Uint32Array): Generator<void, GraphReport> {
    const truth = this.#truth.result()
    const ask = (q: number, candidates: number) => nearestKeys(this.graph, this.#held[q]!, candidates, this.#size)
    const calibration = yield* calibrate(this.#settings, truth, this.#size, target, ask)
    for (let i = 0; i < this.#held.length; i++) {
      addRows(this.graph, heldKeys.subarray(i, i + 1), this.#held[i]!)
      this.#size++
      if (i % 8 === 7) yield
    }
    return { size: this.#size, target, calibration, heldKeys, truth }
  }
}

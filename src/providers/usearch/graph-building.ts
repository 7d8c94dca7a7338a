import type { Index } from 'usearch'
import { type Calibration, calibrate, MEASURED_QUERIES, Truth } from './calibration.ts'
import { InsertionOrder } from './insertion-order.ts'
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
  readonly #earlier: Uint32Array
  readonly #truth: Truth
  readonly #waiting: InsertionOrder
  #size: number

  /**
   * Starts from `graph` when one is given, empty otherwise. The last of `held` were held out before: they are in that
   * graph under the keys of `earlier`, and measure without counting themselves.
   */
  constructor(
    native: NativeModule,
    settings: GraphSettings,
    held: readonly Float32Array[],
    earlier: Uint32Array = new Uint32Array(0),
    graph?: Index,
  ) {
    this.#settings = settings
    this.graph = graph ?? createGraph(native, settings)
    this.#size = graph === undefined ? 0 : graph.size()
    this.#held = held
    this.#earlier = earlier
    this.#truth = new Truth(settings, held)
    this.#waiting = new InsertionOrder(settings.dimensions)
  }

  /** Passes rows by: all count for the truth, fresh ones are put into the graph, once enough of them wait. Yields now and then. */
  *add(keys: Uint32Array, rows: Float32Array, fresh: boolean): Generator<void, void> {
    const nearest = this.#truth.add(keys, rows)
    if (!fresh) return
    this.#waiting.take(keys, rows, nearest)
    if (this.#waiting.isFull) yield* this.#insert()
  }

  /** Puts in what still waits, measures, then puts the vectors held out now in under their keys. Yields now and then. */
  *finish(target: number, heldKeys: Uint32Array): Generator<void, GraphReport> {
    yield* this.#insert()
    const keys = new Uint32Array(this.#held.length)
    keys.set(heldKeys)
    keys.set(this.#earlier, heldKeys.length)
    const nearest = this.#truth.result(keys)
    // Copies of one another would make every search wide: they measure last.
    const order = Array.from(nearest.keys()).sort((a, b) => Number(nearest[a]!.isTied) - Number(nearest[b]!.isTied))
    const truth = order.map((i) => nearest[i]!.keys)
    const calibration = yield* calibrate(
      this.#settings,
      truth.slice(0, MEASURED_QUERIES),
      this.#size,
      target,
      (q, candidates) => {
        const i = order[q]!
        return i < heldKeys.length
          ? nearestKeys(this.graph, this.#held[i]!, candidates, this.#size)
          : nearestKeys(this.graph, this.#held[i]!, candidates + 1, this.#size).filter((key) => key !== keys[i])
      },
    )
    for (let i = 0; i < heldKeys.length; i++) {
      addRows(this.graph, heldKeys.subarray(i, i + 1), this.#held[i]!)
      this.#size++
      if (i % 8 === 7) yield
    }
    return { size: this.#size, target, calibration, heldKeys: Uint32Array.from(order, (i) => keys[i]!), truth }
  }
  *#insert(): Generator<void, void> {
    for (const { keys, rows } of this.#waiting.release()) {
      addRows(this.graph, keys, rows)
      this.#size += keys.length
      yield
    }
  }
}

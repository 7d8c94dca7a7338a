import type { Index } from 'usearch'
import { type Calibration, candidatesFor } from './calibration.ts'
import type { GraphReport } from './graph-building.ts'
import type { PublishedFile } from './graph-file.ts'
import type { GraphHost } from './graph-host.ts'
import { createGraph, type GraphSettings, type NativeModule, nearestKeys } from './native-graph.ts'

/** A native graph, and the least width of its searches. */
export interface NativeGraph {
  /** The graph; absent where a worker holds it. */
  readonly index: Index | undefined
  /** How many candidates each search looks at, however few are asked for. */
  readonly width: number
}

/** A view of a verified file whose searches look at `width` candidates at least. */
export function viewGraph(native: NativeModule, settings: GraphSettings, width: number, path: string): NativeGraph {
  const index = createGraph(native, settings, width)
  index.view(path)
  return { index, width }
}

/** The width that searches for ten results need: with less asked for, less is copied. */
export function usualWidth(calibration: Calibration): number {
  return Math.max(1, candidatesFor(calibration, 10))
}

/** Where a live graph came from. */
export interface GraphOrigin {
  /** The published file it is a view of; absent for one built in memory. */
  readonly file?: PublishedFile
  /** The file's path while it has a name. */
  readonly path?: string
  /** The worker that holds it, where no file may be written. */
  readonly host?: GraphHost
}

/** A graph in use: immutable nodes, and which slot each stands for. */
export class Graph {
  /** Where it came from. */
  readonly origin: GraphOrigin
  /** The slot of each key. */
  readonly slotOfKey: Uint32Array
  /** What it measured of itself. */
  readonly report: GraphReport
  /** How many of its nodes stand for nothing any more. */
  dead = 0
  /** How many nodes were dead when the recall was measured last. */
  measuredDead = 0
  /** The entry that each key stands for, once somebody wanted to know; keys that stood for nothing then have none. */
  ids: readonly string[] | undefined
  /** How many candidates each search looks at, however few are asked for. */
  readonly width: number
  readonly #index: Index | undefined
  #calibration: Calibration
  #measured: { readonly topK: number; readonly candidates: number } = { topK: 0, candidates: 0 }

  constructor({ index, width }: NativeGraph, origin: GraphOrigin, slotOfKey: Uint32Array, report: GraphReport) {
    this.#index = index
    this.width = width
    this.origin = origin
    this.slotOfKey = slotOfKey
    this.report = report
    this.#calibration = report.calibration
  }

  /** The same nodes for entries in other slots. */
  withSlots(slotOfKey: Uint32Array, ids: readonly string[]): Graph {
    const graph = new Graph({ index: this.#index, width: this.width }, this.origin, slotOfKey, this.report)
    graph.ids = ids
    return graph
  }

  /** How many nodes there are, dead ones among them. */
  get size(): number {
    return this.report.size
  }

  /** How many keys had a node once: those were removed from it when something was added. */
  get dropped(): number {
    return this.slotOfKey.length - this.size
  }

  /** Counts the nodes that stand for nothing, given the slot of each key or −1; `measuredDead` of them were dead when it was measured. */
  countDead(slots: Int32Array, measuredDead: number = slots.length): void {
    let none = 0
    for (const slot of slots) if (slot < 0) none++
    this.dead = none - this.dropped
    this.measuredDead = Math.min(measuredDead, this.dead)
  }

  /** What the graph measured of itself last. */
  get calibration(): Calibration {
    return this.#calibration
  }

  /** Takes a later measurement, of the graph as it is now. */
  remeasured(calibration: Calibration): void {
    this.#calibration = calibration
    this.#measured = { topK: 0, candidates: 0 }
    this.measuredDead = this.dead
  }

  /** Candidates that a search for `topK` needs; 0 where the scan must answer. */
  candidates(topK: number): number {
    if (topK !== this.#measured.topK) this.#measured = { topK, candidates: candidatesFor(this.calibration, topK) }
    const measured = this.#measured.candidates
    if (this.dead === this.measuredDead) return measured
    // Those that died since are replaced by as many more, and the living are farther apart than they were.
    const alive = Math.max(1, this.size - this.dead) / Math.max(1, this.size - this.measuredDead)
    return Math.ceil((measured * (2 - alive)) / alive)
  }

  /** Keys of the nearest nodes among so many candidates: `most` of them at least, all where the search is no wider. */
  nearest(query: Float32Array, candidates: number, most: number = candidates): Uint32Array {
    return nearestKeys(this.#index!, query, this.asked(candidates, most), this.size)
  }

  /** The same of a graph that a worker holds. */
  async nearestIn(host: GraphHost, query: Float32Array, candidates: number): Promise<Uint32Array> {
    const queries = query.slice()
    const reply = await host.ask({ type: 'search', queries, asked: Math.min(candidates, this.size) }, [queries.buffer])
    if (reply.type !== 'found') throw new Error('the worker answered out of turn')
    return reply.keys.subarray(0, reply.counts[0])
  }

  /** How many keys to ask the native graph for, so that a search is as wide as `candidates`. */
  asked(candidates: number, most: number): number {
    return candidates <= this.width ? Math.min(candidates, most) : candidates
  }
}

import type { Index } from 'usearch'
import { type Calibration, candidatesFor } from './calibration.ts'
import type { GraphReport } from './graph-building.ts'
import type { PublishedFile } from './graph-file.ts'
import { nearestKeys } from './native-graph.ts'

/** Where a live graph came from. */
export interface GraphOrigin {
  /** The published file it is a view of; absent for one built in memory. */
  readonly file?: PublishedFile
  /** The file's path while it has a name. */
  readonly path?: string
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
  deadWhenMeasured = 0
  /** Candidates are multiplied with this; more than 1 where the recall fell short after changes. */
  widen = 1
  readonly #index: Index

  constructor(index: Index, origin: GraphOrigin, slotOfKey: Uint32Array, report: GraphReport) {
    this.#index = index
    this.origin = origin
    this.slotOfKey = slotOfKey
    this.report = report
  }

  /** How many nodes there are, dead ones among them. */
  get size(): number {
    return this.report.size
  }

  /** What the graph measured of itself. */
  get calibration(): Calibration {
    return this.report.calibration
  }

  /** Candidates that a search for `topK` needs; 0 where the scan must answer. */
  candidates(topK: number): number {
    const measured = candidatesFor(this.calibration, topK)
    // The dead among the candidates are replaced by as many more, and the living are farther apart than they were.
    const alive = Math.max(1, this.size - this.dead) / this.size
    return Math.ceil((measured * this.widen * (2 - alive)) / alive)
  }

  /** Keys of the nearest nodes. */
  nearest(query: Float32Array, candidates: number): Uint32Array {
    return nearestKeys(this.#index, query, candidates, this.size)
  }
}

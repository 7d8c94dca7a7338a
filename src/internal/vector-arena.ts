import { dotProduct, squaredDistance } from './vector-math.ts'

/** What the arena computes between the query and a row. */
export type ArenaMetric = 'dot' | 'squared-distance'

/** Rows of 32-bit floats in memory, scored against a query. */
export class VectorArena {
  readonly #dimensions: number
  #rows: Float32Array = new Float32Array(0)

  constructor(dimensions: number) {
    this.#dimensions = dimensions
  }

  /** Bytes held. */
  get byteLength(): number {
    return this.#rows.byteLength
  }

  /** Makes room for rows 0 to `rows` − 1. */
  reserve(rows: number): void {
    const needed = rows * this.#dimensions
    if (needed <= this.#rows.length) return
    const grown = new Float32Array(Math.max(needed, this.#rows.length * 2, 64 * this.#dimensions))
    grown.set(this.#rows)
    this.#rows = grown
  }

  /** Stores a row. */
  write(row: number, vector: Float32Array): void {
    this.#rows.set(vector, row * this.#dimensions)
  }

  /** A view of a row, valid until the next `reserve`. */
  row(row: number): Float32Array {
    return this.#rows.subarray(row * this.#dimensions, (row + 1) * this.#dimensions)
  }

  /** Scores the listed rows against a query. */
  score(metric: ArenaMetric, query: Float32Array, rows: Uint32Array, scores: Float32Array): void {
    const compare = metric === 'dot' ? dotProduct : squaredDistance
    for (let i = 0; i < rows.length; i++) scores[i] = compare(query, this.#rows, rows[i]! * this.#dimensions)
  }
}

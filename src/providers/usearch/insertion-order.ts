/** Rows that wait for one another: their number, and the bytes they may take. */
const [ROOM, BYTES] = [16_384, 64 * 1024 * 1024]
/** Rows put in between two pauses. */
const STEP = 8

/**
 * Rows on their way into a graph. Those that are near the same held-out vector go in one after the other: placing a node
 * visits nodes near it, which the caches then still hold from the one before. In order of arrival every visit waits for memory.
 */
export class InsertionOrder {
  readonly #dimensions: number
  readonly #room: number
  #keys: number[] = []
  #rows: Float32Array[] = []
  #nearest: number[] = []

  constructor(dimensions: number) {
    this.#dimensions = dimensions
    this.#room = Math.min(ROOM, Math.ceil(BYTES / (dimensions * 4)))
  }

  /** Whether enough of them wait. */
  get isFull(): boolean {
    return this.#keys.length >= this.#room
  }

  /** Takes rows, each with the number of the held-out vector that it is nearest to. */
  take(keys: Uint32Array, rows: Float32Array, nearest: Uint32Array): void {
    const dimensions = this.#dimensions
    for (let i = 0; i < keys.length; i++) {
      this.#keys.push(keys[i]!)
      this.#rows.push(rows.subarray(i * dimensions, (i + 1) * dimensions))
      this.#nearest.push(nearest[i]!)
    }
  }

  /** Gives all that wait, a few at a time. */
  *release(): Generator<{ readonly keys: Uint32Array; readonly rows: Float32Array }> {
    const [keys, rows, nearest] = [this.#keys, this.#rows, this.#nearest]
    ;[this.#keys, this.#rows, this.#nearest] = [[], [], []]
    const order = Array.from(keys.keys()).sort((a, b) => nearest[a]! - nearest[b]! || a - b)
    for (let from = 0; from < order.length; from += STEP) {
      const few = order.slice(from, from + STEP)
      const together = new Float32Array(few.length * this.#dimensions)
      for (const [i, at] of few.entries()) together.set(rows[at]!, i * this.#dimensions)
      yield { keys: Uint32Array.from(few, (at) => keys[at]!), rows: together }
    }
  }
}

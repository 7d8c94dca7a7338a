import { FNV_BASIS, FNV_PRIME } from '../internal/string-hash.ts'

/** Numbers a place of the table: value + 1, hash, where the letters begin, how many they are. */
const PLACE = 4
/** Runs that are kept; all are forgotten when there are more. */
const MOST = 16_384
/** A quarter full at the most, so that a look-up mostly ends at its first place. */
const PLACES = 65_536

/**
 * What is known of runs of ASCII, found by their units without making a string: FNV-1a over them, then compared. Texts
 * repeat their words, so that few runs are not found.
 */
export class RunTable<T> {
  readonly #table: Int32Array = new Int32Array(PLACES * PLACE)
  readonly #values: T[] = []
  #letters: Uint8Array = new Uint8Array(65_536)
  #used = 0

  /** The hash of nothing, from which {@link RunTable.hash} goes on. */
  static readonly basis: number = FNV_BASIS

  /** The hash with one more unit. */
  static hash(hash: number, unit: number): number {
    return Math.imul(hash ^ unit, FNV_PRIME)
  }

  /** What was set for the run between two places. */
  get(hash: number, units: Uint8Array, start: number, end: number): T | undefined {
    const table = this.#table
    const letters = this.#letters
    for (let slot = (hash ^ (hash >>> 15)) & (PLACES - 1); ; slot = (slot + 1) & (PLACES - 1)) {
      const place = slot * PLACE
      const found = table[place]!
      if (found === 0) return undefined
      if (table[place + 1] !== hash || table[place + 3] !== end - start) continue
      const from = table[place + 2]! - start
      let at = start
      while (at < end && units[at] === letters[from + at]) at++
      if (at === end) return this.#values[found - 1]
    }
  }

  /** Sets a value for a run that has none. */
  set(hash: number, units: Uint8Array, start: number, end: number, value: T): void {
    if (this.#values.length === MOST) {
      this.#table.fill(0)
      this.#values.length = 0
      this.#used = 0
    }
    const length = end - start
    if (this.#used + length > this.#letters.length) {
      const letters = new Uint8Array(2 * this.#letters.length + length)
      letters.set(this.#letters)
      this.#letters = letters
    }
    let slot = (hash ^ (hash >>> 15)) & (PLACES - 1)
    while (this.#table[slot * PLACE] !== 0) slot = (slot + 1) & (PLACES - 1)
    this.#letters.set(units.subarray(start, end), this.#used)
    this.#values.push(value)
    this.#table.set([this.#values.length, hash, this.#used, length], slot * PLACE)
    this.#used += length
  }
}

/** A live slot that no graph knows. */
const PENDING = 0xffffffff

/** Which key of the graph in use stands for which slot, and which slots no graph knows yet. */
export class SlotKeys {
  /** By slot: 0 for one that is not live, key + 1 for one the graph knows, or {@link PENDING}. */
  #keys: Uint32Array = new Uint32Array(64)
  #pendingCount = 0
  #list: Uint32Array | undefined

  /** How many live slots no graph knows. */
  get pendingCount(): number {
    return this.#pendingCount
  }

  /** Live slots that no graph knows, ascending. */
  pending(): Uint32Array {
    this.#list ??= this.#slotsWhere((state) => state === PENDING, this.#pendingCount)
    return this.#list
  }

  /** Live slots that the graph knows, ascending. */
  known(): Uint32Array {
    return this.#slotsWhere((state) => state !== 0 && state !== PENDING, this.#keys.length)
  }

  /** Every live slot, ascending. */
  live(): Uint32Array {
    return this.#slotsWhere((state) => state !== 0, this.#keys.length)
  }

  /** Whether a key still stands for the slot. */
  isCurrent(key: number, slot: number): boolean {
    return this.#keys[slot] === key + 1
  }

  /** The key of a slot; undefined where the slot is pending or not live. */
  keyOf(slot: number): number | undefined {
    const state = this.#keys[slot] ?? 0
    return state === 0 || state === PENDING ? undefined : state - 1
  }

  /** Slots became live. */
  added(slots: readonly number[]): void {
    for (const slot of slots) {
      if (slot >= this.#keys.length) this.#grow(slot + 1)
      this.#keys[slot] = PENDING
    }
    this.#pendingCount += slots.length
    this.#list = undefined
  }

  /** Slots are no longer live; gives how many of them the graph knew. */
  removed(slots: readonly number[]): number {
    let known = 0
    for (const slot of slots) {
      if (this.#keys[slot] === PENDING) this.#pendingCount--
      else known++
      this.#keys[slot] = 0
    }
    this.#list = undefined
    return known
  }

  /** A new graph is in use: `slots[key]` for each key that stands for a live slot, or −1. */
  assign(slots: Int32Array): void {
    const keys = this.#keys
    let live = 0
    for (let slot = 0; slot < keys.length; slot++) {
      if (keys[slot] === 0) continue
      keys[slot] = PENDING
      live++
    }
    this.#pendingCount = live
    for (let key = 0; key < slots.length; key++) {
      const slot = slots[key]!
      if (slot < 0 || keys[slot] !== PENDING) continue
      keys[slot] = key + 1
      this.#pendingCount--
    }
    this.#list = undefined
  }

  #slotsWhere(holds: (state: number) => boolean, most: number): Uint32Array {
    const found = new Uint32Array(most)
    let count = 0
    for (let slot = 0; slot < this.#keys.length; slot++) if (holds(this.#keys[slot]!)) found[count++] = slot
    return count === most ? found : found.slice(0, count)
  }

  #grow(slots: number): void {
    const grown = new Uint32Array(Math.max(slots, this.#keys.length * 2))
    grown.set(this.#keys)
    this.#keys = grown
  }
}

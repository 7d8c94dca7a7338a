/** Which key of the graph in use stands for which slot, and which slots no graph knows yet. */
export class SlotKeys {
  /** Key + 1 by slot; 0 for none. */
  #keys: Uint32Array = new Uint32Array(64)
  readonly #pending: Set<number> = new Set()
  #list: Uint32Array | undefined

  /** How many live slots no graph knows. */
  get pendingCount(): number {
    return this.#pending.size
  }

  /** Live slots that no graph knows. */
  pending(): Uint32Array {
    this.#list ??= Uint32Array.from(this.#pending)
    return this.#list
  }

  /** Whether a key still stands for the slot. */
  isCurrent(key: number, slot: number): boolean {
    return this.#keys[slot] === key + 1
  }

  /** The key of a slot; undefined where the slot is pending. */
  keyOf(slot: number): number | undefined {
    const key = this.#keys[slot] ?? 0
    return key === 0 ? undefined : key - 1
  }

  /** Slots became live. */
  added(slots: readonly number[]): void {
    for (const slot of slots) {
      if (slot >= this.#keys.length) this.#grow(slot + 1)
      this.#keys[slot] = 0
      this.#pending.add(slot)
    }
    this.#list = undefined
  }

  /** Slots are no longer live; gives how many of them the graph knew. */
  removed(slots: readonly number[]): number {
    let known = 0
    for (const slot of slots) {
      if (this.#keys[slot] !== 0) known++
      this.#keys[slot] = 0
      this.#pending.delete(slot)
    }
    this.#list = undefined
    return known
  }

  /** A new graph is in use: `slots[key]` for each key that stands for a live slot, or −1. */
  assign(slots: Int32Array, live: Iterable<number>): void {
    this.#keys.fill(0)
    for (let key = 0; key < slots.length; key++) if (slots[key]! >= 0) this.#keys[slots[key]!] = key + 1
    this.#pending.clear()
    for (const slot of live) if ((this.#keys[slot] ?? 0) === 0) this.#pending.add(slot)
    this.#list = undefined
  }

  #grow(slots: number): void {
    const grown = new Uint32Array(Math.max(slots, this.#keys.length * 2))
    grown.set(this.#keys)
    this.#keys = grown
  }
}

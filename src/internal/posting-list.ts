import { bitsetWords, clearBit, growBits, hasBit, setBit } from './bitset.ts'

/**
 * A compressed set of slots: an ascending list while that is the smaller form, a bitmap beyond. Appending in ascending
 * order is O(1) amortised; inserting or deleting elsewhere moves at most the list.
 */
export class PostingList {
  /** Absent once it is a bitmap. */
  #list: Uint32Array | undefined
  /** Absent while it is a list. */
  #words: Uint32Array | undefined
  #count: number

  /** Starts with slots in ascending order. */
  constructor(slots: readonly number[] = []) {
    this.#list = new Uint32Array(Math.max(4, 2 * slots.length))
    this.#list.set(slots)
    this.#count = slots.length
  }

  /** How many slots are in the set. */
  get count(): number {
    return this.#count
  }

  /** Bytes held. */
  get byteLength(): number {
    return (this.#list ?? this.#words!).byteLength
  }

  /** Puts a slot into the set. */
  add(slot: number): void {
    const list = this.#list
    if (list === undefined) {
      this.#words = growBits(this.#words!, slot + 1)
      if (hasBit(this.#words, slot)) return
      setBit(this.#words, slot)
      this.#count++
      return
    }
    const at = this.#position(list, slot)
    if (at < this.#count && list[at] === slot) return
    // A list takes 32 bits a slot, a bitmap one bit for each slot up to the largest.
    const largest = Math.max(slot, this.#count > 0 ? list[this.#count - 1]! : 0)
    if (this.#count >= 64 && this.#count >= bitsetWords(largest + 1)) {
      this.#toBitmap(largest)
      this.add(slot)
      return
    }
    const target = this.#count < list.length ? list : new Uint32Array(list.length * 2)
    if (target !== list) target.set(list)
    if (at < this.#count) target.copyWithin(at + 1, at, this.#count)
    target[at] = slot
    this.#list = target
    this.#count++
  }

  /** Takes a slot out of the set. */
  delete(slot: number): void {
    const list = this.#list
    if (list === undefined) {
      const words = this.#words!
      if (!hasBit(words, slot)) return
      clearBit(words, slot)
      this.#count--
      return
    }
    const at = this.#position(list, slot)
    if (at === this.#count || list[at] !== slot) return
    list.copyWithin(at, at + 1, this.#count)
    this.#count--
  }

  /** Adds the set to a bitset of at least as many slots. */
  orInto(target: Uint32Array): void {
    if (this.#list === undefined) {
      const words = this.#words!
      const length = Math.min(words.length, target.length)
      for (let i = 0; i < length; i++) target[i]! |= words[i]!
    } else {
      for (let i = 0; i < this.#count; i++) setBit(target, this.#list[i]!)
    }
  }

  #toBitmap(largest: number): void {
    const words = new Uint32Array(bitsetWords(largest + 1))
    this.orInto(words)
    this.#words = words
    this.#list = undefined
  }

  #position(list: Uint32Array, slot: number): number {
    if (this.#count === 0 || list[this.#count - 1]! < slot) return this.#count
    let low = 0
    let high = this.#count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (list[middle]! < slot) low = middle + 1
      else high = middle
    }
    return low
  }
}

import type { Metadata } from '../document.ts'
import type { Filter } from '../filter.ts'
import { clearBit, countBits, growBits, hasBit, setBit } from './bitset.ts'
import { placeHash, placeOf, placesByHash } from './hashed-places.ts'
import { MetadataColumns } from './metadata-columns.ts'

/** Which slots a search may return. */
export interface AllowedSlots {
  /** One bit a slot. Never to be changed. */
  readonly words: Uint32Array
  /** How many bits are set. */
  readonly count: number
}

/** Entries that exist already and stay where they are, decoded one by one when they are asked for. */
export interface FilledEntries<M extends Metadata> {
  /** How many: slots 0 to `count` − 1. */
  readonly count: number
  /** The id in a slot. */
  readonly idAt: (slot: number) => string
  /** The metadata in a slot. Must not change afterwards. */
  readonly metadataAt: (slot: number) => M | undefined
}

/** Filters whose slots are kept, and the longest that is. */
const [KEPT, MAX_KEY] = [16, 1_024]

/**
 * The ids of an index: id → slot, slot → id and metadata, and which slots are live. An entry is staged into a slot of
 * its own and seen only when it is committed, so that a batch that fails or is aborted leaves no trace. Freed slots are
 * used again, but for those the table was filled with.
 */
export class EntryTable<M extends Metadata> {
  readonly #slots: Map<string, number> = new Map()
  readonly #ids: string[] = []
  readonly #metadata: (M | undefined)[] = []
  readonly #free: number[] = []
  #columns: MetadataColumns = new MetadataColumns()
  readonly #selected: Map<string, AllowedSlots> = new Map()
  /** Staged slots that will replace another. */
  readonly #replacing: Set<number> = new Set()
  #live: Uint32Array = new Uint32Array(0)
  #size = 0
  /** Entries of the first slots, which are not used again once they are free; `#ids` and `#metadata` begin behind them. */
  #filled: FilledEntries<M> | undefined
  #base = 0
  /** Slots of those entries by a hash of the id; made when an id is first looked for. */
  #filledSlots: Uint32Array | undefined
  readonly #changed: Map<number, M | undefined> = new Map()
  /** Entries whose metadata no filter has asked for yet. */
  #withoutColumns: FilledEntries<M> | undefined

  /** How many entries are live. */
  get size(): number {
    return this.#size
  }

  /** One past the largest slot ever used. */
  get slots(): number {
    return this.#base + this.#ids.length
  }

  /** Whether it can be filled: there are no entries, and it was not filled before. */
  get isFillable(): boolean {
    return this.#size === 0 && this.#filled === undefined
  }

  /** Gives an empty table its entries, all live. */
  fill(entries: FilledEntries<M>): void {
    const { count } = entries
    // What was refused or removed before leaves free slots.
    this.#slots.clear()
    for (const slots of [this.#ids, this.#metadata, this.#free]) slots.length = 0
    this.#columns = new MetadataColumns()
    this.#live = new Uint32Array(0)
    this.#selected.clear()
    this.#filled = entries
    this.#base = count
    this.#withoutColumns = entries
    this.#size = count
    this.#live = growBits(this.#live, count)
    this.#live.fill(0xffffffff, 0, count >>> 5)
    if (count & 31) this.#live[count >>> 5] = 2 ** (count & 31) - 1
  }

  /** The slot of a live entry. */
  slotOf(id: string): number | undefined {
    const slot = this.#slots.get(id)
    return slot !== undefined && hasBit(this.#live, slot) ? slot : this.#filledSlot(id)
  }

  /** The id of a slot. */
  idAt(slot: number): string {
    return slot < this.#base ? this.#filled!.idAt(slot) : this.#ids[slot - this.#base]!
  }

  /** The metadata of a slot. */
  metadataAt(slot: number): M | undefined {
    if (slot >= this.#base) return this.#metadata[slot - this.#base]
    return this.#changed.has(slot) ? this.#changed.get(slot) : this.#filled!.metadataAt(slot)
  }

  /** Whether the slot holds a live entry. */
  isLive(slot: number): boolean {
    return hasBit(this.#live, slot)
  }

  /** Ids and slots of the live entries, in the order they were committed. */
  *entries(): IterableIterator<[id: string, slot: number]> {
    for (let slot = 0; slot < this.#base; slot++) if (hasBit(this.#live, slot)) yield [this.idAt(slot), slot]
    for (const entry of this.#slots) if (hasBit(this.#live, entry[1])) yield entry
  }

  /** Whether the first of two slots comes first among equal scores: by id. */
  readonly isBefore = (a: number, b: number): boolean => this.idAt(a) < this.idAt(b)

  /** Puts an entry into a slot where no search sees it yet. `metadata` must not change afterwards. */
  stage(id: string, metadata: M | undefined): number {
    this.#takeColumns()
    const slot = this.#free.pop() ?? this.slots
    this.#ids[slot - this.#base] = id
    // A new id is entered now, so that a commit of very many only sets bits; it is found once the slot is live.
    const isNew = !this.#slots.has(id)
    if (isNew) this.#slots.set(id, slot)
    if (!isNew || this.#filledSlot(id) !== undefined) this.#replacing.add(slot)
    this.#metadata[slot - this.#base] = metadata
    this.#live = growBits(this.#live, slot + 1)
    this.#columns.add(slot, metadata)
    this.#selected.clear()
    return slot
  }

  /** Makes staged slots live; gives the slots they replaced, which are free from then on. */
  commit(staged: readonly number[]): number[] {
    const replaced: number[] = []
    for (const slot of staged) {
      if (this.#replacing.size > 0 && this.#replacing.delete(slot)) {
        const id = this.idAt(slot)
        const filled = this.#filledSlot(id)
        if (filled !== undefined) replaced.push(filled)
        const old = this.#slots.get(id)
        if (old !== undefined && old !== slot) replaced.push(old)
        this.#slots.set(id, slot)
      }
      setBit(this.#live, slot)
    }
    this.#size += staged.length - replaced.length
    for (const slot of replaced) this.#release(slot)
    this.#selected.clear()
    return replaced
  }

  /** Gives staged slots up. */
  discard(staged: readonly number[]): void {
    for (const slot of staged) {
      this.#replacing.delete(slot)
      const id = this.idAt(slot)
      if (this.#slots.get(id) === slot) this.#slots.delete(id)
      this.#release(slot)
    }
  }

  /** Removes an entry; its slot, or undefined when there was none. */
  remove(id: string): number | undefined {
    this.#takeColumns()
    const slot = this.slotOf(id)
    if (slot === undefined) return undefined
    this.#slots.delete(id)
    this.#size--
    this.#release(slot)
    return slot
  }

  /** Replaces the metadata of a live slot. */
  setMetadata(slot: number, metadata: M | undefined): void {
    this.#takeColumns()
    this.#columns.remove(slot, this.metadataAt(slot))
    if (slot < this.#base) this.#changed.set(slot, metadata)
    else this.#metadata[slot - this.#base] = metadata
    this.#columns.add(slot, metadata)
    this.#selected.clear()
  }

  /** The live slots that pass a parsed filter; all live ones without one. */
  allowed(filter: Filter | undefined): AllowedSlots {
    if (filter === undefined) return { words: this.#live, count: this.#size }
    const key = JSON.stringify(filter)
    const known = this.#selected.get(key)
    if (known !== undefined) return known
    this.#takeColumns()
    const words = this.#columns.select(filter, this.slots)
    for (let i = 0; i < words.length; i++) words[i]! &= this.#live[i]!
    const allowed = { words, count: countBits(words) }
    if (key.length <= MAX_KEY) this.#remember(key, allowed)
    return allowed
  }

  /** The slot of a live entry among those of the first slots. */
  #filledSlot(id: string): number | undefined {
    const filled = this.#filled
    if (filled === undefined) return undefined
    this.#filledSlots ??= placesByHash(filled.count, (slot) => placeHash(filled.idAt(slot)))
    return placeOf(this.#filledSlots, placeHash(id), (slot) => hasBit(this.#live, slot) && filled.idAt(slot) === id)
  }

  #takeColumns(): void {
    const filled = this.#withoutColumns
    if (filled === undefined) return
    this.#withoutColumns = undefined
    for (let slot = 0; slot < filled.count; slot++) this.#columns.add(slot, filled.metadataAt(slot))
  }

  /** Programs ask with few filters, a tenant's or a language's: the last ones used are kept until an entry changes. */
  #remember(key: string, allowed: AllowedSlots): void {
    if (this.#selected.size >= KEPT) this.#selected.delete(this.#selected.keys().next().value!)
    this.#selected.set(key, allowed)
  }

  #release(slot: number): void {
    this.#selected.clear()
    clearBit(this.#live, slot)
    this.#columns.remove(slot, this.metadataAt(slot))
    if (slot < this.#base) {
      this.#changed.delete(slot)
      return
    }
    this.#metadata[slot - this.#base] = undefined
    this.#ids[slot - this.#base] = ''
    this.#free.push(slot)
  }
}

import type { AbortOptions, Metadata } from '../document.ts'
import { GroundlineError } from '../errors.ts'
import type { FillOptions, VectorBlock, VectorEntry, VectorMatch, VectorMetric } from '../vector-index/vector-index.ts'
import { describe, requireArray, requireIdList, requireInteger, requireObject } from './argument.ts'
import { listBits } from './bitset.ts'
import { type AllowedSlots, EntryTable, type FilledEntries } from './entry-table.ts'
import { lastAtMost } from './last-at-most.ts'
import { copyMetadata } from './metadata-copy.ts'
import { createPace } from './pace.ts'
import { createSerial } from './serial.ts'
import { TopK } from './top-k.ts'
import { type Scores, SIMD_ROWS, VectorArena, type VectorRows } from './vector-arena.ts'
import { requireBlock, requireId, requireVectorNorm, unsharedVector } from './vector-arguments.ts'
import { vectorNorm } from './vector-math.ts'

/** What an index built on the table wants to know, at the moment a batch takes effect. */
export interface VectorTableEvents {
  /** Slots that became live. */
  added(slots: readonly number[]): void
  /** Slots that are no longer live. */
  removed(slots: readonly number[]): void
}

/** A query that was checked: the vector, and what its scores are multiplied with. */
export interface PreparedQuery {
  /** The query vector. */
  readonly vector: Float32Array
  /** 1 / length under cosine, 1 otherwise. */
  readonly scale: number
  /** Whether its values are so large or small that single precision could overflow or vanish. */
  readonly extreme: boolean
}

interface Staged<M> {
  readonly slots: number[]
  readonly unchanged: { readonly id: string; readonly metadata: M | undefined }[]
}

const BLOCK = 4096
/** After so many rows of a block the clock is looked at. */
const PACED = 64
/** Lengths this close to 1 are 1: what rounding a unit vector to 32 bits leaves. */
const UNIT = 2e-7
/** Up to so many are sorted in place; more go through a heap. */
const FEW = 64

/**
 * The entries of a vector index with their full-precision vectors, and the exact scan over them: the oracle, and what
 * every approximate result is rescored with. Writes take turns; each holds as a whole or leaves no trace.
 */
export class VectorTable<M extends Metadata> {
  /** Ids, metadata and liveness by slot. */
  readonly entries: EntryTable<M> = new EntryTable<M>()
  /** Length of every vector. */
  readonly dimensions: number
  /** How vectors are compared. */
  readonly metric: VectorMetric
  readonly #rows: VectorRows
  readonly #events: VectorTableEvents | undefined
  readonly #serial: ReturnType<typeof createSerial> = createSerial()
  readonly #scores: Float32Array = new Float32Array(FEW)
  #scales: Float64Array = new Float64Array(0)
  #extreme = false

  constructor(dimensions: number, metric: VectorMetric, rows?: VectorRows, events?: VectorTableEvents) {
    this.dimensions = dimensions
    this.metric = metric
    this.#rows = rows ?? new VectorArena(dimensions)
    this.#events = events
  }

  /** Bytes that vectors take. */
  get byteLength(): number {
    return this.#rows.byteLength + this.#scales.byteLength
  }

  /** Adds or replaces entries; pauses now and then, so that a large batch does not hold the event loop. */
  upsert(entries: readonly VectorEntry<M>[], options: AbortOptions = {}): Promise<void> {
    return this.#serial(async () => {
      options.signal?.throwIfAborted()
      const staged: Staged<M> = { slots: [], unchanged: [] }
      try {
        await this.#stage(entries, staged, options.signal)
      } catch (error) {
        this.entries.discard(staged.slots)
        throw error
      }
      const replaced = this.entries.commit(staged.slots)
      for (const { id, metadata } of staged.unchanged) {
        const slot = this.entries.slotOf(id)
        if (slot !== undefined) this.entries.setMetadata(slot, metadata)
      }
      if (replaced.length > 0) this.#events?.removed(replaced)
      if (staged.slots.length > 0) this.#events?.added(staged.slots)
    })
  }

  /** Gives an empty table its entries; see {@link VectorIndex.fill}. */
  fill(blocks: AsyncIterable<VectorBlock<M>>, options: FillOptions = {}): Promise<void> {
    return this.#serial(async () => {
      if (!this.entries.isFillable)
        throw new GroundlineError('INVALID_ARGUMENT', 'only an empty index can be filled: use upsert')
      const pace = createPace(options.signal)
      /** Ids and metadata are decoded when somebody asks for them. */
      const filled: (Pick<VectorBlock<M>, 'idAt' | 'metadataAt'> & { readonly first: number })[] = []
      let count = 0
      const { dimensions } = this
      if (options.count !== undefined) {
        requireInteger('count', options.count, 0)
        this.#rows.reserve(options.count)
      }
      for await (const block of blocks) {
        const first = count
        requireBlock(block)
        if (block.vectors.length !== block.count * dimensions)
          throw new GroundlineError(
            'DIMENSION_MISMATCH',
            `a block has ${block.vectors.length} values for ${block.count} vectors of ${dimensions}`,
            { details: { expected: block.count * dimensions, actual: block.vectors.length } },
          )
        this.#rows.reserve(first + block.count)
        this.#rows.writeRows(first, block.vectors)
        for (let at = 0; at < block.count; at++) {
          if (at % PACED === 0 && pace.due()) await pace.pause()
          let norm = vectorNorm(block.vectors, at * dimensions, (at + 1) * dimensions)
          if (!(norm < Number.POSITIVE_INFINITY && norm > 0)) {
            const vector = block.vectors.subarray(at * dimensions, (at + 1) * dimensions)
            norm = requireVectorNorm(
              vector,
              dimensions,
              this.metric !== 'cosine',
              () => `entry ${describe(block.idAt(at))}`,
            )
          }
          this.#measured(first + at, norm)
        }
        const { idAt, metadataAt } = block
        filled.push({ first, idAt, metadataAt })
        count += block.count
      }
      const blockOf = (slot: number) => filled[lastAtMost(filled, slot, ({ first }) => first)]!
      this.entries.fill({
        count,
        idAt: (slot) => {
          const { first, idAt } = blockOf(slot)
          return idAt(slot - first)
        },
        metadataAt: (slot) => {
          const { first, metadataAt } = blockOf(slot)
          return metadataAt(slot - first)
        },
      })
      this.#events?.added(Array.from({ length: count }, (_, slot) => slot))
    })
  }

  /** Takes rows that follow one another, for entries to come; `in place` ones are only measured. */
  restoreRows(first: number, vectors: Float32Array, rows: 'to be stored' | 'in place'): void {
    const { dimensions } = this
    const count = vectors.length / dimensions
    if (rows === 'to be stored') {
      this.#rows.reserve(first + count)
      this.#rows.writeRows(first, vectors)
    }
    for (let i = 0; i < count; i++) this.#measured(first + i, vectorNorm(vectors, i * dimensions, (i + 1) * dimensions))
  }

  /** Gives an empty table the entries of rows that were restored; nothing is checked. */
  restore(entries: FilledEntries<M>): void {
    this.entries.fill(entries)
    this.#events?.added(Array.from({ length: entries.count }, (_, slot) => slot))
  }

  /** Removes entries; unknown ids are ignored. */
  remove(ids: readonly string[], options: AbortOptions = {}): Promise<void> {
    return this.#serial(async () => {
      options.signal?.throwIfAborted()
      requireIdList('ids', ids)
      const removed: number[] = []
      for (const id of ids) {
        const slot = this.entries.remove(id)
        if (slot !== undefined) removed.push(slot)
      }
      if (removed.length > 0) this.#events?.removed(removed)
    })
  }

  /** Replaces metadata without touching vectors. */
  updateMetadata(
    updates: readonly { readonly id: string; readonly metadata: M }[],
    options: AbortOptions = {},
  ): Promise<void> {
    return this.#serial(async () => {
      options.signal?.throwIfAborted()
      requireArray('entries', updates)
      const checked = updates.map((update, at) => {
        requireObject(`entries[${at}]`, update, 'an object with id and metadata')
        const { id, metadata } = update
        requireId(id)
        const slot = this.entries.slotOf(id)
        if (slot === undefined)
          throw new GroundlineError('NOT_FOUND', `there is no entry ${describe(id)} whose metadata could be replaced`, {
            details: { id },
          })
        return { slot, metadata: copyMetadata(metadata, `entry ${describe(id)}`) }
      })
      for (const { slot, metadata } of checked) this.entries.setMetadata(slot, metadata)
    })
  }

  /** Checks a query. Throws `INVALID_VECTOR` or `DIMENSION_MISMATCH`. `kept` copies one that is used after others had their turn. */
  prepare(given: Float32Array, use: 'at once' | 'kept' = 'at once'): PreparedQuery {
    // One that is detached has no length, and cannot be copied.
    const isCopied = use === 'kept' && given instanceof Float32Array && given.length > 0
    const vector = isCopied ? given.slice() : unsharedVector(given)
    const norm = requireVectorNorm(vector, this.dimensions, this.metric !== 'cosine', theQuery)
    return { vector, scale: this.metric === 'cosine' ? 1 / norm : 1, extreme: isExtreme(norm) }
  }

  /** A copy of the vector in a slot. */
  vectorAt(slot: number): Float32Array {
    return this.#rows.row(slot).slice()
  }

  /** Writes the vector of a slot, at unit length under cosine, into a target. */
  copyScaled(slot: number, target: Float32Array, offset: number): void {
    const row = this.#rows.row(slot)
    const scale = this.metric === 'cosine' ? (this.#scales[slot] ?? 1) : 1
    for (let i = 0; i < row.length; i++) target[offset + i] = row[i]! * scale
  }

  /** Runs a task that no write comes between. */
  exclusively<T>(task: () => Promise<T>): Promise<T> {
    return this.#serial(task)
  }

  /** The exact best of the allowed slots. */
  scan(query: PreparedQuery, topK: number, allowed: AllowedSlots): TopK {
    return this.best(query, topK, listBits(allowed.words, allowed.count))
  }

  /** The best of the listed slots. */
  best(query: PreparedQuery, topK: number, slots: Uint32Array): TopK {
    const best = new TopK(topK, this.entries.isBefore)
    const room = Math.min(BLOCK, slots.length)
    const scores = query.extreme || this.#extreme ? new Float64Array(room) : new Float32Array(room)
    for (let from = 0; from < slots.length; from += BLOCK) {
      const block = slots.length <= BLOCK ? slots : slots.subarray(from, from + BLOCK)
      this.score(query, block, scores)
      for (let i = 0; i < block.length; i++) if (scores[i]! >= best.threshold) best.offer(block[i]!, scores[i]!)
    }
    return best
  }

  /** The nearest of the listed slots, as a search returns them. A list of a few may be rearranged. */
  nearest(query: PreparedQuery, topK: number, slots: Uint32Array): VectorMatch<M>[] {
    if (slots.length > FEW || query.extreme || this.#extreme) return this.matches(this.best(query, topK, slots))
    const scores = this.#scores
    this.score(query, slots, scores)
    // They come almost in order, so that sorting by insertion is nearly linear.
    for (let i = 1; i < slots.length; i++) {
      const slot = slots[i]!
      const score = scores[i]!
      let at = i
      for (; at > 0; at--) {
        const before = scores[at - 1]!
        if (before > score || (before === score && this.entries.isBefore(slots[at - 1]!, slot))) break
        slots[at] = slots[at - 1]!
        scores[at] = before
      }
      slots[at] = slot
      scores[at] = score
    }
    const matches: VectorMatch<M>[] = []
    const count = Math.min(topK, slots.length)
    for (let i = 0; i < count; i++) matches.push(this.#match(slots[i]!, scores[i]!))
    return matches
  }

  /**
   * Writes the final scores of the listed slots: cosine, dot product, or minus the squared distance. Where lengths are
   * extreme, products need the range of 64-bit floats.
   */
  score(query: PreparedQuery, slots: Uint32Array, scores: Scores): void {
    this.#rows.score(
      this.metric === 'euclidean' ? 'squared-distance' : 'dot',
      query.vector,
      slots,
      scores,
      query.extreme || this.#extreme || this.entries.size <= SIMD_ROWS,
    )
    if (this.metric === 'dot') return
    const { length } = slots
    if (this.metric === 'euclidean') for (let i = 0; i < length; i++) scores[i] = 0 - scores[i]!
    else if (this.#scales.length === 0) for (let i = 0; i < length; i++) scores[i] = clamped(scores[i]! * query.scale)
    else this.#scaleScores(query.scale, slots, scores)
  }

  #scaleScores(scale: number, slots: Uint32Array, scores: Scores): void {
    const scales = this.#scales
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i]!
      scores[i] = clamped(scores[i]! * scale * (slot < scales.length ? scales[slot]! : 1))
    }
  }

  /** Matches as a search returns them. */
  matches(best: TopK): VectorMatch<M>[] {
    return best.sorted().map(({ item, score }) => this.#match(item, score))
  }

  #match(slot: number, score: number): VectorMatch<M> {
    const metadata = this.entries.metadataAt(slot)
    const id = this.entries.idAt(slot)
    return metadata === undefined ? { id, score } : { id, score, metadata }
  }

  async #stage(entries: readonly VectorEntry<M>[], staged: Staged<M>, signal: AbortSignal | undefined): Promise<void> {
    requireArray('entries', entries)
    const pace = createPace(signal)
    const seen = new Set<string>()
    for (let i = 0; i < entries.length; i++) {
      if (pace.due()) await pace.pause()
      const entry = entries[i]!
      requireObject(`entries[${i}]`, entry, 'an object with id and vector')
      const { id, metadata } = entry
      const vector = unsharedVector(entry.vector)
      requireId(id)
      const owner = () => `entry ${describe(id)}`
      if (seen.has(id))
        throw new GroundlineError('DUPLICATE_ID', `${owner()} is in the batch twice, again at ${i}`, {
          details: { id },
        })
      seen.add(id)
      const norm = requireVectorNorm(vector, this.dimensions, this.metric !== 'cosine', owner)
      const copied = metadata === undefined ? undefined : copyMetadata(metadata, owner())
      if (this.#holds(id, vector)) {
        staged.unchanged.push({ id, metadata: copied })
        continue
      }
      const slot = this.entries.stage(id, copied)
      staged.slots.push(slot)
      this.#write(slot, vector, norm)
    }
  }

  /** Whether the entry exists with this very vector, so that only its metadata are new. */
  #holds(id: string, vector: Float32Array): boolean {
    const slot = this.entries.slotOf(id)
    if (slot === undefined) return false
    const stored = this.#rows.row(slot)
    for (let i = 0; i < vector.length; i++) if (stored[i] !== vector[i]) return false
    return true
  }

  #write(slot: number, vector: Float32Array, norm: number): void {
    this.#rows.reserve(slot + 1)
    this.#rows.write(slot, vector)
    this.#measured(slot, norm)
  }

  #measured(slot: number, norm: number): void {
    this.#extreme ||= isExtreme(norm)
    if (this.metric !== 'cosine') return
    // Embeddings mostly are of unit length: while all are, there is nothing to keep and nothing to multiply with.
    const isUnit = Math.abs(norm - 1) <= UNIT
    if (isUnit && slot >= this.#scales.length) return
    if (slot >= this.#scales.length) {
      const grown = new Float64Array(Math.max(slot + 1, this.#scales.length * 2, 64)).fill(1)
      grown.set(this.#scales)
      this.#scales = grown
    }
    // A score follows from query and vector, whatever else was ever stored.
    this.#scales[slot] = isUnit ? 1 : 1 / norm
  }
}

/** Squares of such lengths leave the range of 32-bit floats, or come close. A zero vector is harmless. */
function isExtreme(norm: number): boolean {
  return norm > 1e15 || (norm < 1e-12 && norm !== 0)
}

/** A cosine, whatever rounding made of it. */
function clamped(cosine: number): number {
  return Math.min(1, Math.max(-1, cosine))
}

const theQuery = () => 'the query'

import { GroundlineError } from '../errors.ts'
import { dotProduct, squaredDistance } from './vector-math.ts'
import { createVectorScan, type ScanFunction, type VectorScan } from './vector-scan.ts'

/** What is computed between a query and a row. */
export type RowMetric = 'dot' | 'squared-distance'

/** Where scores are written: 64-bit floats where products may leave the range of 32 bits. */
export type Scores = Float32Array | Float64Array

/** Rows of 32-bit floats that can be scored against a query, wherever they are kept. */
export interface VectorRows {
  /** Bytes held in memory. */
  readonly byteLength: number
  /** Makes room for rows 0 to `rows` − 1. */
  reserve(rows: number): void
  /** Stores a row. */
  write(row: number, vector: Float32Array): void
  /** Stores rows that follow one another. */
  writeRows(first: number, vectors: Float32Array): void
  /** A row; only good until the next call. */
  row(row: number): Float32Array
  /** Scores the listed rows against a query; `plain` asks for sums in double precision. */
  score(metric: RowMetric, query: Float32Array, rows: Uint32Array, scores: Scores, plain: boolean): void
  /** Gives files back. */
  close?(): void
}

/** Up to this many rows a memory of its own costs more than it saves. */
export const SIMD_ROWS = 256
/** Rows scored in one call of the scan. */
const BLOCK = 4_096
const PAGE = 65_536
/** Floats that one call of the scan sums up in single precision; longer rows are taken in parts, whose sums are added in double. */
const PART = 1_024

/** A memory, with its parts as the scan wants them. */
interface ScanBuffers {
  readonly scan: VectorScan
  readonly query: Float32Array
  readonly list: Uint32Array
  readonly found: Float32Array
}

/**
 * Rows in memory: scanned by 128-bit SIMD once there are enough of them to pay for it, by a plain loop in double precision
 * otherwise. The two differ by at most 1e-5 of the product of the lengths, squared distances by at most 1e-5 of themselves,
 * whatever the values and the dimensions: each of eight sums adds at most 128 products, so that rounding takes at most
 * 134 · 2⁻²⁴ (Higham, "Accuracy and Stability of Numerical Algorithms", 3.1); embeddings of 384 values differ by about 1e-7.
 * Lengths from 1e-12 to 1e15 are meant: for others the caller asks for the plain loop.
 */
export class VectorArena implements VectorRows {
  readonly #dimensions: number
  /** Floats from one row to the next: a multiple of 16. */
  readonly #stride: number
  readonly #scratch: number
  #capacity = 0
  #rows: Float32Array = new Float32Array(0)
  #scan: ScanBuffers | undefined
  #simd: boolean

  /** `simd: false` keeps to the plain loop. */
  constructor(dimensions: number, options: { readonly simd?: boolean } = {}) {
    this.#dimensions = dimensions
    this.#stride = (dimensions + 15) & ~15
    this.#scratch = this.#stride * 4 + BLOCK * 8
    this.#simd = options.simd ?? true
  }

  get byteLength(): number {
    return this.#scan?.scan.memory.buffer.byteLength ?? this.#rows.byteLength
  }

  reserve(rows: number): void {
    if (rows <= this.#capacity) return
    const capacity = Math.max(rows, Math.ceil(this.#capacity * 1.25), 16)
    if (this.#simd && rows > SIMD_ROWS) this.#reservePages(capacity)
    else this.#moveTo(new Float32Array(capacity * this.#stride))
    this.#capacity = capacity
  }

  write(row: number, vector: Float32Array): void {
    this.#rows.set(vector, row * this.#stride)
  }

  writeRows(first: number, vectors: Float32Array): void {
    const [dimensions, stride] = [this.#dimensions, this.#stride]
    if (dimensions === stride) this.#rows.set(vectors, first * stride)
    else
      for (let from = 0, row = first; from < vectors.length; from += dimensions, row++)
        this.#rows.set(vectors.subarray(from, from + dimensions), row * stride)
  }

  row(row: number): Float32Array {
    const start = row * this.#stride
    return this.#rows.subarray(start, start + this.#dimensions)
  }

  score(metric: RowMetric, query: Float32Array, rows: Uint32Array, scores: Scores, plain: boolean): void {
    if (this.#scan !== undefined && !plain) {
      this.#scanAll(this.#scan, metric, query, rows, scores)
      return
    }
    const compare = metric === 'dot' ? dotProduct : squaredDistance
    for (let i = 0; i < rows.length; i++) scores[i] = compare(query, this.#rows, rows[i]! * this.#stride)
  }

  #scanAll(buffers: ScanBuffers, metric: RowMetric, query: Float32Array, rows: Uint32Array, scores: Scores): void {
    const { scan, list, found } = buffers
    const stride = this.#stride * 4
    buffers.query.set(query)
    const run = metric === 'dot' ? scan.dot : scan.distance
    if (this.#stride > PART) {
      this.#scanParts(buffers, run, rows, scores)
      return
    }
    for (let from = 0; from < rows.length; from += BLOCK) {
      const count = Math.min(BLOCK, rows.length - from)
      list.set(rows.length <= BLOCK ? rows : rows.subarray(from, from + count))
      // Four rows at a time wait for memory together: the first ones are added again, rather than the last ones taken singly.
      const whole = count < 4 ? count : (count + 3) & ~3
      for (let i = count; i < whole; i++) list[i] = list[i - count]!
      run(0, this.#scratch, stride, stride, stride, whole, stride + BLOCK * 4)
      // For a handful, a view costs more than the copy.
      if (count <= 64) for (let i = 0; i < count; i++) scores[from + i] = found[i]!
      else scores.set(found.subarray(0, count), from)
    }
  }

  /** Row by row, so that one part follows the other in memory. */
  #scanParts({ list, found }: ScanBuffers, run: ScanFunction, rows: Uint32Array, scores: Scores): void {
    const stride = this.#stride * 4
    for (let i = 0; i < rows.length; i++) {
      list[0] = rows[i]!
      let sum = 0
      for (let part = 0; part < stride; part += PART * 4) {
        const length = Math.min(PART * 4, stride - part)
        run(part, this.#scratch + part, stride, length, stride, 1, stride + BLOCK * 4)
        sum += found[0]!
      }
      scores[i] = sum
    }
  }

  #reservePages(capacity: number): void {
    const bytes = this.#scratch + capacity * this.#stride * 4
    const pages = Math.ceil(bytes / PAGE)
    if (pages > PAGE)
      throw new GroundlineError(
        'LIMIT_EXCEEDED',
        `${capacity} vectors of ${this.#dimensions} dimensions need ${bytes} bytes; an index in memory holds 4 GiB. Use an index that keeps vectors on file`,
        { details: { bytes, limit: PAGE * PAGE } },
      )
    if (this.#scan === undefined) {
      const scan = createVectorScan(pages)
      this.#simd = scan !== undefined
      this.#moveTo(scan === undefined ? new Float32Array(capacity * this.#stride) : this.#view(scan))
      return
    }
    const { scan } = this.#scan
    scan.memory.grow(pages - scan.memory.buffer.byteLength / PAGE)
    this.#rows = this.#view(scan)
  }

  /** Views of the memory as it is now: growing it detaches those from before. */
  #view(scan: VectorScan): Float32Array {
    const { buffer } = scan.memory
    const stride = this.#stride * 4
    this.#scan = {
      scan,
      query: new Float32Array(buffer, 0, this.#stride),
      list: new Uint32Array(buffer, stride, BLOCK),
      found: new Float32Array(buffer, stride + BLOCK * 4, BLOCK),
    }
    return new Float32Array(buffer, this.#scratch, Math.floor((buffer.byteLength - this.#scratch) / 4))
  }

  #moveTo(rows: Float32Array): void {
    rows.set(this.#rows)
    this.#rows = rows
  }
}

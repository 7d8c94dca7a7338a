import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { GroundlineError } from '../../errors.ts'
import { type RowMetric, type Scores, VectorArena, type VectorRows } from '../../internal/vector-arena.ts'
import { newFileName } from './graph-file.ts'

/** Rows that are read at once when neighbours are wanted. */
const RUN = 64

/**
 * Rows in a file, read by position: memory stays small whatever the number of rows, and the system caches what is read
 * often. A working file of one process: it has no name where the system allows, and is gone when the process ends. Rows
 * of a saved index stay in the file they were saved to, which is only read.
 */
export class RowFile implements VectorRows {
  readonly #dimensions: number
  readonly #path: string
  readonly #file: number
  readonly #arena: VectorArena
  readonly #buffer: Float32Array<ArrayBuffer>
  readonly #unlinked: boolean
  #isClosed = false
  #saved: { readonly file: number; readonly path: string; readonly rows: number } | undefined

  constructor(directory: string, dimensions: number) {
    this.#dimensions = dimensions
    this.#path = join(directory, `${newFileName('rows')}.tmp`)
    this.#file = openSync(this.#path, 'wx+', 0o600)
    // An open file stays readable without its name, except on Windows.
    this.#unlinked = process.platform !== 'win32'
    if (this.#unlinked) unlinkSync(this.#path)
    this.#arena = new VectorArena(dimensions)
    this.#arena.reserve(RUN + 1)
    this.#buffer = new Float32Array(RUN * dimensions)
  }

  get byteLength(): number {
    return this.#arena.byteLength + this.#buffer.byteLength
  }

  reserve(): void {}

  /** Takes the first rows from a file that holds nothing else and never changes; they are not written again. */
  adopt(path: string, rows: number): void {
    this.#saved = { file: openSync(path, 'r'), path, rows }
  }

  write(row: number, vector: Float32Array): void {
    this.writeRows(row, vector)
  }

  writeRows(first: number, vectors: Float32Array): void {
    const bytes = new Uint8Array(vectors.buffer, vectors.byteOffset, vectors.byteLength)
    const position = first * this.#dimensions * 4
    const written = this.#attempt(() => writeSync(this.#file, bytes, 0, bytes.length, position))
    if (written !== bytes.length) throw failed(this.#path, `${written} of ${bytes.length} bytes were written`)
  }

  row(row: number): Float32Array {
    this.#read(row, 1)
    return this.#buffer.subarray(0, this.#dimensions)
  }

  score(metric: RowMetric, query: Float32Array, rows: Uint32Array, scores: Scores, plain: boolean): void {
    let at = 0
    while (at < rows.length) {
      // Slots next to each other are one read; a gap of a few costs less than a call.
      const first = rows[at]!
      const isSaved = this.#isSaved(first)
      let end = at + 1
      while (
        end < rows.length &&
        rows[end]! >= first &&
        rows[end]! - first < RUN &&
        rows[end]! - rows[end - 1]! <= 4 &&
        this.#isSaved(rows[end]!) === isSaved
      )
        end++
      this.#read(first, rows[end - 1]! - first + 1)
      const local = Uint32Array.from(rows.subarray(at, end), (row) => row - first)
      for (const row of local)
        this.#arena.write(row, this.#buffer.subarray(row * this.#dimensions, (row + 1) * this.#dimensions))
      this.#arena.score(metric, query, local, scores.subarray(at, end), plain)
      at = end
    }
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    closeSync(this.#file)
    if (this.#saved !== undefined) closeSync(this.#saved.file)
    if (!this.#unlinked) unlinkSync(this.#path)
  }

  #isSaved(row: number): boolean {
    return this.#saved !== undefined && row < this.#saved.rows
  }

  #read(row: number, count: number): void {
    const { file, path } = this.#isSaved(row) ? this.#saved! : { file: this.#file, path: this.#path }
    const bytes = new Uint8Array(this.#buffer.buffer, 0, count * this.#dimensions * 4)
    const position = row * this.#dimensions * 4
    let done = 0
    while (done < bytes.length) {
      const read = this.#attempt(() => readSync(file, bytes, done, bytes.length - done, position + done))
      if (read === 0) throw failed(path, 'the file is shorter than what was written')
      done += read
    }
  }

  #attempt(call: () => number): number {
    // Its number may be that of another file by now.
    if (this.#isClosed) throw new GroundlineError('CLOSED', 'the index was closed; make or open another')
    try {
      return call()
    } catch (cause) {
      throw failed(this.#path, 'reading or writing failed', cause)
    }
  }
}

function failed(path: string, reason: string, cause?: unknown): GroundlineError {
  return new GroundlineError('STORAGE_FAILED', `the vector file ${path}: ${reason}`, { cause, details: { path } })
}

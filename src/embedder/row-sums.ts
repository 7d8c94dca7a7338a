import { ROW_SUMS_WASM } from './row-sums-wasm.ts'
import type { StaticModel } from './static-model.ts'

/** Adds up rows of a static model: list the rows, then ask for their sum. */
export interface RowSums {
  /** Lists a token's row with its weight. */
  add(id: number, weight: number): void
  /** Writes Σ weight × row of what was listed into the first `length` places of `sums`, and empties the list. */
  sum(sums: Float64Array, length: number): void
}

const PAGE = 65_536
const LIST_ENTRY = 16
/** Components that the WebAssembly sums at once. */
const BLOCK = 16

/**
 * The sums in WebAssembly, or in a plain loop where there is no SIMD or the rows do not fit its blocks. Both add the same
 * doubles in the same order, so the sums are the same to the bit. Lengths are multiples of 16.
 */
export function createRowSums(model: Pick<StaticModel, 'rows' | 'dimensions'>): RowSums {
  // The list is written in the machine's byte order and read in WebAssembly's.
  const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1
  return (littleEndian && model.dimensions % BLOCK === 0 ? simdSums(model) : undefined) ?? plainSums(model)
}

/** The plain loop: what the other must equal. */
export function plainSums({ rows, dimensions: width }: Pick<StaticModel, 'rows' | 'dimensions'>): RowSums {
  const listed: { readonly base: number; readonly weight: number }[] = []
  return {
    add(id, weight) {
      listed.push({ base: id * width, weight })
    },
    sum(sums, length) {
      sums.fill(0, 0, length)
      for (const { base, weight } of listed)
        for (let at = 0; at < length; at++) sums[at] = (sums[at] as number) + weight * (rows[base + at] as number)
      listed.length = 0
    },
  }
}

function simdSums({ rows, dimensions: width }: Pick<StaticModel, 'rows' | 'dimensions'>): RowSums | undefined {
  if (typeof WebAssembly !== 'object') return undefined
  try {
    const outAt = Math.ceil(rows.length / LIST_ENTRY) * LIST_ENTRY
    const listAt = outAt + width * 8
    const memory = new WebAssembly.Memory({ initial: Math.ceil(listAt / PAGE) + 1, maximum: PAGE })
    const bytes = Uint8Array.from(atob(ROW_SUMS_WASM), (unit) => unit.charCodeAt(0))
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } })
    const run = instance.exports.sum as (rows: number, list: number, count: number, length: number, out: number) => void
    new Int8Array(memory.buffer).set(rows)
    let offsets = new Int32Array(memory.buffer, listAt)
    let weights = new Float64Array(memory.buffer, listAt)
    let room = Math.floor(weights.length / 2)
    let count = 0
    return {
      add(id, weight) {
        if (count === room) {
          memory.grow(Math.ceil((room * LIST_ENTRY) / PAGE))
          offsets = new Int32Array(memory.buffer, listAt)
          weights = new Float64Array(memory.buffer, listAt)
          room = Math.floor(weights.length / 2)
        }
        offsets[4 * count] = id * width
        weights[2 * count + 1] = weight
        count++
      },
      sum(sums, length) {
        run(0, listAt, count, length, outAt)
        count = 0
        sums.set(new Float64Array(memory.buffer, outAt, length))
      },
    }
  } catch {
    // No SIMD, or the process has as many memories as it may: the plain loop gives the same sums.
    return undefined
  }
}

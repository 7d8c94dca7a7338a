import { VECTOR_SCAN_WASM } from './vector-scan-wasm.ts'

/** Scores listed rows of a memory, or as much of each as `length` says; addresses, stride and length in bytes, the last two multiples of 64. */
export type ScanFunction = (
  query: number,
  rows: number,
  stride: number,
  length: number,
  list: number,
  count: number,
  scores: number,
) => void

/** A memory with the two scans over it. */
export interface VectorScan {
  /** Rows, query, list and scores live here; grows in place. */
  readonly memory: WebAssembly.Memory
  /** Dot products. */
  readonly dot: ScanFunction
  /** Squared distances. */
  readonly distance: ScanFunction
}

let compiled: WebAssembly.Module | undefined

/** A memory of its own with 128-bit SIMD scans; undefined where the runtime has no SIMD or no address space left. */
export function createVectorScan(pages: number): VectorScan | undefined {
  if (typeof WebAssembly !== 'object') return undefined
  try {
    compiled ??= new WebAssembly.Module(Uint8Array.from(atob(VECTOR_SCAN_WASM), (unit) => unit.charCodeAt(0)))
    const memory = new WebAssembly.Memory({ initial: pages, maximum: 65_536 })
    const { dot, distance } = new WebAssembly.Instance(compiled, { env: { memory } }).exports
    return { memory, dot: dot as ScanFunction, distance: distance as ScanFunction }
  } catch {
    // No SIMD, or the process has as many memories as it may: the plain loop gives the same answers.
    return undefined
  }
}

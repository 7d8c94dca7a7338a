import type { Index } from 'usearch'
import { GroundlineError } from '../../errors.ts'
import { requireInteger } from '../../internal/argument.ts'
import type { VectorMetric } from '../../vector-index/vector-index.ts'

/** How the graph stores its own copy of the vectors. Results are rescored from the full ones in any case. */
export type GraphQuantization = 'f32' | 'f16' | 'bf16' | 'i8'

/** What a graph is made with. */
export interface GraphSettings {
  /** Length of every vector. */
  readonly dimensions: number
  /** How vectors are compared. */
  readonly metric: VectorMetric
  /** How the graph stores vectors. */
  readonly quantization: GraphQuantization
  /** Links a node: HNSW's M. */
  readonly connectivity: number
  /** Width of the search that places a node: HNSW's efConstruction. */
  readonly expansionAdd: number
}

/** The module, once loaded. */
export type NativeModule = typeof import('usearch')

/** Loads the native module. Throws `MISSING_DEPENDENCY` where it is not installed or has no binary for the platform. */
export async function loadNative(): Promise<NativeModule> {
  try {
    return await import('usearch')
  } catch (cause) {
    throw new GroundlineError(
      'MISSING_DEPENDENCY',
      'the optional dependency usearch is not installed, or has no binary for this platform; run npm install usearch, or use exactIndex',
      { cause, details: { dependency: 'usearch' } },
    )
  }
}

/** An empty graph. A search is as wide as the keys it asks for, and at least `width`. */
export function createGraph(native: NativeModule, settings: GraphSettings, width = 1): Index {
  const { metric, quantization } = settings
  return new native.Index({
    dimensions: settings.dimensions,
    // Rows are put in at unit length under cosine, so the inner product is enough and cheaper.
    metric: metric === 'euclidean' ? native.MetricKind.L2sq : native.MetricKind.IP,
    quantization: scalarKinds(native)[quantization],
    connectivity: settings.connectivity,
    expansion_add: settings.expansionAdd,
    expansion_search: width,
    multi: false,
  })
}

/**
 * Keys of the nearest nodes, nearest first; at most `count`, and never more than there are. Lengths and values of the query
 * are checked by the callers: bad ones would end the process, as a count that is none would, which is refused here.
 */
export function nearestKeys(graph: Index, query: Float32Array, count: number, size: number): Uint32Array {
  if (size === 0) return new Uint32Array(0)
  requireInteger('count', count, 1)
  const { keys } = graph.search(query, Math.min(count, size), 1)
  return lowWords(keys)
}

/** Keys of 64 bits as numbers: ours are below 2^32. */
export function lowWords(keys: BigUint64Array): Uint32Array {
  const words = new Uint32Array(keys.buffer, keys.byteOffset, keys.length * 2)
  const low = new Uint32Array(keys.length)
  for (let i = 0; i < low.length; i++) low[i] = words[2 * i]!
  return low
}

/** Adds rows under keys; rows must be an array of their own from offset 0. */
export function addRows(graph: Index, keys: Uint32Array, rows: Float32Array): void {
  graph.add(BigUint64Array.from(keys, BigInt), rows, 1)
}

function scalarKinds(native: NativeModule) {
  const { F32, F16, BF16, I8 } = native.ScalarKind
  return { f32: F32, f16: F16, bf16: BF16, i8: I8 }
}

import { GroundlineError } from '../../errors.ts'
import { hasBit, setBit } from '../../internal/bitset.ts'
import type { SavedServing, Serving } from '../../vector-index/vector-index.ts'
import type { Calibration } from './calibration.ts'
import { Graph, viewGraph } from './graph.ts'
import { type PublishedFile, verifyFile } from './graph-file.ts'
import type { GraphSettings, NativeModule } from './native-graph.ts'
import type { PlanCosts } from './planner.ts'

/** A graph as it served at one moment: with the entries of then, all that decides an answer. */
export interface GraphServing extends Serving {
  /** The graph. */
  readonly graph: Graph
  /** The entry that each key stood for; of no meaning where the key stands for nothing. */
  readonly ids: readonly string[]
  /** One bit a key: whether it stood for an entry. */
  readonly alive: Uint32Array
  /** What searches went by. */
  readonly measured: Measured
}

/** What a graph had measured of itself, and what planning compared. */
export interface Measured {
  /** How many candidates searches needed. */
  readonly calibration: Calibration
  /** How many nodes were dead when that was measured. */
  readonly dead: number
  /** What scanning and asking cost. */
  readonly costs: PlanCosts
}

/** What is the same for every serving of one graph. */
interface Base {
  readonly format: 1
  readonly settings: GraphSettings
  readonly file: PublishedFile | undefined
  readonly width: number
  readonly size: number
  readonly target: number
  readonly calibration: Calibration
  readonly heldKeys: readonly number[]
  readonly truth: readonly (readonly number[])[]
  readonly ids: readonly string[]
}

interface State {
  readonly format: 1
  readonly file: string | undefined
  readonly measured: Measured
  /** Bits in base64. */
  readonly alive: string
}

/** A serving as it is now. */
export function graphServing(
  graph: Graph,
  ids: readonly string[],
  alive: Uint32Array,
  measured: Measured,
  settings: GraphSettings,
): GraphServing {
  const { file } = graph.origin
  return {
    graph,
    ids,
    alive,
    measured,
    file: file?.name,
    base: () => {
      const { size, target, calibration, heldKeys, truth } = graph.report
      const base: Base = {
        format: 1,
        settings,
        file,
        width: graph.width,
        size,
        target,
        calibration,
        heldKeys: Array.from(heldKeys),
        truth: truth.map((keys) => Array.from(keys)),
        ids,
      }
      return bytesOf(base)
    },
    state: () => {
      const bits = Buffer.from(alive.buffer, alive.byteOffset, alive.byteLength).toString('base64')
      return bytesOf({ format: 1, file: file?.name, measured, alive: bits })
    },
  }
}

/**
 * Opens a saved serving. Its graph's file is verified first, unless it is the one in use. Throws `CORRUPT_DATA` when the
 * file is not what was published, and `UNSUPPORTED_FORMAT` when it was made with other settings or in another form.
 */
export async function openServing(
  saved: SavedServing,
  context: {
    readonly directory: string
    readonly native: NativeModule
    readonly settings: GraphSettings
    readonly inUse: Pick<GraphServing, 'graph' | 'ids'> | undefined
    readonly signal: AbortSignal | undefined
  },
): Promise<GraphServing> {
  const { directory, native, settings, inUse, signal } = context
  const state = parse<State>(saved.state)
  const alive = new Uint32Array(Uint8Array.from(Buffer.from(state.alive, 'base64')).buffer)
  if (inUse !== undefined && inUse.graph.origin.file?.name === state.file)
    return graphServing(inUse.graph, inUse.ids, alive, state.measured, settings)
  const base = parse<Base>(saved.base)
  if (
    base.file === undefined ||
    base.file.name !== state.file ||
    JSON.stringify(base.settings) !== JSON.stringify(settings)
  )
    throw new GroundlineError('UNSUPPORTED_FORMAT', `the graph ${state.file} was made with other settings`)
  const path = await verifyFile(directory, base.file, signal)
  const graph = new Graph(
    viewGraph(native, settings, base.width, path),
    { file: base.file, path },
    new Uint32Array(base.ids.length),
    {
      size: base.size,
      target: base.target,
      calibration: base.calibration,
      heldKeys: Uint32Array.from(base.heldKeys),
      truth: base.truth.map((keys) => Uint32Array.from(keys)),
    },
  )
  return graphServing(graph, base.ids, alive, state.measured, settings)
}

/** The slot of each key: −1 where it stood for nothing. Undefined where an entry is missing: the entries are not those of then. */
export function slotsOfServing(
  { graph, ids, alive }: GraphServing,
  slotOf: (id: string) => number | undefined,
  isCurrent: (key: number, slot: number) => boolean,
): Int32Array | undefined {
  const slots = new Int32Array(ids.length).fill(-1)
  for (let key = 0; key < ids.length; key++) {
    if (!hasBit(alive, key)) continue
    const before = graph.slotOfKey[key]!
    const slot = isCurrent(key, before) ? before : slotOf(ids[key]!)
    if (slot === undefined) return undefined
    slots[key] = slot
  }
  return slots
}

/** Bits of the keys that stand for an entry. */
export function aliveBits(count: number, isAlive: (key: number) => boolean): Uint32Array {
  const bits = new Uint32Array((count + 31) >>> 5)
  for (let key = 0; key < count; key++) if (isAlive(key)) setBit(bits, key)
  return bits
}

function bytesOf(value: Base | State): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value))
}

function parse<T extends { readonly format: 1 }>(bytes: Uint8Array): T {
  const value = JSON.parse(new TextDecoder().decode(bytes)) as T
  if (value.format === 1) return value
  throw new GroundlineError('UNSUPPORTED_FORMAT', `a graph was kept in format ${String(value.format)}, not 1`)
}

import { join } from 'node:path'
import type { Metadata } from '../../document.ts'
import { createPace, inSteps } from '../../internal/pace.ts'
import type { VectorTable } from '../../internal/vector-table.ts'
import { type Calibration, candidatesFor, MEASURED_QUERIES } from './calibration.ts'
import { Graph, usualWidth, viewGraph } from './graph.ts'
import { GraphBuilding, type GraphReport } from './graph-building.ts'
import type { PublishedFile } from './graph-file.ts'
import { type GraphHost, startGraphHost } from './graph-host.ts'
import type { GraphSettings, NativeModule } from './native-graph.ts'
import type { SlotKeys } from './slot-keys.ts'

/** What a build reads and how. */
export interface BuildContext {
  /** The native module. */
  readonly native: NativeModule
  /** The entries, which may change while the build runs. */
  readonly table: Pick<VectorTable<Metadata>, 'entries' | 'copyScaled' | 'dimensions'>
  /** Which slots the graph in use knows. */
  readonly keys: SlotKeys
  /** What the graph is made with. */
  readonly settings: GraphSettings
  /** Recall to reach. */
  readonly target: number
  /** Where graphs are published; null writes nothing, and leaves the graph in the worker that built it. */
  readonly directory: string | null
  /** The worker's script, where the default does not resolve. */
  readonly workerUrl: URL | string | undefined
  /** A graph to add to; absent for a build from nothing. */
  readonly previous: Graph | undefined
  /** Slots that were added or removed since they were read; the caller of the build keeps adding to it. */
  readonly touched: Set<number>
  /** Ends the build. */
  readonly signal: AbortSignal
}

/** A new graph, and the slot of each key: −1 where the entry is gone. */
export interface BuiltGraph {
  /** The graph. */
  readonly graph: Graph
  /** Slot by key. */
  readonly slots: Int32Array
}

/** How many vectors are held out: more than measure the recall, so that enough of them outlive the removals until the next build from nothing. */
const HELD_OUT = (MEASURED_QUERIES * 3) / 2
/** Multiples of it modulo 1 fill an interval evenly and have no period. */
const GOLDEN = 0.6180339887498949
const WORKER_ROWS = 512
/** So few that adding them does not hold the event loop. */
const CALLER_ROWS = 8

/** Builds in a worker where workers run, on the calling thread in small steps otherwise. */
export async function buildGraph(context: BuildContext): Promise<BuiltGraph> {
  const { directory, workerUrl } = context
  let host: GraphHost
  try {
    host = await startGraphHost(workerUrl)
  } catch {
    // Bundled or transpiled away: without a worker the calling thread does it, in steps and from nothing.
    return new Build({ ...context, previous: undefined }).onCaller()
  }
  const stop = () => void host.close()
  context.signal.addEventListener('abort', stop, { once: true })
  let isKept = false
  try {
    const built = await new Build(context).inWorker(host, directory)
    isKept = built.graph.origin.host === host
    return built
  } catch (error) {
    context.signal.throwIfAborted()
    throw error
  } finally {
    context.signal.removeEventListener('abort', stop)
    if (!isKept) await host.close()
  }
}

class Build {
  readonly #context: BuildContext
  readonly #slots: Int32Array
  readonly #held: readonly number[]
  /** Keys of vectors held out before that measure along, where too few are new. */
  readonly #earlier: Uint32Array
  readonly #known: Uint32Array
  readonly #fresh: Uint32Array
  #nextKey: number

  constructor(context: BuildContext) {
    this.#context = context
    const { keys, previous } = context
    this.#known = previous === undefined ? new Uint32Array(0) : keys.known()
    const all = previous === undefined ? keys.live() : keys.pending()
    const most = Math.min(HELD_OUT, Math.floor(all.length / 4))
    this.#fresh = new Uint32Array(all.length - most)
    const held: number[] = []
    let next = 0
    for (let i = 0; i < all.length; i++) {
      // One from each stretch of slots, at places that fall in step with nothing.
      const due = ((held.length + 0.75 * ((held.length * GOLDEN) % 1)) * all.length) / most
      if (held.length < most && i >= due) held.push(all[i]!)
      else this.#fresh[next++] = all[i]!
    }
    // Measuring begins with the first ones and may do without the last: any number of the first comes from everywhere.
    const place = (i: number) => (i * GOLDEN) % 1
    const order = Array.from(held.keys()).sort((a, b) => place(a) - place(b))
    this.#held = order.map((i) => held[i]!)
    this.#earlier = previous === undefined ? new Uint32Array(0) : this.#heldBefore(previous, MEASURED_QUERIES - most)
    this.#nextKey = previous?.slotOfKey.length ?? 0
    this.#slots = new Int32Array(this.#nextKey + all.length).fill(-1)
  }

  async inWorker(host: GraphHost, directory: string | null): Promise<BuiltGraph> {
    const { settings, previous, keys, target, signal } = this.#context
    const held = this.#heldRows()
    const removed: number[] = []
    const before = previous?.slotOfKey ?? new Uint32Array(0)
    for (let key = 0; key < before.length; key++) if (!keys.isCurrent(key, before[key]!)) removed.push(key)
    const file = directory === null ? undefined : previous?.origin.file
    const from = file && directory !== null && { directory, file, removed: Uint32Array.from(removed) }
    await host.ask({ type: 'start', settings, held, earlier: this.#earlier, ...(from && { from }) })
    let last: Promise<unknown> = Promise.resolve()
    for (const slice of this.#slices(WORKER_ROWS)) {
      const rows = this.#rows(slice.slots)
      const asked = host.ask({ type: 'rows', keys: slice.keys, rows, fresh: slice.fresh }, [rows.buffer])
      asked.catch(() => undefined)
      // One slice is copied while the worker has another.
      await last
      last = asked
      signal.throwIfAborted()
    }
    await last
    const reply = await host.ask({ type: 'finish', target, heldKeys: this.#heldKeys(), directory })
    if (reply.type !== 'built') throw new Error('the worker answered out of turn')
    const { report } = reply
    if (reply.file === undefined || directory === null) {
      const graph = new Graph({ index: undefined, width: 1 }, { host }, this.#slotOfKey(), report)
      return { graph, slots: this.#slots }
    }
    return this.#finished(report, reply.file, directory)
  }

  async onCaller(): Promise<BuiltGraph> {
    const { native, settings, target, signal } = this.#context
    const building = new GraphBuilding(native, settings, this.#heldRows())
    const pace = createPace(signal)
    for (const slice of this.#slices(CALLER_ROWS)) {
      await inSteps(building.add(slice.keys, this.#rows(slice.slots), slice.fresh), pace)
      if (pace.due()) await pace.pause()
    }
    const report = await inSteps(building.finish(target, this.#heldKeys()), pace)
    const graph = new Graph({ index: building.graph, width: 1 }, {}, this.#slotOfKey(), report)
    return { graph, slots: this.#slots }
  }

  #finished(report: GraphReport, file: PublishedFile, directory: string): BuiltGraph {
    const { native, settings } = this.#context
    const path = join(directory, file.name)
    const calibration = this.#withPrevious(report.calibration)
    const graph = new Graph(
      viewGraph(native, settings, usualWidth(calibration), path),
      { file, path },
      this.#slotOfKey(),
      {
        ...report,
        calibration,
      },
    )
    return { graph, slots: this.#slots }
  }

  /** Vectors to measure with: those held out now, then those held out before. */
  #heldRows(): Float32Array<ArrayBuffer>[] {
    const { previous } = this.#context
    const before = Array.from(this.#earlier, (key) => previous!.slotOfKey[key]!)
    return [...this.#held, ...before].map((slot) => this.#rows([slot]))
  }

  /** Keys of at most so many vectors that were held out of the graph before and are still there. */
  #heldBefore({ report, slotOfKey }: Graph, most: number): Uint32Array {
    const { keys } = this.#context
    return report.heldKeys.filter((key) => keys.isCurrent(key, slotOfKey[key]!)).subarray(0, Math.max(0, most))
  }

  /** What was held out of an addition is like what was added; searches for the rest need what they needed before. */
  #withPrevious(calibration: Calibration): Calibration {
    const before = this.#context.previous?.calibration
    if (before === undefined) return calibration
    const points = calibration.points.map((point) => {
      const [now, then] = [point.candidates, candidatesFor(before, point.topK)]
      return { ...point, candidates: now === 0 || then === 0 ? 0 : Math.max(now, then) }
    })
    return { ...calibration, points }
  }

  #slotOfKey(): Uint32Array {
    const { touched } = this.#context
    const slots = this.#slots
    if (touched.size > 0) for (let key = 0; key < slots.length; key++) if (touched.has(slots[key]!)) slots[key] = -1
    return new Uint32Array(slots)
  }

  #heldKeys(): Uint32Array {
    return Uint32Array.from(this.#held, (slot) => this.#assign(slot))
  }

  /** Live slots with their keys, those the graph knows first. */
  *#slices(size: number): Generator<{ slots: number[]; keys: Uint32Array; fresh: boolean }> {
    const { keys, table } = this.#context
    for (const fresh of [false, true]) {
      const all = fresh ? this.#fresh : this.#known
      for (let from = 0; from < all.length; from += size) {
        const slots = Array.from(all.subarray(from, from + size)).filter((slot) =>
          fresh ? table.entries.isLive(slot) : keys.keyOf(slot) !== undefined,
        )
        if (slots.length === 0) continue
        const sliceKeys = Uint32Array.from(slots, (slot) => (fresh ? this.#assign(slot) : this.#keep(slot)))
        yield { slots, keys: sliceKeys, fresh }
      }
    }
  }

  #assign(slot: number): number {
    const key = this.#nextKey++
    this.#slots[key] = slot
    return key
  }

  #keep(slot: number): number {
    const key = this.#context.keys.keyOf(slot)!
    this.#slots[key] = slot
    this.#context.touched.delete(slot)
    return key
  }

  /** Rows as the graph takes them; from here on a change of the slot counts as one. */
  #rows(slots: readonly number[]): Float32Array<ArrayBuffer> {
    const { table, touched } = this.#context
    const rows = new Float32Array(slots.length * table.dimensions)
    slots.forEach((slot, i) => {
      touched.delete(slot)
      table.copyScaled(slot, rows, i * table.dimensions)
    })
    return rows
  }
}

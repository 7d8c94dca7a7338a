import { unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Metadata } from '../../document.ts'
import { GroundlineError, isGroundlineError } from '../../errors.ts'
import type { VectorTable } from '../../internal/vector-table.ts'
import { buildGraph } from './build-graph.ts'
import { MEASURED_QUERIES } from './calibration.ts'
import type { Graph } from './graph.ts'
import type { GraphHost } from './graph-host.ts'
import { aliveBits, type GraphServing, graphServing, slotsOfServing } from './graph-serving.ts'
import { ManySearches } from './many-searches.ts'
import { measureCosts } from './measure-costs.ts'
import type { GraphSettings, NativeModule } from './native-graph.ts'
import type { PlanCosts } from './planner.ts'
import { remeasure } from './remeasure.ts'
import { directionOf } from './search-table.ts'
import { SlotKeys } from './slot-keys.ts'
import type { UsearchIndexStats } from './usearch-index.ts'

/** What a keeper needs. */
export interface GraphKeeperOptions {
  /** The native module. */
  readonly native: NativeModule
  /** The entries. */
  readonly table: VectorTable<Metadata>
  /** What graphs are made with. */
  readonly settings: GraphSettings
  /** The recall asked for. */
  readonly target: number
  /** Where graphs are published; null for none. */
  readonly directory: string | null
  /** The worker's script. */
  readonly workerUrl: URL | string | undefined
  /** Entries below which there is no graph. */
  readonly exactBelow: number
  /** What becomes of a graph's file once another is in use. */
  readonly superseded: 'removed' | 'kept'
  /** Called when another graph came into use, or the one in use was measured. */
  readonly onServing: (() => void) | undefined
}

/** A share of dead and removed nodes beyond which the graph is built from nothing: searches slow down with the dead, and the links of the removed were mended. */
const MOST_DEAD = 0.3
/** A share of changes after which the recall is measured again. */
const MEASURE_AFTER = 0.1

/** Keeps the graph of a table in step with it: when to build, what to measure, which file is in use. */
export class GraphKeeper {
  /** Which slots the graph knows. */
  readonly keys: SlotKeys = new SlotKeys()
  /** What graphs are made with. */
  readonly settings: GraphSettings
  /** Answers many searches at once. */
  readonly many: ManySearches
  /** What planning compares; measured when a graph is published. */
  costs: PlanCosts = { row: 3e-4, candidate: 3e-3 }
  /** The graph file that a saved snapshot names; it stays until the next one. */
  savedFile: string | undefined
  /** The graph file that a snapshot under way is going to name. */
  savingFile: string | undefined
  readonly #options: GraphKeeperOptions
  readonly #closing: AbortController = new AbortController()
  /** Work that was given up and has not ended. */
  readonly #ending: Set<Promise<void>> = new Set()
  #touched: Set<number> = new Set()
  #stopping: AbortController = new AbortController()
  #graph: Graph | undefined
  #work: Promise<void> | undefined
  #failure: unknown
  #pendingWhenFailed = 0

  constructor(options: GraphKeeperOptions) {
    this.#options = options
    this.settings = options.settings
    this.many = new ManySearches(this, options.workerUrl, this.#closing.signal)
  }

  /** The graph in use. */
  get graph(): Graph | undefined {
    return this.#graph
  }

  /** Whether a graph is being built or measured. */
  get isWorking(): boolean {
    return this.#work !== undefined
  }

  /** Slots became live. */
  added(slots: readonly number[]): void {
    this.keys.added(slots)
    if (this.#work !== undefined) for (const slot of slots) this.#touched.add(slot)
  }

  /** Slots are no longer live. */
  removed(slots: readonly number[]): void {
    const known = this.keys.removed(slots)
    if (this.#graph !== undefined) this.#graph.dead += known
    if (this.#work !== undefined) for (const slot of slots) this.#touched.add(slot)
  }

  /** Starts what the changes so far call for: a build, or a measurement. Never waits. */
  consider(): void {
    if (this.#work !== undefined || this.#closing.signal.aborted) return
    const graph = this.#graph
    const { exactBelow, table } = this.#options
    const pending = this.keys.pendingCount
    if (table.entries.size < Math.max(exactBelow, 16)) return
    const failedHere = this.#failure !== undefined && pending < this.#pendingWhenFailed * 1.5
    const isPoor = graph !== undefined && this.#isPoor(graph)
    const wanted = graph === undefined || pending > Math.max(exactBelow / 2, graph.size / 10) || isPoor
    if (wanted && !failedHere) this.#start((stop) => this.#build(graph === undefined || isPoor, stop))
    else if (graph !== undefined && graph.dead - graph.measuredDead > graph.size * MEASURE_AFTER)
      this.#start((stop) => this.#measure(graph, stop))
  }

  /** Publishes a graph of everything now. */
  async build(compact: boolean, signal: AbortSignal | undefined): Promise<void> {
    await this.#work
    signal?.throwIfAborted()
    if (this.#options.table.entries.size < 16) return
    const graph = this.#graph
    const isPoor = graph === undefined || this.#isPoor(graph)
    // What was under way may have been a build of the same entries.
    if (!compact && !isPoor && graph.dead === 0 && this.keys.pendingCount === 0) return
    this.#start((stop) => {
      const either = signal === undefined ? stop : AbortSignal.any([stop, signal])
      return this.#build(compact || isPoor, either)
    })
    await this.settled()
    signal?.throwIfAborted()
  }

  /** Waits for the work under way; throws what it failed with. */
  async settled(): Promise<void> {
    while (this.#work !== undefined) await this.#work
    if (this.#failure !== undefined && !this.#closing.signal.aborted) throw this.#failure
  }

  /** Takes a graph: `slots[key]` or −1. `measuredDead` of its nodes were dead when it was measured; all that are by default. */
  adopt(graph: Graph, slots: Int32Array, measuredDead?: number): void {
    graph.countDead(slots, measuredDead)
    this.keys.assign(slots)
    this.#graph = graph
  }

  /** Measures what planning compares, for the graph in use. */
  async measureCosts(): Promise<void> {
    const graph = this.#graph
    const { host } = graph?.origin ?? {}
    if (graph === undefined) return
    const measured =
      host === undefined ? await measureCosts(this.#options.table, graph) : await this.#costsIn(host, graph)
    // Another that came into use meanwhile has its own.
    if (measured !== undefined && this.#graph === graph) this.costs = measured
  }

  /** What searches go by now, beside the entries. */
  serving(): GraphServing | undefined {
    const graph = this.#graph
    if (graph === undefined) return undefined
    const { entries } = this.#options.table
    const { slotOfKey, calibration, measuredDead } = graph
    const isAlive = (key: number) => this.keys.isCurrent(key, slotOfKey[key]!)
    // A key that stands for nothing never will: what is alive later has its id here.
    graph.ids ??= Array.from(slotOfKey, (slot, key) => (isAlive(key) ? entries.idAt(slot) : ''))
    const measured = { calibration, dead: measuredDead, costs: this.costs }
    return graphServing(graph, graph.ids, aliveBits(slotOfKey.length, isAlive), measured, this.settings)
  }

  /** Goes back to a graph that served the entries there are now; to none without one. False where it does not fit. */
  resume(serving: GraphServing | undefined): boolean {
    this.#giveUp()
    const before = this.#graph
    const isGone = serving?.graph.origin.host !== undefined && serving.graph.origin.host !== before?.origin.host
    const { entries } = this.#options.table
    const isCurrent = (key: number, slot: number) =>
      before !== undefined && before.slotOfKey === serving?.graph.slotOfKey && this.keys.isCurrent(key, slot)
    const slots = serving && !isGone ? slotsOfServing(serving, (id) => entries.slotOf(id), isCurrent) : undefined
    if (serving === undefined || slots === undefined) {
      this.#graph = undefined
      this.keys.assign(new Int32Array(0))
    } else {
      const { graph, ids, measured } = serving
      const again = graph.withSlots(new Uint32Array(slots), ids)
      this.#graph = again
      this.keys.assign(slots)
      again.remeasured(measured.calibration)
      again.countDead(slots, measured.dead)
      this.costs = measured.costs
    }
    if (before?.origin.host !== this.#graph?.origin.host) void before?.origin.host?.close()
    void this.many.end()
    return serving === undefined || slots !== undefined
  }

  /** Gives up a graph whose worker ended: searches scan until changes call for another. */
  lose(graph: Graph, error: unknown): void {
    if (this.#graph !== graph) return
    this.#graph = undefined
    this.keys.assign(new Int32Array(0))
    this.#failure = error
    this.#pendingWhenFailed = this.keys.pendingCount
  }

  /** What there is to say. */
  stats(): Omit<UsearchIndexStats, 'entries' | 'vectorBytes'> {
    const graph = this.#graph
    return {
      graphNodes: graph?.size ?? 0,
      deadNodes: graph?.dead ?? 0,
      pending: this.keys.pendingCount,
      building: this.#work !== undefined,
      recallTarget: this.#options.target,
      recall: (graph?.calibration.points ?? []).map(({ topK, recall }) => ({
        topK,
        recall,
        candidates: graph?.candidates(topK) ?? 0,
      })),
      recallQueries: graph?.calibration.queries ?? 0,
      graphBytes: graph?.origin.file?.bytes ?? 0,
      failure: this.#failure,
    }
  }

  /** Ends everything under way. */
  async close(): Promise<void> {
    this.#closing.abort(new GroundlineError('CLOSED', 'the index was closed'))
    await this.#work
    await Promise.all(this.#ending)
    await this.#graph?.origin.host?.close()
    await this.many.end()
    this.#graph = undefined
  }

  /** Whether it must be built from nothing: too many of its nodes died or were removed, measured for a lower recall than is asked for now, or not at all. */
  #isPoor({ dead, dropped, size, report }: Graph): boolean {
    return dead + dropped > size * MOST_DEAD || report.target < this.#options.target || report.calibration.queries === 0
  }

  #start(work: (signal: AbortSignal) => Promise<void>): void {
    this.#touched = new Set()
    this.#stopping = new AbortController()
    const end = (failure: unknown, count: number) => {
      this.#ending.delete(running)
      if (this.#work !== running) return
      this.#failure = failure
      this.#pendingWhenFailed = count
      this.#work = undefined
      this.consider()
    }
    const running: Promise<void> = work(AbortSignal.any([this.#closing.signal, this.#stopping.signal])).then(
      () => end(undefined, this.#pendingWhenFailed),
      (error: unknown) => end(error, this.keys.pendingCount),
    )
    this.#work = running
  }

  /** Gives up what is under way, without waiting for its end: its graph would stand for entries that are no more. */
  #giveUp(): void {
    if (this.#work === undefined) return
    this.#ending.add(this.#work)
    this.#work = undefined
    this.#stopping.abort(new GroundlineError('CLOSED', 'another graph came into use'))
  }

  async #build(fromNothing: boolean, signal: AbortSignal): Promise<void> {
    const { native, table, target, directory, workerUrl, superseded, onServing } = this.#options
    const previous = this.#graph
    const touched = this.#touched
    const isHere = previous?.origin.path !== undefined && dirname(previous.origin.path) === directory
    const reusable = !fromNothing && isHere ? previous : undefined
    const build = (from: Graph | undefined) =>
      buildGraph({
        native,
        table,
        keys: this.keys,
        settings: this.settings,
        target,
        directory,
        workerUrl,
        previous: from,
        touched,
        signal,
      })
    const { graph, slots } = await build(reusable).catch((error: unknown) => {
      // The file before is not what it was: another is made from the vectors.
      if (reusable === undefined || !isGroundlineError(error) || error.code !== 'CORRUPT_DATA') throw error
      return build(undefined)
    })
    if (signal.aborted) await graph.origin.host?.close()
    signal.throwIfAborted()
    this.adopt(graph, slots)
    await previous?.origin.host?.close()
    await this.measureCosts()
    await this.many.end()
    // A file that is viewed stays readable without its name, except on Windows, where it goes when the folder does.
    const name = previous?.origin.file?.name
    const isKept = superseded === 'kept' || [this.savedFile, this.savingFile, graph.origin.file?.name].includes(name)
    if (isHere && !isKept) await unlink(previous.origin.path!).catch(() => undefined)
    onServing?.()
  }

  /** Measures the recall again on what is left of the truth, and sets the width of searches by it. */
  async #measure(graph: Graph, signal: AbortSignal): Promise<void> {
    const { target, onServing } = this.#options
    const { settings } = this
    const { truth, heldKeys } = graph.report
    const isAlive = (key: number) => this.keys.isCurrent(key, graph.slotOfKey[key]!)
    const held = Array.from(heldKeys.keys())
      .filter((i) => isAlive(heldKeys[i]!))
      .slice(0, MEASURED_QUERIES)
    // Held-out vectors are in the graph by now, and not all of them in the truth.
    const isHeld = new Set(heldKeys)
    const left = held.map((i) => truth[i]!.filter((key) => isAlive(key) && !isHeld.has(key)))
    const vectors = held.map((i) => this.#heldVector(graph, heldKeys[i]!))
    const measured = await remeasure(
      graph,
      {
        settings,
        target,
        queries: vectors,
        keys: Uint32Array.from(held, (i) => heldKeys[i]!),
        truth: left,
        size: graph.size,
        alive: Uint8Array.from(graph.slotOfKey, (_, key) => (isAlive(key) && !isHeld.has(key) ? 1 : 0)),
      },
      signal,
    )
    signal.throwIfAborted()
    // A vector finds its neighbours more easily once it is in the graph: this widens searches, and never narrows them.
    const points = measured.points.map((point) => {
      const before = graph.candidates(point.topK)
      return { ...point, candidates: before === 0 || point.candidates === 0 ? 0 : Math.max(before, point.candidates) }
    })
    graph.remeasured(held.length > 0 ? { ...measured, points } : graph.calibration)
    onServing?.()
  }

  /** The same of a graph in a worker: what a candidate costs includes the way there and back. */
  async #costsIn(host: GraphHost, graph: Graph): Promise<PlanCosts | undefined> {
    const { table } = this.#options
    const slots = this.keys.known().slice(0, 1_024)
    if (slots.length < 64) return undefined
    const query = table.prepare(table.vectorAt(slots[0]!))
    const direction = directionOf(query, table.metric)
    const candidates = Math.min(256, graph.size)
    const [rows, asked] = [[] as number[], [] as number[]]
    for (let i = 0; i < 3; i++) {
      let start = performance.now()
      table.nearest(query, 10, slots)
      rows.push(performance.now() - start)
      start = performance.now()
      await graph.nearestIn(host, direction, candidates)
      asked.push(performance.now() - start)
    }
    return { row: Math.min(...rows) / slots.length, candidate: Math.min(...asked) / candidates }
  }

  #heldVector(graph: Graph, key: number): Float32Array {
    const { table } = this.#options
    const vector = new Float32Array(table.dimensions)
    table.copyScaled(graph.slotOfKey[key]!, vector, 0)
    return vector
  }
}

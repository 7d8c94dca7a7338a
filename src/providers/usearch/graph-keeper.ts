import { unlink } from 'node:fs/promises'
import type { Metadata } from '../../document.ts'
import { GroundlineError, isGroundlineError } from '../../errors.ts'
import type { Filter } from '../../filter.ts'
import { createPace } from '../../internal/pace.ts'
import type { PreparedQuery, VectorTable } from '../../internal/vector-table.ts'
import type { VectorMatch } from '../../vector-index/vector-index.ts'
import { buildGraph } from './build-graph.ts'
import { MEASURED_QUERIES, rescoredCount } from './calibration.ts'
import type { Graph } from './graph.ts'
import { type GraphHost, startGraphHost, unlessAborted } from './graph-host.ts'
import { measureCosts } from './measure-costs.ts'
import type { GraphSettings, NativeModule } from './native-graph.ts'
import type { PlanCosts } from './planner.ts'
import { remeasure } from './remeasure.ts'
import { searchResident } from './resident-search.ts'
import { directionOf, searchTable, slotsOf } from './search-table.ts'
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
}

/** A share of dead nodes beyond which the graph is built from nothing: searches slow down with them. */
const MOST_DEAD = 0.3
/** A share of changes after which the recall is measured again. */
const MEASURE_AFTER = 0.1
/** Queries beyond which a batch goes to a worker. */
const BATCH = 64
/** Queries that go to a worker at once. */
const PART = 64

/** Keeps the graph of a table in step with it: when to build, what to measure, which file is in use. */
export class GraphKeeper {
  /** Which slots the graph knows. */
  readonly keys: SlotKeys = new SlotKeys()
  /** What graphs are made with. */
  readonly settings: GraphSettings
  /** What planning compares; measured when a graph is published. */
  costs: PlanCosts = { row: 3e-4, candidate: 3e-3 }
  /** The graph file that a saved snapshot names; it stays until the next one. */
  savedFile: string | undefined
  /** The graph file that a snapshot under way is going to name. */
  savingFile: string | undefined
  readonly #options: GraphKeeperOptions
  readonly #closing: AbortController = new AbortController()
  readonly #touched: Set<number> = new Set()
  #graph: Graph | undefined
  #work: Promise<void> | undefined
  #failure: unknown
  #pendingWhenFailed = 0
  #batchHost: { readonly path: string; readonly host: Promise<GraphHost> } | undefined

  constructor(options: GraphKeeperOptions) {
    this.#options = options
    this.settings = options.settings
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
    if (wanted && !failedHere) this.#start(() => this.#build(graph === undefined || isPoor, this.#closing.signal))
    else if (graph !== undefined && graph.dead - graph.measuredDead > graph.size * MEASURE_AFTER)
      this.#start(() => this.#measure(graph))
  }

  /** Publishes a graph of everything now. */
  async build(compact: boolean, signal: AbortSignal | undefined): Promise<void> {
    await this.#work
    signal?.throwIfAborted()
    if (this.#options.table.entries.size < 16) return
    const stop = AbortSignal.any(signal === undefined ? [this.#closing.signal] : [this.#closing.signal, signal])
    this.#start(() => this.#build(compact || this.#graph === undefined || this.#isPoor(this.#graph), stop))
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
    let dead = 0
    for (let key = 0; key < slots.length; key++) if (slots[key]! < 0) dead++
    graph.dead = dead
    graph.measuredDead = measuredDead ?? dead
    this.keys.assign(slots)
    this.#graph = graph
  }

  /** Measures what planning compares, for the graph in use. */
  async measureCosts(): Promise<void> {
    const graph = this.#graph
    const { host } = graph?.origin ?? {}
    if (graph === undefined) return
    if (host !== undefined) await this.#measureCostsIn(host, graph)
    else this.costs = (await measureCosts(this.#options.table, graph)) ?? this.costs
  }

  /** Gives up a graph whose worker ended: searches scan until changes call for another. */
  lose(graph: Graph, error: unknown): void {
    if (this.#graph !== graph) return
    this.#graph = undefined
    this.keys.assign(new Int32Array(0))
    this.#failure = error
    this.#pendingWhenFailed = this.keys.pendingCount
  }

  /** Many searches: in a worker where that pays, in steps on the caller otherwise. */
  async searchMany<M extends Metadata>(
    table: VectorTable<M>,
    queries: readonly PreparedQuery[],
    topK: number,
    filter: Filter | undefined,
    signal: AbortSignal | undefined,
  ): Promise<VectorMatch<M>[][]> {
    const graph = this.#graph
    const candidates = graph?.candidates(topK) ?? 0
    const path = graph?.origin.path
    const plain =
      queries.length <= BATCH || filter !== undefined || candidates === 0 || queries.some((query) => query.extreme)
    if (plain || graph === undefined || path === undefined)
      return this.#searchEach(table, queries, topK, filter, signal)
    const host = await this.#hostOf(path, graph.width)
    if (host === undefined) return this.#searchEach(table, queries, topK, filter, signal)
    const wanted = Math.min(candidates, graph.size)
    const most = graph.dead > 0 ? wanted : rescoredCount(this.settings, topK, wanted)
    const asked = Math.min(graph.asked(wanted, most), graph.size)
    const ask = (from: number) => {
      const part = queries.slice(from, from + PART)
      const rows = new Float32Array(part.length * table.dimensions)
      part.forEach((query, i) => {
        rows.set(directionOf(query, table.metric), i * table.dimensions)
      })
      const reply = host.ask({ type: 'search', queries: rows, asked }, [rows.buffer])
      reply.catch(() => undefined)
      return reply
    }
    const pace = createPace(signal)
    const found: VectorMatch<M>[][] = []
    // The worker has the next part before this one is rescored.
    const replies = [ask(0)]
    for (let from = 0; from < queries.length; from += PART) {
      if (from + PART < queries.length) replies.push(ask(from + PART))
      const reply = await unlessAborted(replies.shift()!, signal).catch((error: unknown) => {
        if (signal?.aborted === true || this.#closing.signal.aborted) throw error
        return undefined
      })
      // The worker ended, as it does when another graph takes the place of the one it views.
      if (reply === undefined)
        return [...found, ...(await this.#searchEach(table, queries.slice(from), topK, filter, signal))]
      if (reply.type !== 'found') throw new Error('the worker answered out of turn')
      const part = queries.slice(from, from + PART)
      for (let i = 0; i < part.length; i++) {
        if (pace.due()) await pace.pause()
        const keys = reply.keys.subarray(i * asked, i * asked + reply.counts[i]!)
        const slots = slotsOf(table, this, graph, keys, undefined, topK, candidates)
        // The graph may have been replaced meanwhile; its keys then stand for nothing.
        const stillInUse = this.#graph === graph && slots.length >= Math.min(topK, table.entries.size)
        found.push(
          stillInUse ? table.nearest(part[i]!, topK, slots) : searchTable(table, this, part[i]!, topK, undefined),
        )
      }
    }
    return found
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
    await this.#graph?.origin.host?.close()
    const host = await this.#batchHost?.host.catch(() => undefined)
    await host?.close()
    this.#graph = undefined
  }

  /** Whether it must be built from nothing: too many dead nodes, measured for a lower recall than is asked for now, or not at all. */
  #isPoor({ dead, size, report }: Graph): boolean {
    return dead > size * MOST_DEAD || report.target < this.#options.target || report.calibration.queries === 0
  }

  #start(work: () => Promise<void>): void {
    this.#touched.clear()
    this.#work = work()
      .then(
        () => {
          this.#failure = undefined
        },
        (error: unknown) => {
          this.#failure = error
          this.#pendingWhenFailed = this.keys.pendingCount
        },
      )
      .finally(() => {
        this.#work = undefined
        this.consider()
      })
  }

  async #build(fromNothing: boolean, signal: AbortSignal): Promise<void> {
    const { native, table, target, directory, workerUrl } = this.#options
    const previous = this.#graph
    const reusable = !fromNothing && previous?.origin.file !== undefined ? previous : undefined
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
        touched: this.#touched,
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
    await this.#batchHost?.host.then((host) => host.close()).catch(() => undefined)
    this.#batchHost = undefined
    // A file that is viewed stays readable without its name, except on Windows, where it goes when the folder does.
    const name = previous?.origin.file?.name
    if (previous?.origin.path !== undefined && name !== this.savedFile && name !== this.savingFile)
      await unlink(previous.origin.path).catch(() => undefined)
  }

  /** Measures the recall again on what is left of the truth, and sets the width of searches by it. */
  async #measure(graph: Graph): Promise<void> {
    const { target } = this.#options
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
      this.#closing.signal,
    )
    // A vector finds its neighbours more easily once it is in the graph: this widens searches, and never narrows them.
    const points = measured.points.map((point) => {
      const before = graph.candidates(point.topK)
      return { ...point, candidates: before === 0 || point.candidates === 0 ? 0 : Math.max(before, point.candidates) }
    })
    graph.remeasured(held.length > 0 ? { ...measured, points } : graph.calibration)
  }

  /** The same of a graph in a worker: what a candidate costs includes the way there and back. */
  async #measureCostsIn(host: GraphHost, graph: Graph): Promise<void> {
    const { table } = this.#options
    const slots = this.keys.known().slice(0, 1_024)
    if (slots.length < 64) return
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
    this.costs = { row: Math.min(...rows) / slots.length, candidate: Math.min(...asked) / candidates }
  }

  #heldVector(graph: Graph, key: number): Float32Array {
    const { table } = this.#options
    const vector = new Float32Array(table.dimensions)
    table.copyScaled(graph.slotOfKey[key]!, vector, 0)
    return vector
  }

  async #searchEach<M extends Metadata>(
    table: VectorTable<M>,
    queries: readonly PreparedQuery[],
    topK: number,
    filter: Filter | undefined,
    signal: AbortSignal | undefined,
  ): Promise<VectorMatch<M>[][]> {
    const pace = createPace(signal)
    const found: VectorMatch<M>[][] = []
    for (const query of queries) {
      if (pace.due()) await pace.pause()
      const isResident = this.#graph?.origin.host !== undefined
      found.push(
        isResident
          ? await searchResident(table, this, query, topK, filter)
          : searchTable(table, this, query, topK, filter),
      )
    }
    return found
  }

  async #hostOf(path: string, width: number): Promise<GraphHost | undefined> {
    if (this.#batchHost?.path !== path) {
      const host = startGraphHost(this.#options.workerUrl).then(async (started) => {
        await started.ask({ type: 'view', settings: this.settings, path, width })
        return started
      })
      this.#batchHost = { path, host }
    }
    return this.#batchHost.host.catch(() => undefined)
  }
}

import type { Metadata } from '../../document.ts'
import type { Filter } from '../../filter.ts'
import { createPace } from '../../internal/pace.ts'
import type { PreparedQuery, VectorTable } from '../../internal/vector-table.ts'
import type { VectorMatch } from '../../vector-index/vector-index.ts'
import { rescoredCount } from './calibration.ts'
import { type GraphHost, startGraphHost, unlessAborted } from './graph-host.ts'
import type { GraphKeeper } from './graph-keeper.ts'
import { searchResident } from './resident-search.ts'
import { directionOf, searchTable, slotsOf } from './search-table.ts'

/** Queries beyond which a batch goes to a worker. */
const BATCH = 64
/** Queries that go to a worker at once. */
const PART = 64

/** Many searches at once over the graph that a keeper has in use. */
export class ManySearches {
  readonly #keeper: GraphKeeper
  readonly #workerUrl: URL | string | undefined
  readonly #closing: AbortSignal
  #host: { readonly path: string; readonly host: Promise<GraphHost> } | undefined

  constructor(keeper: GraphKeeper, workerUrl: URL | string | undefined, closing: AbortSignal) {
    this.#keeper = keeper
    this.#workerUrl = workerUrl
    this.#closing = closing
  }

  /** Ends the worker; the next batch starts another. */
  async end(): Promise<void> {
    const last = this.#host
    this.#host = undefined
    await last?.host.then((host) => host.close()).catch(() => undefined)
  }

  /** In a worker where that pays, in steps on the caller otherwise. */
  async run<M extends Metadata>(
    table: VectorTable<M>,
    queries: readonly PreparedQuery[],
    topK: number,
    filter: Filter | undefined,
    signal: AbortSignal | undefined,
  ): Promise<VectorMatch<M>[][]> {
    const graph = this.#keeper.graph
    const candidates = graph?.candidates(topK) ?? 0
    const path = graph?.origin.path
    const plain =
      queries.length <= BATCH || filter !== undefined || candidates === 0 || queries.some((query) => query.extreme)
    if (plain || graph === undefined || path === undefined)
      return this.#searchEach(table, queries, topK, filter, signal)
    const host = await this.#hostOf(path, graph.width)
    if (host === undefined) return this.#searchEach(table, queries, topK, filter, signal)
    const wanted = Math.min(candidates, graph.size)
    const most = graph.dead > 0 ? wanted : rescoredCount(this.#keeper.settings, topK, wanted)
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
        if (signal?.aborted === true || this.#closing.aborted) throw error
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
        const slots = slotsOf(table, this.#keeper, graph, keys, undefined, topK, candidates)
        // The graph may have been replaced meanwhile; its keys then stand for nothing.
        const stillInUse = this.#keeper.graph === graph && slots.length >= Math.min(topK, table.entries.size)
        found.push(
          stillInUse
            ? table.nearest(part[i]!, topK, slots)
            : searchTable(table, this.#keeper, part[i]!, topK, undefined),
        )
      }
    }
    return found
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
      const isResident = this.#keeper.graph?.origin.host !== undefined
      found.push(
        isResident
          ? await searchResident(table, this.#keeper, query, topK, filter)
          : searchTable(table, this.#keeper, query, topK, filter),
      )
    }
    return found
  }

  async #hostOf(path: string, width: number): Promise<GraphHost | undefined> {
    if (this.#host?.path !== path) {
      const host = startGraphHost(this.#workerUrl).then(async (started) => {
        await started.ask({ type: 'view', settings: this.#keeper.settings, path, width })
        return started
      })
      this.#host = { path, host }
    }
    return this.#host.host.catch(() => undefined)
  }
}

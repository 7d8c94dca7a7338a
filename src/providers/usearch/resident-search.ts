import type { Metadata } from '../../document.ts'
import type { Filter } from '../../filter.ts'
import type { PreparedQuery, VectorTable } from '../../internal/vector-table.ts'
import type { VectorMatch } from '../../vector-index/vector-index.ts'
import type { GraphKeeper } from './graph-keeper.ts'
import { planSearch } from './planner.ts'
import { AGAINST, directionOf, isReached, planInput, scan, searchTable, slotsOf } from './search-table.ts'

/**
 * What `searchTable` does, with a graph that a worker holds because no file of it may be written. What changes while the
 * worker is asked shows in the answer; should the worker end, the scan answers.
 */
export async function searchResident<M extends Metadata>(
  table: VectorTable<M>,
  keeper: GraphKeeper,
  query: PreparedQuery,
  topK: number,
  filter: Filter | undefined,
  explain?: (note: string) => void,
): Promise<VectorMatch<M>[]> {
  const filtered = filter !== undefined
  const direction = directionOf(query, table.metric)
  let widened = 1
  for (;;) {
    const { graph } = keeper
    const host = graph?.origin.host
    if (graph === undefined || host === undefined) return searchTable(table, keeper, query, topK, filter, explain)
    const { count } = table.entries.allowed(filter)
    const plan = planSearch(planInput(graph, topK, count, table.entries.size), keeper.costs)
    const candidates = plan.kind === 'scan' ? 0 : Math.min(graph.size, plan.candidates * widened)
    if (query.extreme || plan.kind === 'scan' || (widened > 1 && candidates >= plan.limit))
      return scan(table, query, topK, table.entries.allowed(filter), explain)
    let keys: Uint32Array
    try {
      keys = await graph.nearestIn(host, direction, candidates)
    } catch (error) {
      keeper.lose(graph, error)
      return scan(table, query, topK, table.entries.allowed(filter), explain)
    }
    // Its keys stand for nothing once another graph is in use.
    if (keeper.graph !== graph) continue
    const allowed = table.entries.allowed(filter)
    const enough = Math.min(topK, allowed.count)
    const slots = slotsOf(table, keeper, graph, keys, filtered ? allowed : undefined, topK, candidates)
    const reached = !filtered || isReached(keeper, graph, keys, allowed, topK)
    if ((slots.length >= enough && reached) || (!filtered && candidates >= graph.size)) {
      explain?.(`graph in a worker: ${candidates} candidates, ${keeper.keys.pendingCount} recent entries scanned`)
      return table.nearest(query, topK, slots)
    }
    const isAgainst = !reached && candidates * allowed.count >= AGAINST * enough * table.entries.size
    if (isAgainst || keys.length >= graph.size) return scan(table, query, topK, allowed, explain)
    widened *= slots.length === 0 ? 4 : 2
  }
}

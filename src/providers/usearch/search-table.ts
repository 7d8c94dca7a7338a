import type { Metadata } from '../../document.ts'
import type { Filter } from '../../filter.ts'
import { hasBit, listBits } from '../../internal/bitset.ts'
import type { AllowedSlots } from '../../internal/entry-table.ts'
import type { PreparedQuery, VectorTable } from '../../internal/vector-table.ts'
import type { VectorMatch, VectorMetric } from '../../vector-index/vector-index.ts'
import { rescoredCount } from './calibration.ts'
import type { Graph } from './graph.ts'
import type { GraphKeeper } from './graph-keeper.ts'
import { type PlanInput, planSearch } from './planner.ts'

type Explain = ((note: string) => void) | undefined

/** One search: planned, answered by graph or scan, rescored from full precision together with what no graph holds yet. */
export function searchTable<M extends Metadata>(
  table: VectorTable<M>,
  keeper: GraphKeeper,
  query: PreparedQuery,
  topK: number,
  filter: Filter | undefined,
  explain?: Explain,
): VectorMatch<M>[] {
  const allowed = table.entries.allowed(filter)
  const { graph } = keeper
  // A query of extreme length could overflow inside the graph.
  if (graph === undefined || query.extreme) return scan(table, query, topK, allowed, explain)
  const total = table.entries.size
  const plan = planSearch(planInput(graph, topK, allowed.count, total), keeper.costs)
  if (plan.kind === 'scan') return scan(table, query, topK, allowed, explain)
  const filtered = filter !== undefined
  const enough = Math.min(topK, allowed.count)
  const direction = directionOf(query, table.metric)
  let { candidates } = plan
  for (;;) {
    // With dead nodes among them, or a filter, the first few are not enough.
    const most = filtered || graph.dead > 0 ? candidates : rescoredCount(keeper.settings, topK, candidates)
    const keys = graph.nearest(direction, candidates, most)
    const slots = slotsOf(table, keeper, graph, keys, filtered ? allowed : undefined, topK, candidates)
    const reached = !filtered || isReached(keeper, graph, keys, allowed, topK)
    if ((slots.length >= enough && reached) || (!filtered && candidates >= graph.size)) {
      explain?.(
        `graph: ${candidates} candidates, ${keeper.keys.pendingCount} recent entries scanned${share(allowed, total, filtered)}`,
      )
      return table.nearest(query, topK, slots)
    }
    // So many candidates and still too few allowed: what is near is what the filter excludes, and what lies behind it the
    // graph finds badly.
    const isAgainst = !reached && candidates * allowed.count >= AGAINST * enough * total
    // Where nothing near is allowed, doubling takes long to get there.
    candidates = Math.min(graph.size, candidates * (slots.length === 0 ? 4 : 2))
    if (isAgainst || candidates >= plan.limit || keys.length >= graph.size)
      return scan(table, query, topK, allowed, explain)
  }
}

/** What the planner knows of a search on a graph. */
export function planInput(graph: Graph, topK: number, allowed: number, total: number): PlanInput {
  const candidates = graph.candidates(topK)
  // What is allowed lies as far out as so many results of an unfiltered search.
  const isFiltered = allowed > 0 && allowed < total
  const filteredCandidates = isFiltered ? graph.candidates(Math.ceil((topK * total) / allowed)) : 0
  return { topK, allowed, total, candidates, filteredCandidates, size: graph.size }
}

/** A filter counts as directed against the query when this many times the results wanted should have been among the candidates. */
export const AGAINST = 8

/** Allowed candidates near the end of the list are less certain than those before: the last one wanted must come before it. */
const CERTAIN = 0.9

/** Whether the graph's list reaches far enough beyond its `topK`-th allowed candidate to be trusted. */
export function isReached(
  keeper: GraphKeeper,
  graph: Graph,
  keys: Uint32Array,
  allowed: AllowedSlots,
  topK: number,
): boolean {
  let found = 0
  for (let i = 0; i < keys.length * CERTAIN; i++) {
    const slot = graph.slotOfKey[keys[i]!]!
    if (keeper.keys.isCurrent(keys[i]!, slot) && hasBit(allowed.words, slot) && ++found === topK) return true
  }
  return false
}

/** The query as the graph takes it: near unit length under cosine, where short types would clip a long one. */
export function directionOf({ vector, scale }: PreparedQuery, metric: VectorMetric): Float32Array {
  if (metric !== 'cosine' || (scale > 0.999 && scale < 1.001)) return vector
  return vector.map((value) => value * scale)
}

/** The slots to be rescored: live, allowed ones among the keys, and every allowed one that no graph holds. */
export function slotsOf<M extends Metadata>(
  table: VectorTable<M>,
  keeper: GraphKeeper,
  graph: Graph,
  keys: Uint32Array,
  allowed: AllowedSlots | undefined,
  topK: number,
  candidates: number,
): Uint32Array {
  const pending = keeper.keys.pending()
  const most = rescoredCount(keeper.settings, topK, candidates)
  const slots = new Uint32Array(Math.min(most, keys.length) + pending.length)
  let count = 0
  // Without a dead node each key stands for what it stood for.
  if (allowed === undefined && graph.dead === 0)
    for (; count < most && count < keys.length; count++) slots[count] = graph.slotOfKey[keys[count]!]!
  else
    for (let i = 0; i < keys.length && count < most; i++) {
      const key = keys[i]!
      const slot = graph.slotOfKey[key]!
      if (keeper.keys.isCurrent(key, slot) && (allowed === undefined || hasBit(allowed.words, slot)))
        slots[count++] = slot
    }
  if (pending.length > 0) {
    for (const slot of pending) {
      if (allowed === undefined ? table.entries.isLive(slot) : hasBit(allowed.words, slot)) slots[count++] = slot
    }
  }
  return count === slots.length ? slots : slots.subarray(0, count)
}

/** The exact answer. */
export function scan<M extends Metadata>(
  table: VectorTable<M>,
  query: PreparedQuery,
  topK: number,
  allowed: AllowedSlots,
  explain: Explain,
): VectorMatch<M>[] {
  explain?.(`exact scan of ${allowed.count} of ${table.entries.size} entries`)
  return table.nearest(query, topK, listBits(allowed.words, allowed.count))
}

function share(allowed: AllowedSlots, total: number, filtered: boolean): string {
  return filtered ? `, filter allows ${allowed.count} of ${total}` : ''
}

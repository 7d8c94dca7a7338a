import type { Metadata } from '../../document.ts'
import type { VectorTable } from '../../internal/vector-table.ts'
import type { Graph } from './graph.ts'
import type { PlanCosts } from './planner.ts'

/** What a row and a candidate cost here and now, so that the planner compares like with like; undefined where too few are live. */
export function measureCosts(table: VectorTable<Metadata>, graph: Graph): PlanCosts | undefined {
  // Spread, and more than the nearest cache holds, as what a filter allows is.
  const some = Math.min(4_096, graph.size)
  const spread = Uint32Array.from({ length: some }, (_, i) => graph.slotOfKey[Math.floor((i * graph.size) / some)]!)
  const slots = spread.filter((slot) => table.entries.isLive(slot))
  if (slots.length < 64) return undefined
  // Several queries in turn: what a repeated one visits is in the caches already.
  const queries = Array.from({ length: 7 }, (_, i) =>
    table.prepare(table.vectorAt(slots[Math.floor((i * slots.length) / 7)]!)),
  )
  const timesOf = (run: (query: (typeof queries)[number]) => void) =>
    queries.map((query) => {
      const start = performance.now()
      run(query)
      return performance.now() - start
    })
  const candidates = Math.min(256, graph.size)
  const rows = timesOf((query) => table.nearest(query, 10, slots))
  const ask = () => timesOf(({ vector }) => graph.nearest(vector, candidates))
  // A file just viewed has no pages in memory: the second round counts.
  const [, asked] = [ask(), ask()]
  return { row: Math.min(...rows) / slots.length, candidate: asked.sort((a, b) => a - b)[3]! / candidates }
}

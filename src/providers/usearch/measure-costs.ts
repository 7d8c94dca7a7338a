import type { Metadata } from '../../document.ts'
import { nextTask } from '../../internal/pace.ts'
import type { VectorTable } from '../../internal/vector-table.ts'
import type { Graph } from './graph.ts'
import type { PlanCosts } from './planner.ts'

/** Queries that take turns: what a repeated one visits is in the caches already. */
const QUERIES = 7
/** Rows that are scored: more than the nearest cache holds. */
const ROWS = 4_096

/**
 * What a row and a candidate cost here and now, so that the planner compares like with like; undefined where too few are
 * live. Other work of the event loop runs between any two of its steps.
 */
export async function measureCosts(table: VectorTable<Metadata>, graph: Graph): Promise<PlanCosts | undefined> {
  // Spread, as what a filter allows is.
  const some = Math.min(ROWS, graph.size)
  const spread = Uint32Array.from({ length: some }, (_, i) => graph.slotOfKey[Math.floor((i * graph.size) / some)]!)
  const slots = spread.filter((slot) => table.entries.isLive(slot))
  if (slots.length < 64) return undefined
  const queries = Array.from({ length: QUERIES }, (_, i) =>
    table.prepare(table.vectorAt(slots[Math.floor((i * slots.length) / QUERIES)]!)),
  )
  const timesOf = async (run: (query: (typeof queries)[number]) => void) => {
    const times: number[] = []
    for (const query of queries) {
      await nextTask()
      const start = performance.now()
      run(query)
      times.push(performance.now() - start)
    }
    return times
  }
  const candidates = Math.min(256, graph.size)
  const rows = await timesOf((query) => table.nearest(query, 10, slots))
  const ask = () => timesOf(({ vector }) => graph.nearest(vector, candidates))
  // A file just viewed has no pages in memory: the second round counts.
  await ask()
  const asked = await ask()
  return { row: Math.min(...rows) / slots.length, candidate: asked.sort((a, b) => a - b)[3]! / candidates }
}

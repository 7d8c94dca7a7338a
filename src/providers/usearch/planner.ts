/** How a search is going to be answered. */
export type SearchPlan =
  | { readonly kind: 'scan' }
  | { readonly kind: 'graph'; readonly candidates: number; readonly limit: number }

/** What a planner compares: measured on this machine when the graph was published. */
export interface PlanCosts {
  /** Milliseconds to score one row. */
  readonly row: number
  /** Milliseconds a candidate of a graph search. */
  readonly candidate: number
}

/** What a planner knows of a search. */
export interface PlanInput {
  /** How many matches are wanted. */
  readonly topK: number
  /** Entries that the filter allows. */
  readonly allowed: number
  /** All live entries. */
  readonly total: number
  /** Candidates that an unfiltered search needs; 0 where only the scan reaches the recall. */
  readonly candidates: number
  /** Nodes of the graph. */
  readonly size: number
}

/** Allowed candidates that are wanted for each result, so that a filtered search sees as much as an unfiltered one. */
const OVERSAMPLING = 3

/**
 * Chooses between scanning the allowed entries and asking the graph for so many candidates that enough of them are
 * allowed. `limit` is where doubling stops and the scan takes over: when it would have been cheaper.
 */
export function planSearch(input: PlanInput, costs: PlanCosts): SearchPlan {
  const { topK, allowed, total, size } = input
  if (input.candidates === 0 || allowed <= topK || size === 0) return { kind: 'scan' }
  const share = allowed / total
  const oversampled = share === 1 ? 0 : Math.ceil((OVERSAMPLING * topK) / share)
  const candidates = Math.min(size, Math.max(input.candidates, oversampled))
  const limit = (allowed * costs.row) / costs.candidate
  return candidates >= limit ? { kind: 'scan' } : { kind: 'graph', candidates, limit }
}

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
  /** Candidates that an unfiltered search needs for as many results as leave `topK` allowed ones. */
  readonly filteredCandidates: number
  /** Nodes of the graph. */
  readonly size: number
}

/** Standard deviations that the allowed among the candidates may be short of what a filter independent of the query lets through. */
const SHORTFALL = 2

/**
 * Chooses between scanning the allowed entries and asking the graph for so many candidates that enough of them are
 * allowed. `limit` is where doubling stops and the scan takes over: when it would have been cheaper.
 */
export function planSearch(input: PlanInput, costs: PlanCosts): SearchPlan {
  const { topK, allowed, total, size } = input
  if (input.candidates === 0 || allowed <= topK || size === 0) return { kind: 'scan' }
  const share = allowed / total
  const oversampled = share === 1 ? 0 : candidatesWith(topK, share)
  const candidates = Math.min(size, Math.max(input.candidates, input.filteredCandidates, oversampled))
  const limit = (allowed * costs.row) / costs.candidate
  return candidates >= limit ? { kind: 'scan' } : { kind: 'graph', candidates, limit }
}

/** Candidates among which `topK` allowed ones are almost certain, each allowed with a probability of `share`. */
function candidatesWith(topK: number, share: number): number {
  // Of n candidates n·share are allowed, give or take √(n·share·(1 − share)): solved for n.
  const deviation = SHORTFALL * Math.sqrt(1 - share)
  const root = (deviation + Math.sqrt(deviation * deviation + 4 * topK)) / 2
  return Math.ceil((root * root) / share)
}

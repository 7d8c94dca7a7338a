import type { Candidate, CandidateOption } from './candidates.ts'
import type { PreparedParts } from './prepare-parts.ts'
import type { PromptMessage } from './prompt-assembler.ts'
import type { PromptCaching } from './prompt-caching.ts'

/**
 * The newest turns up to `share` tokens, and all older ones: two candidates, each with an option a cut. Turns that compete by
 * themselves are not among them. With `cache`, a conversation that goes on from an earlier cut is kept from there on, or cut where
 * that lasts. `stable` is what stands before the history.
 */
export function historyCandidates(
  parts: PreparedParts,
  share: number,
  stable: number,
  costOf: (turn: readonly PromptMessage[]) => number,
  cache: PromptCaching | undefined,
): readonly Candidate[] {
  const cuts: CandidateOption[] = []
  const ids: string[] = []
  let cost = 0
  for (let from = parts.history.length - 1; from >= parts.historyStart; from--) {
    const { id, forms } = parts.history[from]!
    if (parts.alone(id)) continue
    cost += costOf(forms[0]!)
    ids.unshift(id)
    cuts.push({ cost, utility: ids.length, effects: [{ type: 'history', from }] })
  }
  const lasting = parts.continued ? cache?.lasting : undefined
  const kept = cuts.filter((cut) => cut.cost === cost || (lasting?.(cut.cost, cost, ids.length, stable) ?? true))
  const recent = kept.filter((cut) => cut.cost <= share)
  const taken = recent.at(-1)?.cost ?? 0
  const older = kept.slice(recent.length).map((cut) => ({ ...cut, cost: cut.cost - taken }))
  const base = { source: false, ids, required: false, ...(lasting && { reason: 'cut' as const }) }
  return [
    { ...base, key: 'history', priority: 20, options: recent },
    { ...base, key: 'history older', priority: 5, options: older },
  ].filter(({ options }) => options.length > 0)
}

import type { AbortOptions } from '../document.ts'
import type { DriftReport } from './drift-monitor.ts'

/** What to do about a report. */
export type DriftAction = 'none' | 'sync' | 'review-embedder' | 'rebuild-index'

/**
 * What a report asks for: `sync` when sources changed, `review-embedder` when words or vectors left what the embedder was
 * chosen for, `rebuild-index` when canaries fail though nothing else moved.
 */
export function driftActions({ tests, canaries, stale }: DriftReport): readonly DriftAction[] {
  const actions: DriftAction[] = []
  if (stale.some(({ reason }) => reason === 'source')) actions.push('sync')
  if (tests.some(({ alarm }) => alarm)) actions.push('review-embedder')
  else if (canaries.length > 0) actions.push('rebuild-index')
  return actions.length === 0 ? ['none'] : actions
}

/** What carries out each action. One that is absent leaves its action undone. */
export type DriftHandlers = {
  readonly [A in Exclude<DriftAction, 'none'>]?: (report: DriftReport, options: AbortOptions) => Promise<void>
}

/** What became of an action: `failed` when its handler threw. */
export interface DriftOutcome {
  /** The action. */
  readonly action: Exclude<DriftAction, 'none'>
  /** Whether it was carried out; `undone` without a handler. */
  readonly outcome: 'done' | 'failed' | 'undone'
  /** Why it failed. */
  readonly error?: unknown
}

/**
 * A refresh policy: carries out what {@link driftActions} says a report asks for, one action after the other, `sync`
 * first. An action that fails does not keep the others from being tried. Throws only the abort reason.
 *
 * @example
 * ```ts
 * import { actOnDrift } from 'groundline/evaluation'
 *
 * const outcomes = await actOnDrift(await monitor.report(check), {
 *   sync: async () => void (await ground.sync(docs)),
 *   'review-embedder': async ({ tests }) => notify(tests),
 * })
 * ```
 */
export async function actOnDrift(
  report: DriftReport,
  handlers: DriftHandlers,
  { signal }: AbortOptions = {},
): Promise<readonly DriftOutcome[]> {
  const outcomes: DriftOutcome[] = []
  for (const action of driftActions(report)) {
    signal?.throwIfAborted()
    if (action === 'none') continue
    const handler = handlers[action]
    if (!handler) {
      outcomes.push({ action, outcome: 'undone' })
      continue
    }
    try {
      await handler(report, { signal })
      outcomes.push({ action, outcome: 'done' })
    } catch (error) {
      signal?.throwIfAborted()
      outcomes.push({ action, outcome: 'failed', error })
    }
  }
  return outcomes
}

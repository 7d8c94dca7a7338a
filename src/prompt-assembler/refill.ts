import type { AssemblerSettings } from './assembler-settings.ts'
import { ABSENT, type Candidate, sourcesOf } from './candidates.ts'
import type { Composition, Draft } from './compose.ts'
import { type Selection, wholeRecent } from './select.ts'

/** What was chosen, as it stands in the prompt. */
export interface Layout {
  readonly selection: Selection
  readonly draft: Draft
  readonly composition: Composition
  /** The payload's tokens. */
  readonly total: number
}

/**
 * Puts in what still fits, until nothing does: what was chosen may cost less than its parts were thought to, a passage may be one
 * that shares its text with those shown, and one that a cap, a twin or a neighbour was to stand for may find their place free.
 * `numbers` says what the numbers of so many sources cost beyond the costs of the candidates; whatever their order, they are
 * the numbers from 1 on.
 */
export function refill(
  chosen: Layout,
  candidates: readonly Candidate[],
  { caps }: AssemblerSettings,
  budget: number,
  numbers: readonly number[],
  draftOf: (selection: Selection) => Draft,
  layOut: (selection: Selection, draft: Draft) => Layout,
): Layout {
  let layout = chosen
  const ordered = candidates.toSorted((a, b) => b.priority - a.priority || (a.key < b.key ? -1 : 1))
  /** Whether each try is laid out: costs are taken at their word until a sum of them is over the budget. */
  let exact = false
  for (let again = true; again; ) {
    again = false
    let [now, stale] = [layout, false]
    for (const candidate of ordered) {
      const { key, options, source } = candidate
      const { selection } = now
      if (key === 'history older' && !wholeRecent(candidates, selection)) continue
      const has = selection.get(key) ?? ABSENT
      const shown = now.draft.sources.length
      const rest = now.total - has.cost - numbers[shown]!
      const others = shown - sourcesOf(has.effects).length
      for (const option of [...options.toReversed(), ...(candidate.more?.(has) ?? [])]) {
        // Beside what is shown, a passage that meets it may cost less than by itself.
        const sources = sourcesOf(option.effects)
        const shares = sources.some(({ draft }) => draft.meets)
        const total = rest + option.cost + numbers[others + sources.length]!
        if (option === has || option.utility < has.utility || (total > budget && !shares)) continue
        const more = new Map(selection).set(key, option)
        const draft = draftOf(more)
        // A passage whose text is there already adds nothing.
        if ((source && shownOf(draft) <= shownOf(now.draft)) || caps?.within(draft.sources) === false) continue
        const sure = !exact && !shares
        const tried = sure ? { ...now, selection: more, draft, total } : layOut(more, draft)
        if (tried.total > budget) continue
        now = tried
        stale = sure
        again = true
        break
      }
    }
    if (stale) now = layOut(now.selection, now.draft)
    exact ||= now.total > budget
    if (now.total <= budget) layout = now
  }
  return layout
}

/** How much is shown: rises with each part, each title and each place of a document. */
function shownOf({ sources, forms }: Draft): number {
  let shown = forms.size
  for (const { form } of sources) {
    if (form.shown.length === 0) shown++
    for (const { start, end } of form.shown) shown += 2 * (end - start)
  }
  return shown
}

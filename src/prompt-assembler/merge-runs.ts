import type { Span } from '../document.ts'
import { fullForm, type ShownSource, type SourceDraft } from './source-block.ts'

/** Overlapping passages shown together: each run of overlapping members is one source. */
export interface ClusterChoice {
  /** The sources. */
  readonly runs: readonly SourceDraft[]
  /** The members' worth, an overlap counted once, for the better of the two; never less than that of some of them. */
  readonly utility: number
}

/**
 * Every way to show some of a few overlapping passages of a document, at most five: a span that two of them share is shown
 * once. `utilityOf` is what a member is worth by itself.
 */
export function clusterChoices(
  cluster: readonly SourceDraft[],
  utilityOf: (draft: SourceDraft) => number,
): readonly ClusterChoice[] {
  const byPlace = cluster.toSorted((a, b) => a.start - b.start || a.rank - b.rank)
  const ways: (ClusterChoice & { readonly covered: number })[] = [{ runs: [], utility: 0, covered: 0 }]
  return Array.from({ length: (1 << byPlace.length) - 1 }, (_, index) => index + 1).flatMap((subset) => {
    const members = byPlace.filter((_, index) => subset & (1 << index))
    const runs = runsOf(members)
    let [utility, covered] = [0, 0]
    for (const member of members.toSorted((a, b) => a.rank - b.rank)) {
      let all = 0
      for (const { start, end } of runsOf(members.filter(({ rank }) => rank <= member.rank))) all += end - start
      utility += utilityOf(member) * ((all - covered) / (member.end - member.start))
      covered = all
    }
    const fewer = ways.filter((_, other) => (subset & other) === other && other > 0)
    utility = Math.max(utility, ...fewer.map((way) => way.utility))
    ways.push({ runs, utility, covered })
    // One that some of its members show as well is none.
    const same = fewer.some(
      (way) => way.covered === covered && way.runs.length === runs.length && way.utility >= utility,
    )
    return same ? [] : { runs, utility }
  })
}

/**
 * Sources as they stand in a prompt, however they were chosen: of twins one, and overlapping ones of a document as one, or, where
 * one of them is shortened, without what another shows.
 */
export function untangle(sources: readonly ShownSource[], twins: ReadonlyMap<string, string>): readonly ShownSource[] {
  const texts = new Set<string>()
  const byDocument = new Map<string, ShownSource[]>()
  const ranked = sources.toSorted(
    ({ draft: a }, { draft: b }) => b.chunkIds.length - a.chunkIds.length || a.rank - b.rank,
  )
  for (const source of ranked) {
    const { chunkIds, document } = source.draft
    const same = chunkIds.map((id) => twins.get(`passage:${id}`) ?? `passage:${id}`)
    if (same.some((id) => texts.has(id))) continue
    for (const id of same) texts.add(id)
    byDocument.set(document, [...(byDocument.get(document) ?? []), source])
  }
  return [...byDocument.values()].flatMap((list) => {
    const whole = list.filter(({ form }) => form.form === 'full').map(({ draft }) => draft)
    const shown = runsOf(whole.sort((a, b) => a.start - b.start || a.rank - b.rank)).map(
      (draft): ShownSource => ({ draft, form: fullForm(draft) }),
    )
    for (const { draft, form } of list) {
      if (form.form === 'full') continue
      let rest = form.shown
      for (const other of shown)
        for (const { start, end } of other.form.shown)
          rest = without(rest, other.draft.start + start - draft.start, other.draft.start + end - draft.start)
      if (rest.length > 0 || form.shown.length === 0) shown.push({ draft, form: { ...form, shown: rest } })
    }
    return shown
  })
}

/** What spans hold outside of another. */
function without(spans: readonly Span[], from: number, to: number): readonly Span[] {
  return spans
    .flatMap(({ start, end }) => [
      { start, end: Math.min(end, from) },
      { start: Math.max(start, to), end },
    ])
    .filter(({ start, end }) => start < end)
}

/** Members by place, the ones that overlap joined. */
function runsOf(members: readonly SourceDraft[]): readonly SourceDraft[] {
  const runs: SourceDraft[] = []
  for (const member of members) {
    const last = runs.at(-1)
    if (last !== undefined && member.start < last.end) runs[runs.length - 1] = join(last, member)
    else runs.push(member)
  }
  return runs
}

function join(first: SourceDraft, second: SourceDraft): SourceDraft {
  const better = second.rank < first.rank ? second : first
  return {
    best: better.best,
    chunkIds: [...first.chunkIds, ...second.chunkIds],
    text: first.text + second.text.slice(Math.max(0, first.end - second.start)),
    start: first.start,
    end: Math.max(first.end, second.end),
    // Of two tiers the lower.
    trust:
      (['suspect', 'untrusted'] as const).find((tier) => tier === first.trust || tier === second.trust) ?? 'trusted',
    rank: better.rank,
    document: first.document,
    meets: first.meets === true || second.meets === true,
  }
}

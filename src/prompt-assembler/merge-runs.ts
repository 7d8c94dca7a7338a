import type { SourceDraft } from './source-block.ts'

/** Overlapping passages shown together: each run of overlapping members is one source. */
export interface ClusterChoice {
  /** The sources. */
  readonly runs: readonly SourceDraft[]
  /** The members' worth, an overlap counted once, for the better of the two. */
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
  const byPlace = [...cluster].sort((a, b) => a.start - b.start || a.rank - b.rank)
  const choices: ClusterChoice[] = []
  for (let subset = 1; subset < 1 << byPlace.length; subset++) {
    const members = byPlace.filter((_, index) => subset & (1 << index))
    const runs: SourceDraft[] = []
    for (const member of members) {
      const last = runs.at(-1)
      if (last !== undefined && member.start < last.end) runs[runs.length - 1] = join(last, member)
      else runs.push(member)
    }
    choices.push({ runs, utility: sharedUtility(members, utilityOf) })
  }
  return choices
}

function join(first: SourceDraft, second: SourceDraft): SourceDraft {
  const better = second.rank < first.rank ? second : first
  const offset = second.start - first.start
  return {
    best: better.best,
    chunkIds: [...first.chunkIds, ...second.chunkIds],
    text: first.text + second.text.slice(Math.max(0, first.end - second.start)),
    start: first.start,
    end: Math.max(first.end, second.end),
    trust: worse(first.trust, second.trust),
    rank: better.rank,
    removed: [
      ...first.removed,
      ...second.removed
        .map((span) => ({ start: span.start + offset, end: span.end + offset }))
        .filter((span) => span.start >= first.end - first.start),
    ],
  }
}

function worse(a: SourceDraft['trust'], b: SourceDraft['trust']): SourceDraft['trust'] {
  return (['suspect', 'untrusted'] as const).find((tier) => tier === a || tier === b) ?? 'trusted'
}

function sharedUtility(members: readonly SourceDraft[], utilityOf: (draft: SourceDraft) => number): number {
  let utility = 0
  const claimed: SourceDraft[] = []
  for (const member of [...members].sort((a, b) => a.rank - b.rank)) {
    let fresh = member.end - member.start
    let at = member.start
    for (const other of claimed.toSorted((a, b) => a.start - b.start)) {
      const from = Math.max(other.start, at)
      const to = Math.min(other.end, member.end)
      if (to <= from) continue
      fresh -= to - from
      at = to
    }
    utility += (utilityOf(member) * fresh) / (member.end - member.start)
    claimed.push(member)
  }
  return utility
}

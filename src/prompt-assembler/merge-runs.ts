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
  const byPlace = cluster.toSorted((a, b) => a.start - b.start || a.rank - b.rank)
  const choices: ClusterChoice[] = []
  for (let subset = 1; subset < 1 << byPlace.length; subset++) {
    const members = byPlace.filter((_, index) => subset & (1 << index))
    let [utility, covered] = [0, 0]
    for (const member of members.toSorted((a, b) => a.rank - b.rank)) {
      const all = lengthOf(runsOf(members.filter(({ rank }) => rank <= member.rank)))
      utility += (utilityOf(member) * (all - covered)) / (member.end - member.start)
      covered = all
    }
    choices.push({ runs: runsOf(members), utility })
  }
  return choices
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

function lengthOf(runs: readonly SourceDraft[]): number {
  return runs.reduce((sum, { start, end }) => sum + end - start, 0)
}

function join(first: SourceDraft, second: SourceDraft): SourceDraft {
  const better = second.rank < first.rank ? second : first
  return {
    best: better.best,
    chunkIds: [...first.chunkIds, ...second.chunkIds],
    text: first.text + second.text.slice(Math.max(0, first.end - second.start)),
    start: first.start,
    end: Math.max(first.end, second.end),
    trust: worse(first.trust, second.trust),
    rank: better.rank,
  }
}

function worse(a: SourceDraft['trust'], b: SourceDraft['trust']): SourceDraft['trust'] {
  return (['suspect', 'untrusted'] as const).find((tier) => tier === a || tier === b) ?? 'trusted'
}

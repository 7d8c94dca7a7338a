import type { Passage } from '../document.ts'
import { describe } from '../internal/argument.ts'
import type { AssemblerSettings } from './assembler-settings.ts'
import type { Omission } from './prompt-assembler.ts'
import type { SourceDraft } from './source-block.ts'

/** Passages that compete for room. */
export interface MergedPassages {
  /** Groups of overlapping passages; by best score, ties by id. */
  readonly clusters: readonly (readonly SourceDraft[])[]
  /** Passages of the same text: from part id to the id of the one that stands for all of them. */
  readonly twins: ReadonlyMap<string, string>
  /** Passages without text. */
  readonly omitted: readonly Omission[]
}

/** Overlapping passages are shown in every combination up to this number. */
const LARGEST_CLUSTER = 5

/**
 * Finds twins (the same text under another id) and groups passages of one document version whose spans overlap. Groups of more
 * than five are parted, and passages bound to other parts stand by themselves; where such groups meet, what is shown
 * of them is joined in the end. Nothing with a text is taken out: what stands for what is known only when it is known what fits.
 */
export function mergePassages(
  passages: readonly Passage[],
  { memo, trustOf }: AssemblerSettings,
  bound: (id: string) => boolean,
  needed: ReadonlySet<string>,
  fail: (problem: string) => never,
): MergedPassages {
  const ids = new Set<string>()
  for (const passage of passages) {
    checkPassage(passage, fail)
    if (ids.has(passage.id)) fail(`two passages have the id ${describe(passage.id)}`)
    ids.add(passage.id)
  }
  const omitted: Omission[] = []
  const byDocument = new Map<string, SourceDraft[]>()
  const byText = new Map<string, string[]>()
  const sorted = [...passages].sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1))
  for (const [rank, best] of sorted.entries()) {
    const { text, start, end } = best
    const id = `passage:${best.id}`
    const { plain } = memo(text)
    if (plain === '') {
      omitted.push({ id, reason: 'duplicate' })
      continue
    }
    const document = JSON.stringify([best.documentId, best.documentVersion])
    const others = byDocument.get(document) ?? []
    for (const other of others) checkAgreement(best, other, fail)
    const draft = { best, chunkIds: [best.id], text, start, end, trust: trustOf(best), rank, document }
    others.push(draft)
    byDocument.set(document, others)
    byText.set(plain, [...(byText.get(plain) ?? []), id])
  }
  const twins = new Map<string, string>()
  const alone = new Set([...ids].map((id) => `passage:${id}`).filter(bound))
  for (const same of byText.values()) {
    const first = same.find(bound) ?? same[0]!
    for (const id of same) {
      if (id !== first) twins.set(id, first)
      if (needed.has(id)) alone.add(first).add(id)
    }
  }
  const clusters = [...byDocument.values()].flatMap((drafts) => overlapping(drafts, alone, twins))
  const bestOf = (cluster: readonly SourceDraft[]) => Math.min(...cluster.map(({ rank }) => rank))
  return { clusters: clusters.sort((a, b) => bestOf(a) - bestOf(b)), twins, omitted }
}

/**
 * Groups drafts of one document whose spans overlap, without those that stand apart, and says of those that may share their text
 * with another group that they meet.
 */
function overlapping(
  drafts: readonly SourceDraft[],
  apart: ReadonlySet<string>,
  twins: ReadonlyMap<string, string>,
): readonly (readonly SourceDraft[])[] {
  const groups: SourceDraft[][] = []
  const meets = new Set<SourceDraft[]>()
  /** The group that others may join, and the one that reaches furthest. */
  let [open, furthest]: [SourceDraft[], SourceDraft[]] = [[], []]
  let [end, reach] = [-1, -1]
  for (const draft of drafts.toSorted((a, b) => a.start - b.start || a.rank - b.rank)) {
    const id = `passage:${draft.best.id}`
    const alone = apart.has(id)
    const joins = !alone && draft.start < end && open.length < LARGEST_CLUSTER
    const group = joins ? open : [draft]
    if (joins) open.push(draft)
    else groups.push(group)
    if (!alone) {
      end = joins ? Math.max(end, draft.end) : draft.end
      open = group
    }
    if (alone && (twins.has(id) || [...twins.values()].includes(id))) meets.add(group)
    if (draft.start < reach && furthest !== group) meets.add(group).add(furthest)
    if (draft.end > reach) [furthest, reach] = [group, draft.end]
  }
  return groups.map((group) => (meets.has(group) ? group.map((draft) => ({ ...draft, meets: true })) : group))
}

function checkPassage(passage: Passage, fail: (problem: string) => never): void {
  const { id, text, start, end, score } = passage
  if (!Number.isFinite(score)) fail(`score of passage ${describe(id)} must be a finite number, got ${describe(score)}`)
  if (!Number.isInteger(start) || start < 0 || end - start !== text.length)
    fail(
      `passage ${describe(id)} says it is span ${start}–${end} of ${describe(passage.documentId)}, but its text has ${text.length} units`,
    )
}

/** Two spans of one version of a document must show the same text where they overlap. */
function checkAgreement(passage: Passage, other: SourceDraft, fail: (problem: string) => never): void {
  const from = Math.max(passage.start, other.start)
  const to = Math.min(passage.end, other.end)
  if (from >= to) return
  if (
    passage.text.slice(from - passage.start, to - passage.start) !==
    other.text.slice(from - other.start, to - other.start)
  )
    fail(
      `passages ${describe(passage.id)} and ${describe(other.best.id)} show different texts for span ${from}–${to} of ${describe(passage.documentId)}`,
    )
}

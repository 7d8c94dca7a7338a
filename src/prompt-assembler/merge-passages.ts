import type { Passage } from '../document.ts'
import { describe } from '../internal/argument.ts'
import type { AssemblerSettings } from './assembler-settings.ts'
import type { Omission, PartSettings } from './prompt-assembler.ts'
import type { SourceDraft } from './source-block.ts'
import type { TextMemo } from './text-memo.ts'

/** Passages that compete for room, without twins. */
export interface MergedPassages {
  /** By best score, ties by id. */
  readonly clusters: readonly (readonly SourceDraft[])[]
  /** Twins, and what a cap left out. */
  readonly omitted: readonly Omission[]
}

/** Overlapping passages are shown in every combination up to this number. */
const LARGEST_CLUSTER = 5

/**
 * Takes out twins (the same text under another id) and what the caps leave out, and groups passages of one document version
 * whose spans overlap. Groups of more than five, and members bound to other parts, are
 * cut apart by place.
 */
export function mergePassages(
  passages: readonly Passage[],
  settings: AssemblerSettings,
  memo: TextMemo,
  settingsOf: (id: string) => PartSettings,
  fail: (problem: string) => never,
): MergedPassages {
  const ids = new Set<string>()
  for (const passage of passages) {
    checkPassage(passage, fail)
    if (ids.has(passage.id)) fail(`two passages have the id ${describe(passage.id)}`)
    ids.add(passage.id)
  }
  const sorted = [...passages].sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1))
  const omitted: Omission[] = []
  const byDocument = new Map<string, SourceDraft[]>()
  const byText = new Map<string, string>()
  let rank = 0
  for (const passage of sorted) {
    const id = `passage:${passage.id}`
    const plain = memo(passage.text).plain
    const twin = byText.get(plain)
    if (twin !== undefined || plain === '') {
      omitted.push({ id, reason: 'duplicate', ...(twin === undefined ? {} : { instead: twin }) })
      continue
    }
    const key = JSON.stringify([passage.documentId, passage.documentVersion])
    const others = byDocument.get(key) ?? []
    for (const other of others) checkAgreement(passage, other, fail)
    if (rank >= settings.maxPassages || others.length >= settings.maxPerDocument) {
      if (settingsOf(passage.id).required === true) fail(`${id} is required and beyond maxPassages or maxPerDocument`)
      omitted.push({ id, reason: 'limit' })
      continue
    }
    const { text, start, end } = passage
    const trust = settings.trustOf(passage)
    others.push({
      best: passage,
      chunkIds: [passage.id],
      text,
      start,
      end,
      trust,
      rank: rank++,
    })
    byDocument.set(key, others)
    byText.set(plain, id)
  }
  const bound = ({ best }: SourceDraft) => {
    const { group, requires, required } = settingsOf(best.id)
    return group !== undefined || requires !== undefined || required !== undefined
  }
  const clusters = [...byDocument.values()].flatMap((drafts) => overlapping(drafts, bound, omitted))
  const bestOf = (cluster: readonly SourceDraft[]) => cluster.reduce((best, draft) => Math.min(best, draft.rank), rank)
  return { clusters: clusters.sort((a, b) => bestOf(a) - bestOf(b)), omitted }
}

/**
 * Groups drafts of one document whose spans overlap. Where a group is full, or a member is bound to other parts, the next group
 * begins with what the one before does not show.
 */
function overlapping(
  drafts: readonly SourceDraft[],
  bound: (draft: SourceDraft) => boolean,
  omitted: Omission[],
): readonly (readonly SourceDraft[])[] {
  const groups: SourceDraft[][] = []
  let [end, shown, alone] = [-1, -1, false]
  for (const draft of [...drafts].sort((a, b) => a.start - b.start || a.rank - b.rank)) {
    const last = groups.at(-1)
    const joins = draft.start < end && last!.length < LARGEST_CLUSTER && !alone && !bound(draft)
    if (!joins) shown = end
    const rest = shown > draft.start ? cut(draft, Math.min(shown, draft.end)) : draft
    if (rest.text.trim() === '') {
      omitted.push({ id: `passage:${draft.best.id}`, reason: 'overlap', instead: `passage:${last!.at(-1)!.best.id}` })
      continue
    }
    if (joins) last!.push(rest)
    else {
      groups.push([rest])
      alone = bound(draft)
    }
    end = Math.max(end, draft.end)
  }
  return groups
}

/** A draft from a place of the document on. */
function cut(draft: SourceDraft, start: number): SourceDraft {
  return { ...draft, start, text: draft.text.slice(start - draft.start) }
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

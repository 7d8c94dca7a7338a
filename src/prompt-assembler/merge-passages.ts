import type { Passage, Span } from '../document.ts'
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

/** Overlapping passages are shown in every combination up to this number; of more, the worse ones keep what is left. */
const LARGEST_CLUSTER = 5

/**
 * Takes out twins (the same text under another id) and what the caps leave out, and groups passages of one document version
 * whose spans overlap. Members of a group that is too large, or that are bound to other parts, are cut to what the better
 * ones do not show.
 */
export function mergePassages(
  passages: readonly Passage[],
  settings: AssemblerSettings,
  removedFrom: (text: string) => readonly Span[],
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
    const plain = memo.known(passage.text).plain
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
      removed: removedFrom(text),
    })
    byDocument.set(key, others)
    byText.set(plain, id)
  }
  const bound = ({ best }: SourceDraft) => {
    const { group, requires, required } = settingsOf(best.id)
    return group !== undefined || requires !== undefined || required !== undefined
  }
  const clusters: (readonly SourceDraft[])[] = []
  for (const drafts of byDocument.values())
    for (const cluster of overlapping(drafts)) {
      if (cluster.length <= LARGEST_CLUSTER && (cluster.length === 1 || !cluster.some(bound))) clusters.push(cluster)
      else clusters.push(...cutApart(cluster, omitted, settingsOf, fail))
    }
  const bestOf = (cluster: readonly SourceDraft[]) => cluster.reduce((best, draft) => Math.min(best, draft.rank), rank)
  return { clusters: clusters.sort((a, b) => bestOf(a) - bestOf(b)), omitted }
}

/** Groups drafts of one document whose spans overlap, directly or through others. */
function overlapping(drafts: readonly SourceDraft[]): readonly (readonly SourceDraft[])[] {
  const groups: SourceDraft[][] = []
  let end = -1
  for (const draft of [...drafts].sort((a, b) => a.start - b.start || a.rank - b.rank)) {
    if (draft.start < end) groups.at(-1)!.push(draft)
    else groups.push([draft])
    end = Math.max(end, draft.end)
  }
  return groups
}

/** Leaves each draft what the better ones do not show. */
function cutApart(
  cluster: readonly SourceDraft[],
  omitted: Omission[],
  settingsOf: (id: string) => PartSettings,
  fail: (problem: string) => never,
): readonly (readonly SourceDraft[])[] {
  const kept: SourceDraft[] = []
  for (const draft of [...cluster].sort((a, b) => a.rank - b.rank)) {
    let { start, end } = draft
    let over: SourceDraft | undefined
    for (const other of kept) {
      if (other.start >= end || other.end <= start) continue
      over = other
      if (other.start <= start) start = Math.min(other.end, end)
      else end = other.start
    }
    const [from, to] = [start - draft.start, end - draft.start]
    const text = draft.text.slice(from, to)
    if (text.trim() !== '') {
      const removed = draft.removed.map((span) => ({ start: span.start - from, end: span.end - from }))
      kept.push({
        ...draft,
        start,
        end,
        text,
        removed: removed.filter((span) => span.end > 0 && span.start < text.length),
      })
      continue
    }
    const id = `passage:${draft.best.id}`
    if (settingsOf(draft.best.id).required === true) fail(`${id} is required, but better passages show all of it`)
    omitted.push({ id, reason: 'overlap', ...(over && { instead: `passage:${over.best.id}` }) })
  }
  return kept.map((draft) => [draft])
}

function checkPassage(passage: Passage, fail: (problem: string) => never): void {
  const { id, text, start, end, score } = passage
  if (!Number.isFinite(score)) fail(`score of passage ${describe(id)} must be a finite number, got ${describe(score)}`)
  if (!Number.isInteger(start) || start < 0 || end - start !== text.length)
    fail(
      `passage ${describe(id)} says it is span ${start}–${end} of document ${describe(passage.documentId)}, but its text has ${text.length} units; pass chunks as the chunker made them`,
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
      `passages ${describe(passage.id)} and ${describe(other.best.id)} show different texts for span ${from}–${to} of document ${describe(passage.documentId)}; one of them does not match its document`,
    )
}

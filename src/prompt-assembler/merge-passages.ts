import type { Passage, Span } from '../document.ts'
import { describe } from '../internal/argument.ts'
import type { AssemblerSettings } from './assembler-settings.ts'
import type { Omission, PartSettings } from './prompt-assembler.ts'
import type { SourceDraft } from './source-block.ts'

/** Passages that compete for room, without twins. */
export interface MergedPassages {
  /** By best score, ties by id. */
  readonly clusters: readonly (readonly SourceDraft[])[]
  /** Twins, and what a cap left out. */
  readonly omitted: readonly Omission[]
}

/**
 * Takes out passages that say nothing of their own: the same span of the same document, a span inside a better one's, the
 * same text elsewhere. Of partial overlaps the worse passage keeps what the better ones do not show. Then the caps.
 */
export function mergePassages(
  passages: readonly Passage[],
  settings: AssemblerSettings,
  removedFrom: (text: string) => readonly Span[],
  settingsOf: (id: string) => PartSettings,
  fail: (problem: string) => never,
): MergedPassages {
  for (const passage of passages) checkPassage(passage, fail)
  const sorted = [...passages].sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))
  const omitted: Omission[] = []
  const drafts: SourceDraft[] = []
  const byDocument = new Map<string, SourceDraft[]>()
  const byText = new Map<string, SourceDraft>()
  for (const passage of sorted) {
    const id = `passage:${passage.id}`
    const key = JSON.stringify([passage.documentId, passage.documentVersion])
    const shown = byDocument.get(key) ?? []
    const plain = passage.text.replace(/\s+/g, ' ').trim()
    const twin = byText.get(plain)
    if (twin !== undefined) {
      omitted.push({ id, reason: 'duplicate', instead: `passage:${twin.best.id}` })
      continue
    }
    let [start, end] = [passage.start, passage.end]
    let over: SourceDraft | undefined
    for (const other of shown) {
      if (other.start >= end || other.end <= start) continue
      checkAgreement(passage, other, fail)
      over = other
      if (other.start <= start && other.end >= end) [start, end] = [0, 0]
      else if (other.start <= start) start = other.end
      else end = Math.min(end, other.start)
    }
    if (end <= start || passage.text.slice(start - passage.start, end - passage.start).trim() === '') {
      omitted.push({
        id,
        reason: over === undefined ? 'duplicate' : 'overlap',
        ...(over && { instead: `passage:${over.best.id}` }),
      })
      continue
    }
    if (drafts.length >= settings.maxPassages || shown.length >= settings.maxPerDocument) {
      if (settingsOf(passage.id).required === true) fail(`${id} is required and beyond maxPassages or maxPerDocument`)
      omitted.push({ id, reason: 'limit' })
      continue
    }
    const text = passage.text.slice(start - passage.start, end - passage.start)
    const draft: SourceDraft = {
      best: passage,
      chunkIds: [passage.id],
      text,
      start,
      end,
      trust: settings.trustOf(passage),
      rank: drafts.length,
      removed: removedFrom(text),
    }
    drafts.push(draft)
    byText.set(plain, draft)
    byDocument.set(key, [...shown, draft])
  }
  return { clusters: drafts.map((draft) => [draft]), omitted }
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
  if (
    passage.text.slice(from - passage.start, to - passage.start) !==
    other.text.slice(from - other.start, to - other.start)
  )
    fail(
      `passages ${describe(passage.id)} and ${describe(other.best.id)} show different texts for span ${from}–${to} of document ${describe(passage.documentId)}; one of them does not match its document`,
    )
}

import type { Passage, Span } from '../document.ts'
import { type EscapedPiece, escapeLabel } from './escape-text.ts'
import type { PromptSource, TrustTier } from './prompt-assembler.ts'
import { type Segment, segmentTokens, segmentWriter } from './segment.ts'
import type { KnownText, TextMemo } from './text-memo.ts'

/** A source as it competes for room: one passage, or overlapping ones of a document shown as one. */
export interface SourceDraft extends Span {
  /** The best of the passages; ties by id. */
  readonly best: Passage
  /** Chunk ids of all of them. */
  readonly chunkIds: readonly string[]
  /** The text from `start` to `end` of the document. */
  readonly text: string
  /** How far it is trusted. */
  readonly trust: TrustTier
  /** Position of its best passage by score, for the order of relevance. */
  readonly rank: number
  /** Names the document's version. */
  readonly document: string
  /** Whether it may overlap with passages that are chosen apart from it. */
  readonly meets?: boolean
}

/** A source in the form in which it is shown. */
export interface ShownSource {
  readonly draft: SourceDraft
  readonly form: SourceForm
}

/** A form in which a source can be shown. Spans count from the start of the draft's text. */
export interface SourceForm {
  /** All, some sentences, or the title alone. */
  readonly form: PromptSource['form']
  /** What is shown of the text, in order and apart. */
  readonly shown: readonly Span[]
}

/** Stands where sentences were left out. */
const GAP = '\n[\u2026]\n'

/** The whole text but for white space at its ends. */
export function fullForm(draft: SourceDraft): SourceForm {
  const start = draft.text.length - draft.text.trimStart().length
  return { form: 'full', shown: [{ start, end: draft.text.trimEnd().length }] }
}

/**
 * A source between tags that carry the fence. The opening tag is a segment of its own, so that the count of the text does
 * not depend on the number; it is part of the text's segment where the text starts with a slash, which a byte-pair
 * vocabulary may join to the line end before it.
 */
export function sourceSegments(
  draft: SourceDraft,
  form: SourceForm,
  number: number,
  fence: string,
  memo: TextMemo,
): readonly Segment[] {
  const tag = `source-${fence}`
  const { title, uri } = draft.best.source
  const headings = draft.best.headingPath ?? []
  const writer = segmentWriter()
  const label = (value = '', field: 'title' | 'uri' | 'headingPath', name: string = field) => {
    const shown = escapeLabel(value)
    if (shown === '') return
    writer.write(` ${name}="`)
    writer.write(shown, { type: 'label', source: number, field })
    writer.write('"')
  }
  writer.write(`<${tag} number="${number}"`)
  label(title, 'title')
  label(uri, 'uri')
  label(headings.join(' > '), 'headingPath', 'section')
  if (draft.trust === 'suspect') writer.write(' trust="suspect"')
  if (form.shown.length === 0) {
    writer.write(' />\n\n')
    return [writer.finish('sources')]
  }
  writer.write('>\n')
  const known = knownOf(draft, form, memo)
  const body = known ? [known.pieces] : bodyPieces(draft, form, memo)
  const apart = !body[0]?.[0]?.text.startsWith('/')
  const open = apart ? [writer.finish('sources')] : []
  const text = apart ? segmentWriter() : writer
  const document = {
    type: 'source',
    source: number,
    documentId: draft.best.documentId,
    documentVersion: draft.best.documentVersion,
  } as const
  for (const [index, pieces] of body.entries()) {
    if (index > 0) text.write(GAP)
    for (const piece of pieces)
      text.write(piece.text, {
        ...document,
        start: draft.start + piece.start,
        end: draft.start + piece.end,
        form: piece.form,
      })
  }
  text.write(`\n</${tag}>\n\n`)
  const segment = text.finish('sources')
  if (known === undefined || !apart) return [...open, segment]
  if (known.body?.fence !== fence) known.body = { fence, memo: { tokens: undefined } }
  return [...open, { ...segment, memo: known.body.memo }]
}

/** What is remembered of a source that is shown in full and escaped as usual. */
function knownOf(draft: SourceDraft, form: SourceForm, memo: TextMemo): KnownText | undefined {
  const usual = form.form === 'full' && draft.trust !== 'trusted'
  return usual ? memo(draft.text) : undefined
}

/** Tokens of a source between its tags. */
export function sourceCost(
  draft: SourceDraft,
  form: SourceForm,
  number: number,
  fence: string,
  memo: TextMemo,
  count: (text: string) => number,
): number {
  const known = knownOf(draft, form, memo)
  const { title, uri } = draft.best.source
  const name = known && `${number} ${fence} ${draft.trust} ${title}\n${uri}\n${draft.best.headingPath?.join('\n')}`
  if (known?.cost !== undefined && known.cost.name === name) return known.cost.tokens
  let tokens = 0
  for (const segment of sourceSegments(draft, form, number, fence, memo)) tokens += segmentTokens(segment, count)
  if (known !== undefined) known.cost = { name: name!, tokens }
  return tokens
}

function bodyPieces(draft: SourceDraft, form: SourceForm, memo: TextMemo): readonly (readonly EscapedPiece[])[] {
  const marksOf = draft.trust === 'trusted' ? () => [] : undefined
  return form.shown.map(({ start, end }) => memo.escape(draft.text, start, end, marksOf))
}

/** What the prompt says of a source that it shows. */
export function promptSource(draft: SourceDraft, form: SourceForm, number: number): PromptSource {
  const { best } = draft
  return {
    number,
    chunkId: best.id,
    chunkIds: draft.chunkIds,
    documentId: best.documentId,
    documentVersion: best.documentVersion,
    start: draft.start,
    end: draft.end,
    text: draft.text,
    form: form.form,
    shown: form.shown.map((span) => ({ start: draft.start + span.start, end: draft.start + span.end })),
    trust: draft.trust,
    ...best.source,
    ...(best.headingPath && { headingPath: best.headingPath }),
    score: best.score,
  }
}

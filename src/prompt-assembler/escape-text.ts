import type { Span } from '../document.ts'

/** A stretch of escaped text and the span of the original it stands for. */
export interface EscapedPiece extends Span {
  /** What is shown. */
  readonly text: string
  /** Whether it is the original's own text. */
  readonly form: 'verbatim' | 'escaped'
}

/**
 * Control tokens of the model families in use (ChatML, Llama 2 and 3, Gemma, Mistral, DeepSeek, BERT) and the turn
 * marks of completion prompts. A serving stack that tokenizes prompts with special tokens on reads these as roles.
 */
const CONTROL =
  /<[|\uff5c][\p{L}\p{N}_\u2581.:/-]{1,64}[|\uff5c]>|<\/?(?:s|bos|eos|pad|unk|mask|start_of_turn|end_of_turn|start_of_image|end_of_image)>|<<\/?SYS>>|\[\/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT|PREFIX|SUFFIX|MIDDLE|IMG|IMG_BREAK|IMG_END|CLS|SEP|MASK|PAD|UNK|gMASK|sop)\]|\n\n(?:Human|Assistant):/gu
/** What every match of `CONTROL` contains; a text without it needs no further look. */
const OPENER = /[<[]|\n\n[HA]/

/**
 * Makes a text harmless as data: a backslash goes into every control token, after its first character (before the colon
 * of `Human:`), and the spans of `removed` go out. Pieces cover `text.slice(from, to)` in order but for `removed`.
 * Removal comes first, so that nothing removed can join two halves of a token.
 */
export function escapeText(
  text: string,
  removed: readonly Span[] = [],
  start: number = 0,
  end: number = text.length,
): readonly EscapedPiece[] {
  const kept: Span[] = []
  let from = start
  for (const cut of removed) {
    if (cut.end <= start || cut.start >= end) continue
    if (cut.start > from) kept.push({ start: from, end: cut.start })
    from = Math.max(from, cut.end)
  }
  if (from < end) kept.push({ start: from, end })
  if (kept.length === 0) return []
  const joined =
    kept.length === 1
      ? text.slice(kept[0]!.start, kept[0]!.end)
      : kept.map((span) => text.slice(span.start, span.end)).join('')
  const marks: Span[] = []
  if (OPENER.test(joined))
    for (const match of joined.matchAll(CONTROL)) {
      const turn = match[0].startsWith('\n')
      const at = turn ? match.index + match[0].length - 2 : match.index
      marks.push({ start: at, end: at + 1 })
    }
  const pieces: EscapedPiece[] = []
  let offset = 0
  let next = 0
  for (const span of kept) {
    let at = span.start
    while (next < marks.length && marks[next]!.start < offset + (span.end - span.start)) {
      const mark = span.start + (marks[next]!.start - offset)
      if (mark > at) pieces.push({ text: text.slice(at, mark), start: at, end: mark, form: 'verbatim' })
      pieces.push({ text: `${text.slice(mark, mark + 1)}\\`, start: mark, end: mark + 1, form: 'escaped' })
      at = mark + 1
      next++
    }
    if (at < span.end) pieces.push({ text: text.slice(at, span.end), start: at, end: span.end, form: 'verbatim' })
    offset += span.end - span.start
  }
  return pieces
}

/** A label as an attribute shows it: one line, without quotes, angle brackets, format characters or control tokens, at most 200 units. */
export function escapeLabel(label: string): string {
  const line = label
    .replace(/\p{Cf}/gu, '')
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()
    .replaceAll('"', "'")
    .replaceAll('<', '\u2039')
    .replaceAll('>', '\u203a')
  const cut = line.length <= 200 ? line : `${line.slice(0, 199).replace(/[\ud800-\udbff]$/, '')}\u2026`
  return escapeText(cut)
    .map((piece) => piece.text)
    .join('')
}

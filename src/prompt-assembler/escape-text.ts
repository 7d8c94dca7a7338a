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

/** Offsets of the units of a text behind which a backslash goes. */
export type MarksOf = (text: string) => readonly number[]

/** Makes a stretch of a text harmless: its pieces, in order. */
export type Escaper = (text: string, start: number, end: number, marksOf?: MarksOf) => readonly EscapedPiece[]

/** The first character of every control token, and what stands before the colon of `Human:`. */
export function controlMarks(text: string): readonly number[] {
  const marks: number[] = []
  if (OPENER.test(text))
    for (const { 0: token, index } of text.matchAll(CONTROL))
      marks.push(token.startsWith('\n') ? index + token.length - 2 : index)
  return marks
}

/** Makes a text harmless as data: a backslash goes into every control token. Pieces cover `text.slice(start, end)`. */
export function escapeText(
  text: string,
  start: number = 0,
  end: number = text.length,
  marksOf: MarksOf = controlMarks,
): readonly EscapedPiece[] {
  const pieces: EscapedPiece[] = []
  let at = start
  const show = (to: number) => {
    if (to > at) pieces.push({ text: text.slice(at, to), start: at, end: to, form: 'verbatim' })
  }
  for (const offset of marksOf(text.slice(start, end))) {
    const mark = start + offset
    show(mark)
    at = mark + 1
    pieces.push({ text: `${text[mark]}\\`, start: mark, end: at, form: 'escaped' })
  }
  show(end)
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

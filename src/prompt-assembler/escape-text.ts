import type { Span } from '../document.ts'
import { controlMarks } from '../internal/control-marks.ts'
import type { PromptMessage } from './prompt-assembler.ts'

/** A stretch of escaped text and the span of the original it stands for. */
export interface EscapedPiece extends Span {
  /** What is shown. */
  readonly text: string
  /** Whether it is the original's own text. */
  readonly form: 'verbatim' | 'escaped'
}

/** Offsets of the units of a text behind which a backslash goes. */
export type MarksOf = (text: string) => readonly number[]

/** Makes a stretch of a text harmless: its pieces, in order. */
export type Escaper = (text: string, start: number, end: number, marksOf?: MarksOf) => readonly EscapedPiece[]

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
  return escapedText(cut, escapeText)
}

/** A text in its escaped form, with `more` behind each escape. */
function escapedText(text: string, escaper: Escaper, more = ''): string {
  return escaper(text, 0, text.length)
    .map((piece) => (piece.form === 'escaped' ? piece.text + more : piece.text))
    .join('')
}

/**
 * A message whose calls are harmless as data. Arguments are JSON, in which the backslash of an escape is itself escaped, so that
 * they stay JSON and hold what a text would.
 */
export function safeCalls<M extends PromptMessage>(message: M, escaper: Escaper): M {
  const { role, content, ...rest } = message
  if (role === 'user') return message
  const safe = JSON.parse(JSON.stringify(rest), (key, value: unknown) =>
    typeof value === 'string' ? escapedText(value, escaper, key === 'arguments' ? '\\' : '') : value,
  )
  return { ...message, ...safe }
}

/** JSON as data of which no string is a control token, not even one that the JSON's own escapes hid. */
export function parseSafely(json: string): unknown {
  const safe = (text: string) => escapedText(text, escapeText)
  return JSON.parse(json, (_, value: unknown) => {
    if (typeof value === 'string') return safe(value)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [safe(key), member]))
  })
}

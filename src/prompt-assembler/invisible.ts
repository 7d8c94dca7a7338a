import type { Span } from '../document.ts'
import { controlMarks } from '../internal/control-marks.ts'
import type { EscapedPiece, Escaper, MarksOf } from './escape-text.ts'
import type { PreparedParts } from './prepare-parts.ts'
import type { PromptWarning } from './prompt-assembler.ts'

const INVISIBLE =
  /\u034f|[\u17b4\u17b5]|[\u180b-\u180d\u180f]|[\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e0fff}]/gu
/** Subdivision flags (England, Scotland, Wales) are spelt with tag characters. */
const FLAG = /\u{1f3f4}[\u{e0020}-\u{e007e}]{2,6}\u{e007f}/gu

/** What an assembler does about invisible and bidirectional control characters in texts that are not instructions. */
export interface InvisibleTreatment {
  /** Escapes without what is to be left out; absent where nothing is. */
  readonly escape?: Escaper
  /** What to say of the parts. */
  warn(parts: PreparedParts): readonly PromptWarning[]
}

/** Reports invisible and bidirectional control characters in `Prompt.warnings`, and leaves them where they are. */
// @__NO_SIDE_EFFECTS__
export function flagInvisible(): InvisibleTreatment {
  return {
    warn({ question, summary, examples, history, clusters }) {
      return [
        ...[question, ...(summary ? [summary] : [])].flatMap(({ id, forms }) =>
          forms.flatMap((form) => report(id, form)),
        ),
        ...[...examples, ...history].flatMap(({ id, forms }) =>
          forms.flat().flatMap(({ content }) => report(id, content)),
        ),
        ...clusters.flat().flatMap(({ best, text }) => report(`passage:${best.id}`, text)),
      ]
    },
  }
}

/** Leaves invisible and bidirectional control characters out of the prompt; the piece table skips their spans. */
// @__NO_SIDE_EFFECTS__
export function stripInvisible(): InvisibleTreatment {
  return { escape: escapeVisible, warn: () => [] }
}

function report(id: string, text: string): readonly PromptWarning[] {
  const first = findInvisible(text)[0]
  if (first === undefined) return []
  const found = `U+${text.codePointAt(first.start)!.toString(16).toUpperCase().padStart(4, '0')}`
  return [{ id, kind: 'invisible', at: first.start, found }]
}

/**
 * Escapes the visible part of a text. Invisible characters go out first, so that nothing removed can join two halves of a
 * control token.
 */
export function escapeVisible(
  text: string,
  start: number,
  end: number,
  marksOf: MarksOf = controlMarks,
): readonly EscapedPiece[] {
  const kept: Span[] = []
  let from = start
  for (const cut of findInvisible(text)) {
    if (cut.end <= start || cut.start >= end) continue
    if (cut.start > from) kept.push({ start: from, end: cut.start })
    from = Math.max(from, cut.end)
  }
  if (from < end) kept.push({ start: from, end })
  const marks = [...marksOf(kept.map((span) => text.slice(span.start, span.end)).join(''))]
  const pieces: EscapedPiece[] = []
  let offset = 0
  for (const span of kept) {
    let at = span.start
    const shift = span.start - offset
    for (; marks.length > 0 && marks[0]! + shift < span.end; marks.shift()) {
      const mark = marks[0]! + shift
      if (mark > at) pieces.push({ text: text.slice(at, mark), start: at, end: mark, form: 'verbatim' })
      at = mark + 1
      pieces.push({ text: `${text[mark]}\\`, start: mark, end: at, form: 'escaped' })
    }
    if (at < span.end) pieces.push({ text: text.slice(at, span.end), start: at, end: span.end, form: 'verbatim' })
    offset += span.end - span.start
  }
  return pieces
}

/**
 * Finds invisible and bidirectional control characters. ZWJ and ZWNJ, which scripts and emoji need, variation selectors
 * after emoji, and the tag characters of flags are not reported.
 */
export function findInvisible(text: string): readonly Span[] {
  if (!/[^\u0000-\u007e]/.test(text)) return []
  const flags: Span[] = []
  for (const match of text.matchAll(FLAG)) flags.push({ start: match.index, end: match.index + match[0].length })
  const found: Span[] = []
  for (const match of text.matchAll(INVISIBLE)) {
    const start = match.index
    if (!flags.some((flag) => flag.start < start && start < flag.end))
      found.push({ start, end: start + match[0].length })
  }
  return found
}

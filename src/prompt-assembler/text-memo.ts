import { type EscapedPiece, escapeLabel, escapeText } from './escape-text.ts'
import type { Segment } from './segment.ts'

/** What was worked out about a text of a source. */
export interface KnownText {
  /** The text in one line, by which twins are told. */
  readonly plain: string
  /** The text escaped, without the white space at its ends. */
  readonly pieces: readonly EscapedPiece[]
  /** What it costs between its tags, and for which number, fence and labels. */
  cost?: { readonly name: string; readonly tokens: number }
  /** The segment that shows it, under one fence. */
  body?: { readonly fence: string; readonly memo: NonNullable<Segment['memo']> }
}

/** Remembers what texts and labels become, so that assembling the same passages again costs no second look at them. */
export interface TextMemo {
  /** What is known of a source's text. */
  known(text: string): KnownText
  /** A label as an attribute shows it. */
  label(text: string): string
}

/** Texts remembered at most, by their summed length in UTF-16 units. */
const CAPACITY = 8_000_000

/** An empty memory, which is emptied again when it holds 8 million units. */
export function textMemo(): TextMemo {
  const texts = new Map<string, KnownText>()
  const labels = new Map<string, string>()
  let size = 0
  const grow = (text: string) => {
    size += text.length + 100
    if (size <= CAPACITY) return
    texts.clear()
    labels.clear()
    size = text.length
  }
  return {
    known(text) {
      let known = texts.get(text)
      if (known === undefined) {
        grow(text)
        const start = text.length - text.trimStart().length
        const end = Math.max(start, text.trimEnd().length)
        known = { plain: text.replace(/\s+/g, ' ').trim(), pieces: escapeText(text, [], start, end) }
        texts.set(text, known)
      }
      return known
    },
    label(text) {
      let label = labels.get(text)
      if (label === undefined) {
        grow(text)
        label = escapeLabel(text)
        labels.set(text, label)
      }
      return label
    },
  }
}

import type { EscapedPiece, Escaper } from './escape-text.ts'
import { remember } from './remember.ts'
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

/** Remembers what texts become, so that assembling the same passages again costs no second look at them. */
export interface TextMemo {
  /** What is known of a text. */
  (text: string): KnownText
  /** How texts are escaped. */
  readonly escape: Escaper
}

/** An empty memory. */
export function textMemo(escaper: Escaper): TextMemo {
  const memo = remember((text): KnownText => {
    const start = text.length - text.trimStart().length
    return { plain: text.replace(/\s+/g, ' ').trim(), pieces: escaper(text, start, text.trimEnd().length) }
  })
  return Object.assign(memo, { escape: escaper })
}

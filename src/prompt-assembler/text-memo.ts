import type { EscapedPiece, Escaper } from './escape-text.ts'
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

/** Texts remembered at most, by their summed length in UTF-16 units. */
const CAPACITY = 8_000_000

/** An empty memory, which is emptied again when it holds 8 million units. */
export function textMemo(escaper: Escaper): TextMemo {
  const texts = new Map<string, KnownText>()
  let size = 0
  const memo = (text: string) => {
    let known = texts.get(text)
    if (known === undefined) {
      size += text.length
      if (size > CAPACITY) {
        texts.clear()
        size = text.length
      }
      const start = text.length - text.trimStart().length
      const end = Math.max(start, text.trimEnd().length)
      known = { plain: text.replace(/\s+/g, ' ').trim(), pieces: escaper(text, start, end) }
      texts.set(text, known)
    }
    return known
  }
  return Object.assign(memo, { escape: escaper })
}

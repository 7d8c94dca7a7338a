/** A text without what a quotation may change, with the way back. */
export interface FoldedText {
  /** Lower case, plain quotes and dashes, single spaces, without backslashes, emphasis marks and invisible characters. */
  readonly text: string
  /** Offset in the original of each unit of `text`, and one more for its end. */
  readonly offsets: Uint32Array
}

const PLAIN = new Map([
  ...['\u2018', '\u2019', '\u201a', '\u201b', '`', '\u00b4'].map((mark) => [mark, "'"] as const),
  ...['\u201c', '\u201d', '\u201e', '\u00ab', '\u00bb'].map((mark) => [mark, '"'] as const),
  ...['\u2010', '\u2011', '\u2012', '\u2013', '\u2014', '\u2212'].map((mark) => [mark, '-'] as const),
])
const DROPPED = /[\\*_\u00ad\u200b-\u200f\u2060\ufeff]/
const SPACE = /\s/

/** Folds a text unit by unit. Linear. */
export function foldText(text: string): FoldedText {
  const offsets = new Uint32Array(text.length + 1)
  const units: string[] = []
  let spaced = true
  for (let at = 0; at < text.length; at++) {
    const unit = text[at]!
    const code = text.charCodeAt(at)
    if (code < 0x80 ? unit === '\\' || unit === '*' || unit === '_' : DROPPED.test(unit)) continue
    if (code <= 0x20 || (code >= 0x85 && SPACE.test(unit))) {
      if (!spaced) {
        offsets[units.length] = at
        units.push(' ')
      }
      spaced = true
      continue
    }
    spaced = false
    const lower = unit.toLowerCase()
    offsets[units.length] = at
    // A letter whose lower case is longer stays as it is, so that units and offsets keep in step.
    units.push(PLAIN.get(unit) ?? (lower.length === 1 ? lower : unit))
  }
  if (units.at(-1) === ' ') units.pop()
  offsets[units.length] = text.length
  return { text: units.join(''), offsets: offsets.subarray(0, units.length + 1) }
}

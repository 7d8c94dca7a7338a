import { lastAtMost } from './last-at-most.ts'

const WINDOW = 256

/**
 * Finds grapheme boundaries near any offset of one text. Intl.Segmenter is super-linear over long strings and has no
 * way to start in the middle, so it only ever sees small windows that begin at a boundary already known.
 */
export interface GraphemeFinder {
  /** The last boundary at or before `position`. `anchor` is a boundary at or before it, the nearer the faster. */
  atOrBefore(position: number, anchor: number): number
  /** The first boundary after `position`, which is a boundary itself. */
  next(position: number): number
}

/** Boundaries that a finder remembers at the most. */
const REMEMBERED = 4096

/** A finder over one text. It remembers the boundaries found last: a new segmentation for each look is mostly garbage. */
export function graphemeFinder(text: string): GraphemeFinder {
  let segmenter: Intl.Segmenter | undefined
  /** All boundaries from the first to the last of them. */
  let found: number[] = []
  let width = 0

  const startAt = (boundary: number): void => {
    found = [boundary]
    width = WINDOW / 8
  }

  /** Adds at least one boundary. */
  const extend = (): void => {
    segmenter ??= new Intl.Segmenter('und', { granularity: 'grapheme' })
    if (found.length > REMEMBERED) found = found.slice(-REMEMBERED / 2)
    const from = found[found.length - 1]!
    width = Math.min(WINDOW, width * 2)
    for (let reach = width; ; reach *= 4) {
      let to = Math.min(text.length, from + reach)
      // Half a pair would hide what the character before it joins.
      if (isLowSurrogate(text.charCodeAt(to))) to += 1
      let end = from
      for (const { segment } of segmenter.segment(text.slice(from, to))) {
        end += segment.length
        // A cluster that reaches the end of the window may go on behind it.
        if (end < to || to === text.length) found.push(end)
      }
      if (found[found.length - 1]! > from) return
    }
  }

  /** Index of the last boundary found at or before `position`. */
  const indexOf = (position: number): number => lastAtMost(found, position, itself)

  return {
    next(position) {
      if (position + 1 >= text.length) return text.length
      if (isPlainBoundary(text, position + 1)) return position + 1
      const index = indexOf(position)
      if (found[index] !== position) startAt(position)
      if (found[found.length - 1] === position) extend()
      return found[indexOf(position) + 1]!
    },
    atOrBefore(position, anchor) {
      if (position >= text.length) return text.length
      if (position <= anchor) return anchor
      let from = position
      const floor = Math.max(anchor, position - WINDOW)
      while (from > floor && !isPlainBoundary(text, from)) from -= 1
      if (from === position) return position
      if (from === floor) from = anchor
      // What was found serves where it reaches as far as the place to begin at.
      if (found.length === 0 || found[0]! > position || found[found.length - 1]! < from) startAt(from)
      while (found[found.length - 1]! <= position) extend()
      return Math.max(anchor, found[indexOf(position)]!)
    },
  }
}

const itself = (boundary: number): number => boundary

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff
}

/**
 * Whether there is certainly a grapheme boundary before the unit at `position`, by looking at its neighbours only: the
 * one before neither prepends nor joins and the one after neither extends nor joins. False means unknown.
 */
export function isPlainBoundary(text: string, position: number): boolean {
  const before = text.charCodeAt(position - 1)
  const after = text.charCodeAt(position)
  if (before === 10) return true
  if (before === 13) return after !== 10
  if (isInert(before)) return isInert(after) || !extendsCluster(text, position)
  return isLetter(before) && (isLetter(after) || isInert(after))
}

/** Characters of grapheme class Other or Control, from scripts where that is easily said. */
function isInert(code: number): boolean {
  if (code < 0x300) return true
  if (code < 0x483) return code >= 0x370
  if (code < 0x531) return code >= 0x48a
  // Spaces, dashes and quotes, CJK punctuation, kana, unified ideographs, full-width forms.
  if (code < 0x3000) return (code >= 0x2010 && code <= 0x2029) || (code >= 0x2000 && code <= 0x200a)
  if (code <= 0x3096) return code < 0x302a || code > 0x3040
  if (code < 0x4e00) return code >= 0x30a1 && code <= 0x30fa
  return code <= 0x9fff || (code >= 0xff01 && code <= 0xff60)
}

/** Hebrew and Arabic letters and Hangul syllables: no boundary is missing between two of them. */
function isLetter(code: number): boolean {
  return (code >= 0x5d0 && code <= 0x5ea) || (code >= 0x620 && code <= 0x64a) || (code >= 0xac00 && code <= 0xd7a3)
}

/** Whether the character may continue the cluster before it, whatever that is. Thai and Lao AM are letters that do. */
function extendsCluster(text: string, position: number): boolean {
  const code = text.charCodeAt(position)
  if (code < 0x300) return false
  if (code === 0x200d || code === 0xe33 || code === 0xeb3) return true
  const point = text.codePointAt(position) ?? 0
  return /[\p{M}\p{Grapheme_Extend}\p{Emoji_Modifier}]/u.test(String.fromCodePoint(point))
}

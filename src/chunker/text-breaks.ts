import { isPlainBoundary } from '../internal/grapheme.ts'
import { type BreakList, breakLevel } from './break-list.ts'

/** Which levels line ends of a region get; everything else is found the same way everywhere. */
export interface TextBreakStyle {
  /** Level of a cut after a single line end. */
  readonly line: number
  /** Level of a cut after one or more blank lines. */
  readonly paragraph: number
  /** Whether to offer cuts inside lines: after sentences, clauses and words. */
  readonly words: boolean
  /** Lines of more units than this offer cuts between words all the same, taken where nothing else is within the limit. */
  readonly longLine?: number | undefined
}

/** Plain text: lines and paragraphs are what they seem. */
export const plainText: TextBreakStyle = { line: breakLevel.line, paragraph: breakLevel.paragraph, words: true }

/** The longest run that may go without any place to cut, in UTF-16 units. */
const LONGEST_RUN = 512
/** A run of ideographs gets a place to cut every so many units. */
const IDEOGRAPHS = 16

/**
 * Adds the places to cut `text` strictly after `from` and before `to`, in one pass over its units: always after white
 * space, so that words, URLs and numbers stay whole, or between ideographs.
 */
export function addTextBreaks(list: BreakList, text: string, from: number, to: number, style: TextBreakStyle): void {
  let last = from
  let at = from
  const add = (position: number, level: number): void => {
    if (position <= from || position >= to) return
    if (position - last > LONGEST_RUN) addForced(list, text, last, position)
    list.add(position, level)
    last = position
  }
  const { longLine = Number.POSITIVE_INFINITY } = style
  let line = from
  const addWords = (lineEnd: number): void => {
    if (lineEnd - line <= longLine) return
    for (let word = line + 1; word < lineEnd; word += 1) {
      if (!isSpace(text.charCodeAt(word - 1)) || isSpace(text.charCodeAt(word))) continue
      if (isPlainBoundary(text, word)) add(word, breakLevel.forced)
    }
  }
  while (at < to) {
    const code = text.charCodeAt(at)
    if (
      code > 32 &&
      (code < 0x80 || (code < 0x2000 ? code !== 0xa0 && code !== 0x85 && code !== 0x1680 : !isWideBreak(code)))
    ) {
      at += 1
      continue
    }
    // Most white space is one space between two words.
    if (code === 32 && style.words && at > from && isWordUnit(text.charCodeAt(at - 1)) && isPlainUnit(text, at + 1)) {
      at += 1
      if (at >= to) break
      if (at - last > LONGEST_RUN) addForced(list, text, last, at)
      list.add(at, breakLevel.word)
      last = at
      continue
    }
    if (isSpace(code)) {
      const begin = at
      let newlines = 0
      let lineEnd = at
      for (; at < to; at += 1) {
        const space = text.charCodeAt(at)
        if (!isSpace(space)) break
        if (space === 10 || space === 0x2028 || space === 0x2029 || (space === 13 && text.charCodeAt(at + 1) !== 10)) {
          if (newlines === 0) addWords(begin)
          newlines += space === 0x2029 ? 2 : 1
          lineEnd = at + 1
          line = lineEnd
          // Long blank runs stay divisible.
          if (lineEnd - last > LONGEST_RUN) add(lineEnd, newlines > 1 ? style.paragraph : style.line)
        }
      }
      if (newlines > 1) add(lineEnd, style.paragraph)
      // Where a line end is only white space, what stands before it decides.
      else if (newlines > 0)
        add(lineEnd, style.words && style.line === breakLevel.word ? spaceLevel(text, begin, from) : style.line)
      else if (style.words && isPlainBoundary(text, at)) add(at, spaceLevel(text, begin, from))
    } else {
      // CJK: marks end sentences and clauses without a space; ideographs may be parted anywhere.
      at += 1
      if (!style.words) continue
      const level = wideLevel(code)
      if (level === breakLevel.word) {
        if (at - last >= IDEOGRAPHS && isWide(text.charCodeAt(at)) && isPlainBoundary(text, at)) add(at, level)
      } else {
        while (at < to && isWideCloser(text.charCodeAt(at))) at += 1
        if (isPlainBoundary(text, at) && !isSpace(text.charCodeAt(at))) add(at, level)
      }
    }
  }
  addWords(to)
  if (to - last > LONGEST_RUN) addForced(list, text, last, to)
}

/** Whether an ASCII letter or digit stands before a space, so that nothing ends there but a word. */
function isWordUnit(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 48 && code <= 57)
}

/** Whether a character that is neither white space nor part of a cluster begins at `at`. */
function isPlainUnit(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return code > 32 && code < 0x85
}

function addForced(list: BreakList, text: string, from: number, to: number): void {
  for (let at = from + LONGEST_RUN; at < to; at += LONGEST_RUN) {
    // Only where two units suffice to see a boundary; the packer finds the others when it must.
    for (let tries = 0; tries < 64; tries += 1) {
      if (isPlainBoundary(text, at - tries)) {
        list.add(at - tries, breakLevel.forced)
        break
      }
    }
  }
}

/** Level of the cut after the white space that begins at `begin`, from the marks before it. */
function spaceLevel(text: string, begin: number, from: number): number {
  let at = begin - 1
  while (at >= from && isCloser(text.charCodeAt(at))) at -= 1
  if (at < from) return breakLevel.word
  const code = text.charCodeAt(at)
  if (code === 33 || code === 63 || code === 0x2026 || code === 0x61f || code === 0x6d4 || code === 0x964)
    return breakLevel.sentence
  if (code === 46) return isAbbreviation(text, at, from) ? breakLevel.word : breakLevel.sentence
  return code === 44 || code === 58 || code === 59 || code === 0x60c || code === 0x2014
    ? breakLevel.clause
    : breakLevel.word
}

/** Whether the full stop at `at` follows a single letter (an initial, `e.g.`) or a title. */
function isAbbreviation(text: string, at: number, from: number): boolean {
  let start = at
  while (start > from && start > at - 5 && isLetterOrDot(text.charCodeAt(start - 1))) start -= 1
  const word = text.slice(start, at)
  return word.length === 1 || word.includes('.') || /^(?:Mr|Mrs|Ms|Dr|Prof|St|vs|No|Fig|cf|Jr|Sr|Inc)$/.test(word)
}

function isLetterOrDot(code: number): boolean {
  return code === 46 || (code >= 65 && code <= 90) || (code >= 97 && code <= 122)
}

function isCloser(code: number): boolean {
  return code === 34 || code === 39 || code === 41 || code === 93 || code === 0xbb || code === 0x201d || code === 0x2019
}

/** White space as JavaScript's `\s`, and U+0085; the no-break spaces hold their neighbours together and are left out. */
export function isSpace(code: number): boolean {
  if (code <= 32) return code === 32 || (code >= 9 && code <= 13)
  if (code < 0x1680) return code === 0x85
  return (
    code === 0x1680 ||
    (code >= 0x2000 && code <= 0x200a && code !== 0x2007) ||
    code === 0x2028 ||
    code === 0x2029 ||
    code === 0x205f ||
    code === 0x3000
  )
}

function isWideBreak(code: number): boolean {
  return isSpace(code) || isWide(code) || wideLevel(code) !== breakLevel.word
}

function isWide(code: number): boolean {
  return (code >= 0x3041 && code <= 0x30ff) || (code >= 0x3400 && code <= 0x9fff)
}

function wideLevel(code: number): number {
  if (code === 0x3002 || code === 0xff01 || code === 0xff1f || code === 0xff0e) return breakLevel.sentence
  return code === 0x3001 || code === 0xff0c || code === 0xff1b || code === 0xff1a ? breakLevel.clause : breakLevel.word
}

function isWideCloser(code: number): boolean {
  return (code >= 0x3009 && code <= 0x3011 && code % 2 === 1) || code === 0x300d || code === 0xff09 || code === 0x201d
}

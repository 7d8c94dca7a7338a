import { ASK, classAt, KIND, NEWLINE, NUMBER, SPACE, unitClasses, WIDE } from './unicode-class.ts'

/**
 * Cuts text into the words ("pre-tokens") inside which pairs are merged: the end of the word that starts at `start`,
 * as the vocabulary's regular expression would match it if the text ended at `length`.
 *
 * The splitters here are those expressions written out by hand, alternative for alternative, so that no input
 * backtracks. Every one of them ends a word between an ASCII letter and ASCII white space and never looks across.
 */
export type Splitter = (units: Uint16Array, start: number, length: number) => number

/** Units of a character of that class. */
export function widthOf(found: number): number {
  return (found & WIDE) === 0 ? 1 : 2
}

/** End of the run of characters of one kind (`\p{L}+`, `\p{N}+`, `[^\s\p{L}\p{N}]+`) that continues at `index`. */
export function skipKind(units: Uint16Array, start: number, length: number, kind: number): number {
  const classes = unitClasses()
  let index = start
  while (index < length) {
    const known = classes[units[index]!]! & KIND
    if (known === kind) index++
    else {
      if (known !== ASK) break
      const found = classAt(units, index, length)
      if ((found & KIND) !== kind) break
      index += widthOf(found)
    }
  }
  return index
}

/** End of `\p{N}{1,max}` at a number. */
export function skipNumbers(units: Uint16Array, start: number, length: number, max: number): number {
  let index = start + widthOf(classAt(units, start, length))
  for (let count = 1; count < max && index < length; count++) {
    const found = classAt(units, index, length)
    if ((found & KIND) !== NUMBER) break
    index += widthOf(found)
  }
  return index
}

/**
 * End of `\s*[\r\n]+|\s+(?!\S)|\s+` at white space; without `newlines`, of `\s+(?!\S)|\s+`. A run ends after its last
 * newline, else before its last character (which then leads the next word), else whole. White space is one unit each.
 */
export function skipWhiteSpace(units: Uint16Array, start: number, length: number, newlines: boolean): number {
  let index = start
  let afterNewline = -1
  for (; index < length; index++) {
    const kind = classAt(units, index, length) & KIND
    if (kind === NEWLINE) afterNewline = index + 1
    else if (kind !== SPACE) break
  }
  if (newlines && afterNewline >= 0) return afterNewline
  return index >= length || index - start === 1 ? index : index - 1
}

/**
 * Units of `'(?i:s|t|re|ve|m|ll|d)` at an apostrophe, or 0. Case folding by Unicode: U+017F (ſ) is an `s`, as the Rust
 * expressions have it.
 */
export function contraction(units: Uint16Array, start: number, length: number): number {
  if (start + 1 >= length) return 0
  const unit = units[start + 1]!
  const first = unit | 32
  if (first === 115 || first === 116 || first === 109 || first === 100 || unit === 0x17f) return 2
  if (start + 2 >= length) return 0
  const second = units[start + 2]! | 32
  return (first === 114 && second === 101) || (first === 118 && second === 101) || (first === 108 && second === 108)
    ? 3
    : 0
}

import { asciiClasses, classify, KIND, NEWLINE, SPACE, WIDTH_SHIFT } from './unicode-class.ts'

/**
 * Cuts UTF-8 into the words ("pre-tokens") inside which pairs are merged: the end of the word that starts at `start`,
 * as the vocabulary's regular expression would match it if the text ended at `length`.
 *
 * The splitters here are those expressions written out by hand, alternative for alternative, so that no input
 * backtracks. Every one of them ends a word between an ASCII letter and ASCII white space and never looks across.
 */
export type Splitter = (bytes: Uint8Array, start: number, length: number) => number

/** End of the run of characters of one kind (`\p{L}+`, `\p{N}+`, `[^\s\p{L}\p{N}]+`) that continues at `index`. */
export function skipKind(bytes: Uint8Array, start: number, length: number, kind: number): number {
  const ascii = asciiClasses()
  let index = start
  while (index < length) {
    const byte = bytes[index]!
    if (byte < 0x80) {
      if ((ascii[byte]! & KIND) !== kind) break
      index++
    } else {
      const found = classify(bytes, index)
      if ((found & KIND) !== kind) break
      index += found >> WIDTH_SHIFT
    }
  }
  return index
}

/** End of `\p{N}{1,max}` at a number. */
export function skipNumbers(bytes: Uint8Array, start: number, length: number, max: number): number {
  let index = start + (classify(bytes, start) >> WIDTH_SHIFT)
  for (let count = 1; count < max && index < length; count++) {
    const found = classify(bytes, index)
    if ((found & KIND) !== 2) break
    index += found >> WIDTH_SHIFT
  }
  return index
}

/**
 * End of `\s*[\r\n]+|\s+(?!\S)|\s+` at white space; without `newlines`, of `\s+(?!\S)|\s+`. A run ends after its last
 * newline, else before its last character (which then leads the next word), else whole.
 */
export function skipWhiteSpace(bytes: Uint8Array, start: number, length: number, newlines: boolean): number {
  let index = start
  let last = start
  let afterNewline = -1
  while (index < length) {
    const found = classify(bytes, index)
    const kind = found & KIND
    if (kind !== SPACE && kind !== NEWLINE) break
    last = index
    index += found >> WIDTH_SHIFT
    if (kind === NEWLINE) afterNewline = index
  }
  if (newlines && afterNewline >= 0) return afterNewline
  return index >= length || last === start ? index : last
}

/**
 * Bytes of `'(?i:s|t|re|ve|m|ll|d)` at an apostrophe, or 0. Case folding by Unicode: U+017F (ſ) is an `s`, as the Rust
 * expressions have it.
 */
export function contraction(bytes: Uint8Array, start: number, length: number): number {
  if (start + 1 >= length) return 0
  const first = bytes[start + 1]!
  if (first === 0xc5) return start + 2 < length && bytes[start + 2] === 0xbf ? 3 : 0
  if (first < 65) return 0
  const letter = first | 32
  if (letter === 115 || letter === 116 || letter === 109 || letter === 100) return first < 0x80 ? 2 : 0
  if (start + 2 >= length || bytes[start + 2]! < 65 || bytes[start + 2]! >= 0x80 || first >= 0x80) return 0
  const second = bytes[start + 2]! | 32
  return (letter === 114 && second === 101) || (letter === 118 && second === 101) || (letter === 108 && second === 108)
    ? 3
    : 0
}

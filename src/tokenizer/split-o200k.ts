import { contraction, skipKind, skipNumbers, skipWhiteSpace } from './splitter.ts'
import {
  asciiClasses,
  BOTH,
  CASE,
  classify,
  KIND,
  LETTER,
  LOWER,
  NEWLINE,
  NUMBER,
  OTHER,
  WIDTH_SHIFT,
} from './unicode-class.ts'

const APOSTROPHE = 39
const BLANK = 32

/**
 * The words of o200k_base. `U` stands for `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`, `L` for `[\p{Ll}\p{Lm}\p{Lo}\p{M}]`:
 *
 * ```text
 * [^\r\n\p{L}\p{N}]?U*L+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?U+L*(?i:'s|'t|'re|'ve|'m|'ll|'d)?
 * |\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+
 * ```
 */
export function splitO200k(bytes: Uint8Array, start: number, length: number): number {
  const plain = plainWordEnd(bytes, start, length)
  if (plain >= 0) return bytes[plain] === APOSTROPHE ? plain + contraction(bytes, plain, length) : plain
  const found = classify(bytes, start)
  const kind = found & KIND
  const next = start + (found >> WIDTH_SHIFT)
  const end = wordEnd(bytes, start, next, length, found)
  if (end >= 0) return end < length && bytes[end] === APOSTROPHE ? end + contraction(bytes, end, length) : end
  if (kind === NUMBER) return skipNumbers(bytes, start, length, 3)
  if (kind === OTHER || (bytes[start] === BLANK && next < length && (classify(bytes, next) & KIND) === OTHER)) {
    let after = skipKind(bytes, next, length, OTHER)
    while (after < length && (bytes[after] === 10 || bytes[after] === 13 || bytes[after] === 47)) after++
    return after
  }
  return skipWhiteSpace(bytes, start, length, true)
}

/** The commonest words, without the general case: an ASCII sign or blank, a capital, small ASCII letters; −1 for all others. */
function plainWordEnd(bytes: Uint8Array, start: number, length: number): number {
  let index = start
  const lead = bytes[index]!
  if (lead < 65) {
    if ((lead >= 48 && lead < 58) || lead === 10 || lead === 13) return -1
    index++
  }
  if (index < length && bytes[index]! >= 65 && bytes[index]! < 91) index++
  const first = index
  while (index < length && bytes[index]! >= 97 && bytes[index]! < 123) index++
  return index > first && index < length && bytes[index]! < 0x80 ? index : -1
}

/** End of the letters of the first two alternatives, each tried with the leading character and then without; or −1. */
function wordEnd(bytes: Uint8Array, start: number, next: number, length: number, found: number): number {
  const kind = found & KIND
  const inWord = (found & CASE) !== 0
  if (kind === LETTER) {
    const end = lowerEnd(bytes, start, length)
    return end >= 0 ? end : upperEnd(bytes, start, length)
  }
  if (kind === NEWLINE || kind === NUMBER) return -1
  const leads = next < length && (classify(bytes, next) & CASE) !== 0
  let end = leads ? lowerEnd(bytes, next, length) : -1
  if (end < 0 && inWord) end = lowerEnd(bytes, start, length)
  if (end < 0 && leads) end = upperEnd(bytes, next, length)
  if (end < 0 && inWord) end = upperEnd(bytes, start, length)
  return end
}

/** End of `U*L+`, or −1. Where no lower-case letter follows `U*`, the last mark or caseless letter inside it is the `L`. */
function lowerEnd(bytes: Uint8Array, start: number, length: number): number {
  const ascii = asciiClasses()
  let index = start
  let afterBoth = -1
  while (index < length) {
    const byte = bytes[index]!
    const found = byte < 0x80 ? ascii[byte]! | (1 << WIDTH_SHIFT) : classify(bytes, index)
    const letterCase = found & CASE
    if (letterCase === LOWER) return lowerRun(bytes, index, length)
    if (letterCase === 0) break
    index += found >> WIDTH_SHIFT
    if (letterCase === BOTH) afterBoth = index
  }
  return afterBoth
}

/** End of `U+L*`, or −1. */
function upperEnd(bytes: Uint8Array, start: number, length: number): number {
  let index = start
  while (index < length) {
    const found = classify(bytes, index)
    if ((found & CASE) === 0 || (found & CASE) === LOWER) break
    index += found >> WIDTH_SHIFT
  }
  return index === start ? -1 : lowerRun(bytes, index, length)
}

/** End of `L*`. */
function lowerRun(bytes: Uint8Array, start: number, length: number): number {
  const ascii = asciiClasses()
  let index = start
  while (index < length) {
    const byte = bytes[index]!
    const found = byte < 0x80 ? ascii[byte]! | (1 << WIDTH_SHIFT) : classify(bytes, index)
    if ((found & (LOWER | BOTH)) === 0) break
    index += found >> WIDTH_SHIFT
  }
  return index
}

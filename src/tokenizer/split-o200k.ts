import { contraction, skipKind, skipNumbers, skipWhiteSpace, widthOf } from './splitter.ts'
import {
  ASK,
  BOTH,
  CASE,
  classAt,
  KIND,
  LETTER,
  LOWER,
  NEWLINE,
  NUMBER,
  OTHER,
  UPPER,
  unitClasses,
} from './unicode-class.ts'

const APOSTROPHE = 39
const BLANK = 32

/**
 * The words of o200k_base, written out. `U` stands for `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`, `L` for `[\p{Ll}\p{Lm}\p{Lo}\p{M}]`:
 *
 * ```text
 * [^\r\n\p{L}\p{N}]?U*L+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?U+L*(?i:'s|'t|'re|'ve|'m|'ll|'d)?
 * |\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+
 * ```
 */
export function splitO200k(units: Uint16Array, start: number, length: number): number {
  const found = classAt(units, start, length)
  const kind = found & KIND
  const next = start + widthOf(found)
  const end = wordEnd(units, start, next, length, found)
  if (end >= 0) return end < length && units[end] === APOSTROPHE ? end + contraction(units, end, length) : end
  if (kind === NUMBER) return skipNumbers(units, start, length, 3)
  if (kind === OTHER || (units[start] === BLANK && next < length && (classAt(units, next, length) & KIND) === OTHER)) {
    let after = skipKind(units, next, length, OTHER)
    while (after < length && (units[after] === 10 || units[after] === 13 || units[after] === 47)) after++
    return after
  }
  return skipWhiteSpace(units, start, length, true)
}

/** End of the letters of the first two alternatives, each tried with the leading character and then without; or −1. */
function wordEnd(units: Uint16Array, start: number, next: number, length: number, found: number): number {
  const kind = found & KIND
  if (kind === LETTER) {
    const end = lowerEnd(units, start, length)
    return end >= 0 ? end : upperEnd(units, start, length)
  }
  if (kind === NEWLINE || kind === NUMBER) return -1
  const inWord = (found & CASE) !== 0
  const leads = next < length && (classAt(units, next, length) & CASE) !== 0
  let end = leads ? lowerEnd(units, next, length) : -1
  if (end < 0 && inWord) end = lowerEnd(units, start, length)
  if (end < 0 && leads) end = upperEnd(units, next, length)
  if (end < 0 && inWord) end = upperEnd(units, start, length)
  return end
}

/** End of `U*L+`, or −1. Where no lower-case letter follows `U*`, the last mark or caseless letter inside it is the `L`. */
function lowerEnd(units: Uint16Array, start: number, length: number): number {
  const classes = unitClasses()
  let index = start
  let afterBoth = -1
  while (index < length) {
    const known = classes[units[index]!]!
    const found = known === ASK ? classAt(units, index, length) : known
    if ((found & (UPPER | BOTH)) === 0) {
      if ((found & LOWER) !== 0) return lowerRun(units, index, length)
      break
    }
    index += widthOf(found)
    if ((found & BOTH) !== 0) afterBoth = index
  }
  return afterBoth
}

/** End of `U+L*`, or −1. */
function upperEnd(units: Uint16Array, start: number, length: number): number {
  let index = start
  while (index < length) {
    const found = classAt(units, index, length)
    if ((found & (UPPER | BOTH)) === 0) break
    index += widthOf(found)
  }
  return index === start ? -1 : lowerRun(units, index, length)
}

/** End of `L*`. */
function lowerRun(units: Uint16Array, start: number, length: number): number {
  const classes = unitClasses()
  let index = start
  while (index < length) {
    const known = classes[units[index]!]!
    const found = known === ASK ? classAt(units, index, length) : known
    if ((found & (LOWER | BOTH)) === 0) break
    index += widthOf(found)
  }
  return index
}

import { contraction, skipKind, skipNumbers, skipWhiteSpace, widthOf } from './splitter.ts'
import { classAt, KIND, LETTER, NEWLINE, NUMBER, OTHER } from './unicode-class.ts'

const APOSTROPHE = 39
const BLANK = 32

/**
 * The words of cl100k_base, written out:
 *
 * ```text
 * (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
 * ```
 */
export function splitCl100k(units: Uint16Array, start: number, length: number): number {
  const unit = units[start]!
  if (unit === APOSTROPHE) {
    const width = contraction(units, start, length)
    if (width > 0) return start + width
  }
  const found = classAt(units, start, length)
  const kind = found & KIND
  const next = start + widthOf(found)
  if (kind === LETTER) return skipKind(units, next, length, LETTER)
  if (kind === NUMBER) return skipNumbers(units, start, length, 3)
  const following = next < length ? classAt(units, next, length) & KIND : -1
  if (following === LETTER && kind !== NEWLINE) return skipKind(units, next, length, LETTER)
  if (kind === OTHER || (unit === BLANK && following === OTHER)) {
    let end = skipKind(units, next, length, OTHER)
    while (end < length && (units[end] === 10 || units[end] === 13)) end++
    return end
  }
  return skipWhiteSpace(units, start, length, true)
}

import { contraction, skipKind, skipWhiteSpace, widthOf } from './splitter.ts'
import { classAt, KIND, LETTER, NEWLINE, NUMBER, OTHER, SPACE } from './unicode-class.ts'

const APOSTROPHE = 39
const BLANK = 32

/**
 * The words of GPT-2 and of the vocabularies r50k_base and p50k_base; contractions are lower case only:
 *
 * ```text
 * 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 * ```
 */
export function splitGpt2(units: Uint16Array, start: number, length: number): number {
  const unit = units[start]!
  if (unit === APOSTROPHE) {
    const width = contraction(units, start, length)
    if (width > 0 && isLowerCase(units, start + 1, start + width)) return start + width
  }
  const found = classAt(units, start, length)
  const kind = found & KIND
  const next = start + widthOf(found)
  if (kind === LETTER || kind === NUMBER || kind === OTHER) return skipKind(units, next, length, kind)
  if (unit === BLANK && next < length) {
    const following = classAt(units, next, length) & KIND
    if (following !== SPACE && following !== NEWLINE) return skipKind(units, next, length, following)
  }
  return skipWhiteSpace(units, start, length, false)
}

function isLowerCase(units: Uint16Array, start: number, end: number): boolean {
  for (let index = start; index < end; index++) if (units[index]! < 97 || units[index]! > 122) return false
  return true
}

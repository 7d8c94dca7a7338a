import { contraction, type Splitter, skipKind, skipNumbers, skipWhiteSpace } from './splitter.ts'
import { classify, KIND, LETTER, NEWLINE, NUMBER, OTHER, WIDTH_SHIFT } from './unicode-class.ts'

const APOSTROPHE = 39
const BLANK = 32

/**
 * The words of cl100k_base and its descendants, which differ in how many digits make a word (3; Qwen: 1):
 *
 * ```text
 * (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function cl100kSplitter(digits: number): Splitter {
  return (bytes, start, length) => {
    const byte = bytes[start]!
    if (byte === APOSTROPHE) {
      const width = contraction(bytes, start, length)
      if (width > 0) return start + width
    }
    const found = classify(bytes, start)
    const kind = found & KIND
    const next = start + (found >> WIDTH_SHIFT)
    if (kind === LETTER) return skipKind(bytes, next, length, LETTER)
    if (kind === NUMBER) return skipNumbers(bytes, start, length, digits)
    const following = next < length ? classify(bytes, next) & KIND : -1
    if (following === LETTER && kind !== NEWLINE) return skipKind(bytes, next, length, LETTER)
    if (kind === OTHER || (byte === BLANK && following === OTHER)) {
      let end = skipKind(bytes, next, length, OTHER)
      while (end < length && (bytes[end] === 10 || bytes[end] === 13)) end++
      return end
    }
    return skipWhiteSpace(bytes, start, length, true)
  }
}

import { contraction, skipKind, skipWhiteSpace } from './splitter.ts'
import { classify, KIND, LETTER, NEWLINE, NUMBER, OTHER, SPACE, WIDTH_SHIFT } from './unicode-class.ts'

const APOSTROPHE = 39
const BLANK = 32

/**
 * The words of GPT-2 and of the vocabularies r50k_base and p50k_base; contractions are lower case only:
 *
 * ```text
 * 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 * ```
 */
export function splitGpt2(bytes: Uint8Array, start: number, length: number): number {
  const byte = bytes[start]!
  if (byte === APOSTROPHE) {
    const width = contraction(bytes, start, length)
    if (width > 0 && isLowerCase(bytes, start + 1, start + width)) return start + width
  }
  const found = classify(bytes, start)
  const kind = found & KIND
  const next = start + (found >> WIDTH_SHIFT)
  if (kind === LETTER || kind === NUMBER || kind === OTHER) return skipKind(bytes, next, length, kind)
  if (byte === BLANK && next < length) {
    const following = classify(bytes, next) & KIND
    if (following !== SPACE && following !== NEWLINE) return skipKind(bytes, next, length, following)
  }
  return skipWhiteSpace(bytes, start, length, false)
}

function isLowerCase(bytes: Uint8Array, start: number, end: number): boolean {
  for (let index = start; index < end; index++) if (bytes[index]! < 97 || bytes[index]! > 122) return false
  return true
}

const IGNORED = /[\p{Cf}\p{Mn}]/gu

/** A text as a reader skims it: lower case, without invisible characters and accents, look-alike digits and letters made plain. */
function fold(text: string): string {
  if (!/[^\u0000-\u007f]/.test(text)) return text.toLowerCase()
  return text.normalize('NFKC').replace(IGNORED, '').toLowerCase()
}

/**
 * The mark that names the source tags: hexadecimal digits derived from `seed`, six of them, and two more for as long as
 * they occur in any of the texts, in whatever case or disguise. The texts are finite and the digits are not, so this
 * ends; the same seed and texts, in any order, give the same mark.
 */
export function fenceMark(seed: string, texts: readonly string[]): string {
  let digits = hexDigits(`groundline fence ${seed}`)
  let length = 6
  for (const text of new Set(texts)) {
    if (text.length < length) continue
    const folded = fold(text)
    while (folded.includes(digits.slice(0, length))) {
      length += 2
      if (length > digits.length) digits += hexDigits(digits)
    }
  }
  return digits.slice(0, length)
}

/** Sixteen hexadecimal digits of a text, by FNV-1a. What guards the mark is that it occurs nowhere, not the hash. */
function hexDigits(text: string): string {
  let hash = 0x811c9dc5
  let digits = ''
  while (digits.length < 16) {
    for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
    digits += ((hash ^ (hash >>> 15)) >>> 0).toString(16).padStart(8, '0')
  }
  return digits
}

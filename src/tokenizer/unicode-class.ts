/**
 * What the splitters ask of a character, one byte each: a kind in the low three bits, and above them the letter case
 * that o200k_base splits at. Bytes of UTF-8 are classified in place; ASCII by one table, the rest by pages of 256
 * code points that are filled when first met.
 */

/** Neither letter, number nor white space; marks (`\p{M}`) are of this kind too. */
export const OTHER = 0
/** `\p{L}` */
export const LETTER = 1
/** `\p{N}` */
export const NUMBER = 2
/** White space other than CR and LF, by Unicode's White_Space: U+0085 is in, U+FEFF is not (JavaScript's `\s` has it the other way). */
export const SPACE = 3
/** CR or LF. */
export const NEWLINE = 4
/** Mask of the kind. */
export const KIND = 7
/** Bit of `\p{Lu}` and `\p{Lt}`. */
export const UPPER = 8
/** Bit of `\p{Lm}`, `\p{Lo}` and `\p{M}`, which both halves of a word may hold. */
export const BOTH = 16
/** Bit of `\p{Ll}`. */
export const LOWER = 32
/** Mask of the case bits; 0 for what is not part of a word. */
export const CASE: number = UPPER | BOTH | LOWER
/** {@link classify} puts the width in bytes above the class. */
export const WIDTH_SHIFT = 6

let pages: (Uint8Array | undefined)[] | undefined
let patterns: ReturnType<typeof compile> | undefined

/** Class and width of the character that starts at `index`: `class | width << WIDTH_SHIFT`. */
export function classify(bytes: Uint8Array, index: number): number {
  const lead = bytes[index]!
  pages ??= new Array(0x1100)
  if (lead < 0x80) return (pages[0] ?? fillPage(pages, 0))[lead]! | (1 << WIDTH_SHIFT)
  let codePoint = 0
  let width = 0
  if (lead >= 0xf0) {
    codePoint =
      ((lead & 7) << 18) | ((bytes[index + 1]! & 63) << 12) | ((bytes[index + 2]! & 63) << 6) | (bytes[index + 3]! & 63)
    width = 4
  } else if (lead >= 0xe0) {
    codePoint = ((lead & 15) << 12) | ((bytes[index + 1]! & 63) << 6) | (bytes[index + 2]! & 63)
    width = 3
  } else {
    codePoint = ((lead & 31) << 6) | (bytes[index + 1]! & 63)
    width = 2
  }
  const page = pages[codePoint >> 8] ?? fillPage(pages, codePoint >> 8)
  return page[codePoint & 255]! | (width << WIDTH_SHIFT)
}

/** Classes of the first 256 code points; an ASCII byte is its own index. */
export function asciiClasses(): Uint8Array {
  pages ??= new Array(0x1100)
  return pages[0] ?? fillPage(pages, 0)
}

function fillPage(all: (Uint8Array | undefined)[], page: number): Uint8Array {
  const classes = new Uint8Array(256)
  patterns ??= compile()
  const first = page << 8
  const isSurrogate = first >= 0xd800 && first < 0xe000
  if (!isSurrogate && patterns.uniform.test(String.fromCodePoint(...Array.from(classes, (_, low) => first | low)))) {
    classes.fill(LETTER | BOTH)
  } else {
    for (let low = 0; low < 256; low++) classes[low] = classOf(first | low, patterns)
  }
  all[page] = classes
  return classes
}

/** Compiled once: a literal inside a function is a new object each time. */
function compile() {
  return {
    /** Most pages of Chinese and Korean are letters without case throughout. */
    uniform: /^\p{Lo}{256}$/u,
    lower: /^\p{Ll}$/u,
    upper: /^[\p{Lu}\p{Lt}]$/u,
    letter: /^\p{L}$/u,
    mark: /^\p{M}$/u,
    number: /^\p{N}$/u,
    space: /^\p{White_Space}$/u,
  }
}

function classOf(codePoint: number, is: ReturnType<typeof compile>): number {
  if (codePoint === 10 || codePoint === 13) return NEWLINE
  const character = String.fromCodePoint(codePoint)
  if (is.letter.test(character)) {
    if (is.lower.test(character)) return LETTER | LOWER
    return is.upper.test(character) ? LETTER | UPPER : LETTER | BOTH
  }
  if (is.mark.test(character)) return OTHER | BOTH
  if (is.number.test(character)) return NUMBER
  return is.space.test(character) ? SPACE : OTHER
}

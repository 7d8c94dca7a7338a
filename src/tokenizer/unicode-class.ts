/**
 * What the splitters ask of a character, one byte each: a kind in the low three bits, above them the letter case that
 * o200k_base splits at. UTF-16 units are looked up in one flat table of 65,536 classes, filled 256 at a time when first met; a
 * unit that the table cannot answer for has the kind {@link ASK}, and {@link classAt} answers instead:
 *
 * ```text
 *   unit ─► classes[unit] ─► class                            all but the first of a page, and surrogates
 *                         └► ASK ─► fill the page, look again
 *                                └► surrogate: the pair's code point ─► page of its plane ─► class | WIDE
 * ```
 *
 * So the loops over runs of characters are one load and one comparison a unit, and leave for the rare unit only.
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
/** Kind of a unit that the flat table has no answer for: ask {@link classAt}. */
export const ASK = 7
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
/** Bit of a character of two units. */
export const WIDE = 64
/** Bit of the blank and of the apostrophe, which words treat otherwise than their kind. */
export const MARKED = 128

const REPLACEMENT = 0xfffd

let flat: Uint8Array | undefined
let pages: (Uint8Array | undefined)[] | undefined
let patterns: ReturnType<typeof compile> | undefined

/** Class of each UTF-16 unit; {@link ASK} where that needs {@link classAt}. One table for all, which fills up. */
export function unitClasses(): Uint8Array {
  if (!flat) {
    flat = new Uint8Array(65536).fill(ASK)
    flat.set(pageOf(0), 0)
    flat[32] = SPACE | MARKED
    flat[39] = OTHER | MARKED
  }
  return flat
}

/** Class of the character at `index`, with {@link WIDE} if it has two units. A lone surrogate is what U+FFFD is. */
export function classAt(units: Uint16Array, index: number, length: number): number {
  const classes = unitClasses()
  const unit = units[index]!
  const found = classes[unit]!
  if (found !== ASK) return found
  if ((unit & 0xf800) === 0xd800) {
    const next = index + 1 < length ? units[index + 1]! : 0
    if (unit >= 0xdc00 || (next & 0xfc00) !== 0xdc00) return classOfCodePoint(REPLACEMENT)
    return classOfCodePoint(0x10000 + ((unit & 0x3ff) << 10) + (next & 0x3ff)) | WIDE
  }
  classes.set(pageOf(unit >> 8), unit & 0xff00)
  return classes[unit]!
}

function classOfCodePoint(codePoint: number): number {
  return pageOf(codePoint >> 8)[codePoint & 255]!
}

/** Classes of 256 code points. */
function pageOf(page: number): Uint8Array {
  pages ??= new Array(0x1100)
  const known = pages[page]
  if (known) return known
  const classes = new Uint8Array(256)
  patterns ??= compile()
  const first = page << 8
  if (patterns.uniform.test(String.fromCodePoint(...Array.from(classes, (_, low) => first | low)))) {
    classes.fill(LETTER | BOTH)
  } else {
    for (let low = 0; low < 256; low++) classes[low] = classOf(first | low, patterns)
  }
  pages[page] = classes
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

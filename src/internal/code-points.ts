/**
 * Compares two well-formed strings by code point: negative, zero or positive. UTF-16 order, which `<` follows, differs
 * where a character beyond U+FFFF meets one from U+E000 to U+FFFF.
 */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x === y) continue
    const surrogates = Number(isSurrogate(x)) - Number(isSurrogate(y))
    return surrogates === 0 ? x - y : surrogates
  }
  return a.length - b.length
}

function isSurrogate(unit: number): boolean {
  return (unit & 0xf800) === 0xd800
}

/** Writes the UTF-8 of `units[start, end)` to `out` and returns its length, 3 bytes a unit at most. Lone surrogates are U+FFFD. */
export function writeUtf8(units: Uint16Array, start: number, end: number, out: Uint8Array): number {
  let at = 0
  for (let index = start; index < end; index++) {
    const unit = units[index]!
    if (unit < 0x80) out[at++] = unit
    else if (unit < 0x800) {
      out[at++] = 0xc0 | (unit >> 6)
      out[at++] = 0x80 | (unit & 63)
    } else if ((unit & 0xf800) !== 0xd800) at = write3(out, at, unit)
    else if (unit < 0xdc00 && index + 1 < end && (units[index + 1]! & 0xfc00) === 0xdc00) {
      const codePoint = 0x10000 + ((unit & 0x3ff) << 10) + (units[++index]! & 0x3ff)
      out[at++] = 0xf0 | (codePoint >> 18)
      out[at++] = 0x80 | ((codePoint >> 12) & 63)
      out[at++] = 0x80 | ((codePoint >> 6) & 63)
      out[at++] = 0x80 | (codePoint & 63)
    } else at = write3(out, at, 0xfffd)
  }
  return at
}

function write3(out: Uint8Array, at: number, unit: number): number {
  out[at] = 0xe0 | (unit >> 12)
  out[at + 1] = 0x80 | ((unit >> 6) & 63)
  out[at + 2] = 0x80 | (unit & 63)
  return at + 3
}

/** UTF-8 bytes of the character of `text` at `index`; 4 of them are two units, fewer one. */
export function utf8Width(text: string, index: number): number {
  const unit = text.charCodeAt(index)
  if (unit < 0x80) return 1
  if (unit < 0x800) return 2
  return (unit & 0xfc00) === 0xd800 && (text.charCodeAt(index + 1) & 0xfc00) === 0xdc00 ? 4 : 3
}

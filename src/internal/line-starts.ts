/**
 * Offsets at which the lines of a text start, the first being 0, each plus `base`. Lines end at CR LF, LF or CR, as in
 * editors and CommonMark.
 */
export function lineStarts(text: string, base = 0): number[] {
  const starts = [base]
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === 10 || (code === 13 && text.charCodeAt(at + 1) !== 10)) starts.push(base + at + 1)
  }
  return starts
}

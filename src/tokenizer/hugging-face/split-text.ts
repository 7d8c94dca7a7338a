import { asString, unsupported } from './json.ts'

/** What becomes of the matches of a pattern. */
export type SplitBehavior = 'Removed' | 'Isolated' | 'MergedWithPrevious' | 'MergedWithNext' | 'Contiguous'

/** The behaviour that a file names. */
export function asBehavior(value: unknown, where: string): SplitBehavior {
  const name = asString(value, where)
  for (const known of ['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'] as const) {
    // Files write both `MergedWithNext` and `merged_with_next`.
    if (name.replaceAll('_', '').toLowerCase() === known.toLowerCase()) return known
  }
  throw unsupported('the split behavior', name)
}

/** Cuts a text at the matches of a pattern; `invert` cuts between them instead. Empty parts are left out. */
export function splitText(text: string, pattern: RegExp, behavior: SplitBehavior, invert = false): string[] {
  const parts: { text: string; isMatch: boolean }[] = []
  const add = (start: number, end: number, isMatch: boolean) => {
    if (end > start) parts.push({ text: text.slice(start, end), isMatch: isMatch !== invert })
  }
  let end = 0
  for (const match of text.matchAll(pattern)) {
    if (match[0].length === 0) continue
    add(end, match.index, false)
    end = match.index + match[0].length
    add(match.index, end, true)
  }
  add(end, text.length, false)

  if (behavior === 'Isolated') return parts.map((part) => part.text)
  if (behavior === 'Removed') return parts.filter((part) => !part.isMatch).map((part) => part.text)
  const joins = (index: number): boolean => {
    const [left, right] = [parts[index]!, parts[index + 1]!]
    if (behavior === 'Contiguous') return left.isMatch === right.isMatch
    return behavior === 'MergedWithPrevious' ? right.isMatch && !left.isMatch : left.isMatch && !right.isMatch
  }
  const joined: string[] = []
  for (let index = 0; index < parts.length; ) {
    let last = index
    while (last + 1 < parts.length && joins(last)) last++
    joined.push(
      parts
        .slice(index, last + 1)
        .map((part) => part.text)
        .join(''),
    )
    index = last + 1
  }
  return joined
}

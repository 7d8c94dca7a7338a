/** Texts remembered at most, by their summed length in UTF-16 units. */
const CAPACITY = 8_000_000

/** What is worked out of each text, once; all is forgotten when the texts add up to 8 million units. */
export function remember<T>(workOut: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>()
  let size = 0
  return (text) => {
    const before = known.get(text)
    if (before !== undefined) return before
    const result = workOut(text)
    size += text.length
    if (size > CAPACITY) {
      known.clear()
      size = text.length
    }
    known.set(text, result)
    return result
  }
}

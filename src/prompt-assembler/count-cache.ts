import { GroundlineError } from '../errors.ts'
import type { LocalTokenCounter } from '../tokenizer/tokenizer.ts'

/** Texts remembered at most, by their summed length in UTF-16 units. */
const CAPACITY = 8_000_000

/** Counts each text once, and forgets them when they add up to 8 million units. Checks what the counter returns. */
export function countCache(counter: LocalTokenCounter): (text: string) => number {
  const known = new Map<string, number>()
  let size = 0
  return (text) => {
    if (text === '') return 0
    const before = known.get(text)
    if (before !== undefined) return before
    const tokens = counter.count(text)
    if (!Number.isInteger(tokens) || tokens < 0)
      throw new GroundlineError(
        'INVALID_ARGUMENT',
        `counter ${counter.id} returned ${tokens}, not an integer of at least 0`,
        { details: { counter: counter.id, actual: String(tokens) } },
      )
    size += text.length
    if (size > CAPACITY) {
      known.clear()
      size = text.length
    }
    known.set(text, tokens)
    return tokens
  }
}

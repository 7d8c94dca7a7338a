import { GroundlineError } from '../errors.ts'
import type { LocalTokenCounter } from '../tokenizer/tokenizer.ts'
import { remember } from './remember.ts'

/** A counter that counts each text once, and checks what the one given returns. */
export function countCache(counter: LocalTokenCounter): LocalTokenCounter {
  const { id, kind, additiveAtLines } = counter
  const counted = remember((text) => {
    const tokens = counter.count(text)
    if (!Number.isInteger(tokens) || tokens < 0)
      throw new GroundlineError('INVALID_ARGUMENT', `counter ${id} returned ${tokens}, not an integer of at least 0`, {
        details: { counter: id, actual: String(tokens) },
      })
    return tokens
  })
  return { id, kind, additiveAtLines, count: (text) => (text === '' ? 0 : counted(text)) }
}

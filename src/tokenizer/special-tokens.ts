import { GroundlineError } from '../errors.ts'
import { describe } from '../internal/argument.ts'

/** Which special tokens a text may hold. */
export interface SpecialTokenOptions {
  /**
   * Special tokens that are recognised wherever they stand in the text. Default none: text that looks like a special
   * token is ordinary text, so that untrusted text cannot forge one.
   */
  readonly allowedSpecial?: 'all' | readonly string[] | undefined
}

/** A text cut at its special tokens: ordinary text, or the id of a special token. */
export type SpecialPiece = { readonly start: number; readonly end: number; readonly id: number | undefined }

/**
 * Cuts a text at the allowed special tokens, leftmost first, the longest where several start together. Throws
 * `INVALID_ARGUMENT` when a name is not a special token of the vocabulary.
 */
export function* cutAtSpecialTokens(
  text: string,
  known: ReadonlyMap<string, number>,
  allowed: SpecialTokenOptions['allowedSpecial'],
): Generator<SpecialPiece> {
  const next = new Map<string, number>()
  for (const name of allowedNames(known, allowed)) {
    const at = text.indexOf(name)
    if (at >= 0) next.set(name, at)
  }
  let start = 0
  while (next.size > 0) {
    let name = ''
    let at = text.length
    for (const [candidate, found] of next) {
      if (found < at || (found === at && candidate.length > name.length)) [name, at] = [candidate, found]
    }
    if (at > start) yield { start, end: at, id: undefined }
    start = at + name.length
    yield { start: at, end: start, id: known.get(name) }
    for (const [candidate, found] of next) {
      if (found >= start) continue
      const again = text.indexOf(candidate, start)
      if (again < 0) next.delete(candidate)
      else next.set(candidate, again)
    }
  }
  if (start < text.length) yield { start, end: text.length, id: undefined }
}

function allowedNames(
  known: ReadonlyMap<string, number>,
  allowed: SpecialTokenOptions['allowedSpecial'],
): Iterable<string> {
  if (allowed === undefined) return []
  if (allowed === 'all') return known.keys()
  if (!Array.isArray(allowed)) {
    throw new GroundlineError(
      'INVALID_ARGUMENT',
      `allowedSpecial must be 'all' or an array of special tokens, got ${describe(allowed)}`,
    )
  }
  const unknown = allowed.find((name) => !known.has(name))
  if (unknown === undefined) return allowed
  throw new GroundlineError(
    'INVALID_ARGUMENT',
    `allowedSpecial names ${describe(unknown)}, which this vocabulary does not have. It has ${[...known.keys()].slice(0, 8).join(', ')}${known.size > 8 ? ', …' : ''}`,
    { details: { specialToken: unknown } },
  )
}

import { GroundlineError } from '../errors.ts'
import { describe, requireInteger, requireString } from '../internal/argument.ts'
import { graphemeFinder } from '../internal/grapheme.ts'
import type { SpanTokenizer } from './tokenizer.ts'

/** How {@link truncate} shortens a text. */
export interface TruncateOptions {
  /** Where text is taken away: at the `end` (default), at the `start`, or in the `middle`, keeping as much of both ends. */
  readonly from?: 'start' | 'end' | 'middle' | undefined
  /** Stands where text was taken away, and counts. Default `…` in the middle, nothing at the start or end. */
  readonly omission?: string | undefined
}

/**
 * The longest part of a text that counts at most `maxTokens`, cut at token ends that are grapheme boundaries too. A text
 * that fits is returned as it is. The result is counted as a text of its own, so it never exceeds the limit; it may stay
 * below it by the tokens of one grapheme, or of one word that splits otherwise at the cut.
 *
 * @example
 * ```ts
 * import { truncate } from 'groundline/tokenizer'
 * import { o200kBase } from 'groundline/tokenizer/o200k-base'
 *
 * console.log(truncate(o200kBase(), 'one two three four', 2)) // 'one two'
 * ```
 */
export function truncate(
  tokenizer: SpanTokenizer,
  text: string,
  maxTokens: number,
  options: TruncateOptions = {},
): string {
  requireString('text', text)
  requireInteger('maxTokens', maxTokens, 0)
  const from = options.from ?? 'end'
  if (from !== 'start' && from !== 'end' && from !== 'middle') {
    throw new GroundlineError('INVALID_ARGUMENT', `from must be 'start', 'end' or 'middle', got ${describe(from)}`)
  }
  if (tokenizer.countUpTo(text, maxTokens) <= maxTokens) return text

  const omission = options.omission ?? (from === 'middle' ? '…' : '')
  const ends = tokenizer.offsets(text, from === 'end' ? { limit: maxTokens } : {})
  const graphemes = graphemeFinder(text)
  const head = (tokens: number): string => text.slice(0, graphemes.atOrBefore(tokens > 0 ? ends[tokens - 1]! : 0, 0))
  const tail = (tokens: number): string => {
    if (tokens === 0) return ''
    const start = tokens < ends.length ? ends[ends.length - tokens - 1]! : 0
    const boundary = graphemes.atOrBefore(start, 0)
    return text.slice(boundary === start ? start : graphemes.next(boundary))
  }

  let budget = maxTokens - tokenizer.countUpTo(omission, maxTokens)
  while (budget >= 0) {
    const tailTokens = from === 'end' ? 0 : from === 'start' ? budget : budget >> 1
    const result = head(budget - tailTokens) + omission + tail(tailTokens)
    const over = tokenizer.countUpTo(result, maxTokens + budget) - maxTokens
    if (over <= 0) return result
    budget -= over
  }
  return ''
}

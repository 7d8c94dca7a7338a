import { GroundlineError } from '../errors.ts'
import { utf8Length } from './batches.ts'

/** What is done with an input of more tokens than the model reads. */
export type OverlongPolicy = 'refuse' | 'truncate' | 'split'

/** Something that was changed in an input before it was embedded. */
export interface EmbedAdjustment {
  /** Position of the input, counted from 0. */
  readonly index: number
  /**
   * `truncated`: its end was cut off; `split`: it was embedded in pieces and their vectors averaged by tokens;
   * `surrogates-replaced`: lone surrogates became U+FFFD, because UTF-8 cannot carry them.
   */
  readonly change: 'truncated' | 'split' | 'surrogates-replaced'
}

/** What an input became: the pieces to embed, each with its share of the input's vector. */
export interface PreparedInput {
  /** At least one piece. */
  readonly pieces: readonly { readonly text: string; readonly tokens: number | undefined }[]
  /** What was changed. */
  readonly changes: readonly EmbedAdjustment['change'][]
}

/** How inputs are prepared. */
export interface PrepareOptions {
  /** The most tokens the model reads; unlimited when absent. */
  readonly inputTokens?: number | undefined
  /** Counts tokens; without it the provider decides which inputs are too long. */
  readonly countTokens?: ((text: string) => number) | undefined
  /** Whether the provider would cut without a word: then tokens are estimated where they are not counted. */
  readonly cutsOverlong?: boolean | undefined
  /** What is done with an input over `inputTokens`. */
  readonly onOverlong: OverlongPolicy
}

/** Makes one text fit for embedding, or says why it cannot be. */
export function prepareInput(index: number, text: string, options: PrepareOptions): PreparedInput | GroundlineError {
  const { inputTokens, onOverlong, cutsOverlong } = options
  const countTokens = options.countTokens ?? (cutsOverlong ? estimateTokens : undefined)
  if (text === '') {
    return new GroundlineError('INVALID_ARGUMENT', `input ${index} is empty: there is nothing to embed. Leave it out`, {
      details: { index },
    })
  }
  const wellFormed = text.toWellFormed()
  const changes: EmbedAdjustment['change'][] = wellFormed === text ? [] : ['surrogates-replaced']
  if (countTokens === undefined) return { pieces: [{ text: wellFormed, tokens: undefined }], changes }
  const tokens = countTokens(wellFormed)
  if (inputTokens === undefined || tokens <= inputTokens) return { pieces: [{ text: wellFormed, tokens }], changes }
  if (onOverlong === 'refuse') {
    const has = options.countTokens ? 'has' : 'may have'
    const advice = options.countTokens ? '' : ', or pass countTokens to have its tokens counted'
    return new GroundlineError(
      'LIMIT_EXCEEDED',
      `input ${index} ${has} ${tokens} tokens and the model reads ${inputTokens}. Chunk it, or pass onOverlong${advice}`,
      { details: { index, tokens, limit: inputTokens, counted: options.countTokens !== undefined } },
    )
  }
  const count = (from: number, to: number) => countTokens(wellFormed.slice(from, to))
  if (onOverlong === 'truncate') {
    const end = longestFit(wellFormed, 0, inputTokens, count)
    return { pieces: [{ text: wellFormed.slice(0, end), tokens: count(0, end) }], changes: [...changes, 'truncated'] }
  }
  const pieces: { text: string; tokens: number }[] = []
  for (let start = 0; start < wellFormed.length; ) {
    const end = longestFit(wellFormed, start, inputTokens, count)
    pieces.push({ text: wellFormed.slice(start, end), tokens: count(start, end) })
    start = end
  }
  return { pieces, changes: [...changes, 'split'] }
}

/** Half of the UTF-8 bytes, and a whole token for each digit: more than vocabularies need for natural language and numbers. */
export function estimateTokens(text: string): number {
  let digits = 0
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit >= 0x30 && unit <= 0x39) digits++
  }
  return Math.ceil((utf8Length(text) + digits) / 2)
}

/**
 * The end of a long run of code points from `start` that has at most `limit` tokens, at least one code point. Doubles,
 * then bisects: counts O(log n) times, never much more than the run itself.
 */
function longestFit(text: string, start: number, limit: number, count: (from: number, to: number) => number): number {
  const boundary = (at: number) => (at < text.length && (text.charCodeAt(at) & 0xfc00) === 0xdc00 ? at - 1 : at)
  const first = start + ((text.codePointAt(start) ?? 0) > 0xffff ? 2 : 1)
  let fits = first
  let reach = limit
  while (fits < text.length) {
    const end = boundary(Math.min(text.length, start + reach))
    if (end > first && count(start, end) > limit) break
    if (end > fits) fits = end
    reach *= 2
  }
  let over = Math.min(text.length, start + reach)
  while (fits + 1 < over) {
    let middle = boundary((fits + over) >> 1)
    if (middle <= fits) middle = fits + ((text.codePointAt(fits) ?? 0) > 0xffff ? 2 : 1)
    if (middle >= over) break
    if (count(start, middle) <= limit) fits = middle
    else over = middle
  }
  return fits
}

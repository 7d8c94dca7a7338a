import type { EmbedLimits } from './embedder.ts'

/** One input as the batcher sees it. */
export interface SizedInput {
  /** Its tokens, or an upper estimate. */
  readonly tokens: number
  /** Its UTF-8 bytes. */
  readonly bytes: number
}

/**
 * Cuts inputs into batches within the limits, in order, each as long as it can be. An input that alone is over a limit
 * gets a batch of its own. Yields half-open ranges of indices; linear.
 */
export function* planBatches(
  sizes: readonly SizedInput[],
  limits: EmbedLimits = {},
): Generator<{ readonly start: number; readonly end: number }> {
  const { items = Number.POSITIVE_INFINITY, batchTokens = Number.POSITIVE_INFINITY } = limits
  const { batchBytes = Number.POSITIVE_INFINITY } = limits
  let start = 0
  let tokens = 0
  let bytes = 0
  for (const [index, size] of sizes.entries()) {
    const full = index - start >= items || tokens + size.tokens > batchTokens || bytes + size.bytes > batchBytes
    if (full && index > start) {
      yield { start, end: index }
      start = index
      tokens = 0
      bytes = 0
    }
    tokens += size.tokens
    bytes += size.bytes
  }
  if (start < sizes.length) yield { start, end: sizes.length }
}

/** UTF-8 bytes of a text, without encoding it. A lone surrogate counts as the three bytes of U+FFFD. */
export function utf8Length(text: string): number {
  let bytes = text.length
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    if (unit < 0x80) continue
    if (unit < 0x800) bytes += 1
    else if (unit >= 0xd800 && unit < 0xdc00 && (text.charCodeAt(index + 1) & 0xfc00) === 0xdc00) {
      bytes += 2
      index++
    } else bytes += 2
  }
  return bytes
}

import type { Span } from '../document.ts'

/**
 * Where the source has the quoted words, exactly as they are; white space at their ends and one sign of punctuation before
 * the closing quote do not count. Of several places, the first within `near` is taken, the first of all otherwise.
 */
export function findQuote(source: string, quote: string, near?: Span): Span | undefined {
  const words = quote.trim()
  const core = words.replace(/[.,;:!?\u2026]$/, '')
  for (const wanted of core === words || core === '' ? [words] : [words, core]) {
    if (wanted === '') continue
    const close = near === undefined ? -1 : source.slice(near.start, near.end).indexOf(wanted)
    const start = close >= 0 ? near!.start + close : source.indexOf(wanted)
    if (start >= 0) return { start, end: start + wanted.length }
  }
  return undefined
}

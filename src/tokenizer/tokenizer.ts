import type { AbortOptions } from '../document.ts'

/** Turns text into the tokens of one vocabulary and back. All of it is synchronous and runs in process. */
export interface Tokenizer {
  /** Names the vocabulary: `o200k_base`, `cl100k_base`, … Two tokenizers with one id give the same tokens. */
  readonly id: string
  /** The token ids of a text. Text that looks like a special token is ordinary text; lone surrogates count as U+FFFD. */
  encode(text: string): Uint32Array
  /** The text of token ids. Bytes that are not UTF-8 become U+FFFD. Throws `INVALID_TOKEN` for an id out of range. */
  decode(tokens: ArrayLike<number>): string
  /** `encode(text).length`, without building the ids. */
  count(text: string): number
}

/** How far {@link SpanTokenizer.offsets} goes. */
export interface OffsetOptions {
  /** Stop after this many tokens; an integer of at least 0. Default: the whole text. */
  readonly limit?: number | undefined
}

/**
 * A {@link Tokenizer} whose tokens are spans of the text. This is what a chunker asks for.
 *
 * To extend a span without counting it again: `offsets` gives the token ends of a whole text in one pass, so the tokens
 * between two token ends are a difference of indices. That difference is the count of the slice as a text of its own
 * wherever a cut stands between words; elsewhere the two may differ by a few tokens, because the slice is split into
 * words anew. `count(slice)` decides; `countUpTo` decides at the cost of `limit` tokens, however long the slice is.
 */
export interface SpanTokenizer extends Tokenizer {
  /**
   * Where each token of `encode(text)` ends, in UTF-16 units; never decreasing, the last being `text.length`. Token `i`
   * is `text.slice(offsets[i - 1] ?? 0, offsets[i])`. A token that ends inside a character ends before it here, so a
   * character of several tokens belongs to the last of them and the others are empty.
   */
  offsets(text: string, options?: OffsetOptions): Uint32Array
  /** `min(count(text), limit + 1)`: stops as soon as the text is known to be longer than `limit` tokens. */
  countUpTo(text: string, limit: number): number
}

/** Counts in process. What its number means is its `kind`. */
export interface LocalTokenCounter {
  /** Names the vocabulary or the rule. */
  readonly id: string
  /** `exact`: the model's own count. `bound`: never less than it. `estimate`: may be off either way. */
  readonly kind: 'exact' | 'bound' | 'estimate'
  /** Tokens of a text. */
  count(text: string): number
}

/** Asks a provider to count. Exact, and a request each. */
export interface RemoteTokenCounter {
  /** Names the model that counts. */
  readonly id: string
  /** Always `remote`. */
  readonly kind: 'remote'
  /** Tokens of a text. */
  count(text: string, options?: AbortOptions): Promise<number>
}

/** Anything that counts tokens, with what its number means. */
export type TokenCounter = LocalTokenCounter | RemoteTokenCounter

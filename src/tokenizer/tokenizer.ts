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
  /**
   * `count(a + b)` is `count(a) + count(b)` wherever `a` ends with a line feed and `b` begins with neither white space nor a
   * slash: counts of lines can be kept and added. Absent where that is not known; whole texts are then counted.
   */
  readonly additiveAtLines?: boolean | undefined
}

/** How far {@link SpanTokenizer.offsets} goes. */
export interface OffsetOptions {
  /** Stop after this many tokens; an integer of at least 0. Default: the whole text. */
  readonly limit?: number | undefined
}

/**
 * A {@link Tokenizer} whose tokens are spans of the text. This is what a chunker asks for.
 *
 * To extend a span without counting it again: `spans(text)` counts any slice exactly after one pass over the text, at the
 * cost of a few words per slice. `offsets` gives the token ends of the whole text; a difference of their indices is the
 * count of the slice where both cuts stand between words, and close to it elsewhere. `countUpTo` costs `limit` tokens,
 * however long the text is.
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
  /** Exact counts of slices after one pass. Absent: count each slice. */
  spans?(text: string): SpanCounter
}

/** Counts slices of one text. */
export interface SpanCounter {
  /** `count(text.slice(start, end))`. Throws `INVALID_ARGUMENT` unless 0 ≤ start ≤ end ≤ text.length. */
  count(start: number, end: number): number
}

/** Counts in process. What its number means is its `kind`. */
export interface LocalTokenCounter {
  /** Names the vocabulary or the rule. */
  readonly id: string
  /** `exact`: the model's own count. `bound`: never less than it. `estimate`: may be off either way. */
  readonly kind: 'exact' | 'bound' | 'estimate'
  /** Tokens of a text. */
  count(text: string): number
  /** As {@link Tokenizer.additiveAtLines}. */
  readonly additiveAtLines?: boolean | undefined
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

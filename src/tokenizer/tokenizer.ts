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

import type { LocalTokenCounter, SpanTokenizer, Tokenizer } from './tokenizer.ts'

/**
 * A counter for models whose vocabulary is the tokenizer's. Its `kind` is the caller's claim: pass a tokenizer only
 * where the model uses it. A tokenizer's `spans` are passed on, so that chunkers read a text once.
 *
 * @example
 * ```ts
 * import { exactCounter } from 'groundline/tokenizer'
 * import { o200kBase } from 'groundline/tokenizer/o200k-base'
 *
 * const counter = exactCounter(o200kBase())
 * console.log(counter.kind, counter.count('hello world'))
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function exactCounter(
  tokenizer: Tokenizer & Partial<Pick<SpanTokenizer, 'spans'>>,
): LocalTokenCounter & Tokenizer & Partial<Pick<SpanTokenizer, 'spans'>> {
  return {
    id: tokenizer.id,
    kind: 'exact',
    additiveAtLines: tokenizer.additiveAtLines,
    encode: (text) => tokenizer.encode(text),
    decode: (tokens) => tokenizer.decode(tokens),
    count: (text) => tokenizer.count(text),
    ...(tokenizer.spans === undefined ? {} : { spans: (text: string) => tokenizer.spans!(text) }),
  }
}

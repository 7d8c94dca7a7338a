import { o200kBase } from '../tokenizer/o200k-base.ts'
import type { SpanTokenizer, Tokenizer } from '../tokenizer/tokenizer.ts'

/**
 * o200k, whose vocabulary is read when something is first counted: who opens a corpus to retrieve from it never counts.
 */
export function defaultTokenizer(): Tokenizer & Pick<SpanTokenizer, 'spans'> {
  let opened: ReturnType<typeof o200kBase> | undefined
  const own = () => {
    opened ??= o200kBase()
    return opened
  }
  return {
    id: 'o200k_base',
    additiveAtLines: true,
    encode: (text) => own().encode(text),
    decode: (tokens) => own().decode(tokens),
    count: (text) => own().count(text),
    spans: (text) => own().spans(text),
  }
}

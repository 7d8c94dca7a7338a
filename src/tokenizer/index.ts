export { byteBoundCounter } from './byte-bound-counter.ts'
export type { BytePairTokenizer, DecodeOptions } from './byte-pair-tokenizer.ts'
export { exactCounter } from './exact-counter.ts'
export type { SpecialTokenOptions } from './special-tokens.ts'
export type { TokenDecoder } from './token-decoder.ts'
export type {
  LocalTokenCounter,
  OffsetOptions,
  RemoteTokenCounter,
  SpanTokenizer,
  TokenCounter,
  Tokenizer,
} from './tokenizer.ts'
export { type TruncateOptions, truncate } from './truncate.ts'
export type { LoadVocabularyOptions, VocabularyOptions } from './vocabulary.ts'

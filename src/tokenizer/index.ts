export { byteBoundCounter } from './byte-bound-counter.ts'
export type { BytePairTokenizer, DecodeOptions } from './byte-pair-tokenizer.ts'
export { countMessages } from './count-messages.ts'
export type {
  CountedContent,
  CountedFunction,
  CountedMessage,
  CountedRequest,
  CountedTool,
} from './counted-request.ts'
export { exactCounter } from './exact-counter.ts'
export {
  type LearnedRatios,
  type LearningCounter,
  type LearningCounterOptions,
  learningCounter,
} from './learning-counter.ts'
export type { SpecialTokenOptions } from './special-tokens.ts'
export type { TokenDecoder } from './token-decoder.ts'
export type {
  LocalTokenCounter,
  OffsetOptions,
  RemoteTokenCounter,
  SpanCounter,
  SpanTokenizer,
  TokenCounter,
  Tokenizer,
} from './tokenizer.ts'
export { type TruncateOptions, truncate } from './truncate.ts'
export type { LoadVocabularyOptions, VocabularyOptions } from './vocabulary.ts'

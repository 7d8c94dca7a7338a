export { type Answer, type AnswerEvent, type AnswerOptions, answer } from './answer.ts'
export type {
  FinishReason,
  LanguageModel,
  ModelCitation,
  ModelEvent,
  ModelOptions,
  ModelUsage,
} from './language-model.ts'
export type { Citation, UnverifiedReason } from './read-citations.ts'

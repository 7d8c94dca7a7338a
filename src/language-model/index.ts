export type {
  FinishReason,
  LanguageModel,
  ModelCitation,
  ModelEvent,
  ModelOptions,
  ModelUsage,
} from './language-model.ts'

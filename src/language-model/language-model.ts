import type { AbortOptions, Span } from '../document.ts'
import type { Prompt } from '../prompt-assembler/prompt-assembler.ts'

/** What a call to a model cost. Absent members were not reported. */
export interface ModelUsage {
  /** Tokens of the prompt, cached ones included. */
  readonly inputTokens?: number
  /** Tokens of the prompt read from the provider's cache. */
  readonly cachedInputTokens?: number
  /** Tokens of the answer, reasoning included. */
  readonly outputTokens?: number
}

/** Why a model stopped. */
export type FinishReason = 'stop' | 'length' | 'refusal' | 'tool-call' | 'other'

/** A citation that a provider made itself, mapped to the prompt's sources. */
export interface ModelCitation {
  /** Number of the source, as in `Prompt.sources`; 0 for what is none of them, or more than one. */
  readonly source: number
  /** What the provider names: an address, a file. Kept where it names more than the number. */
  readonly reference?: string
  /** The quoted text, when the provider gives it. */
  readonly quote?: string
  /** The span of the document that the provider points at, when it points at one. */
  readonly span?: Span
}

/** What a model says, as it says it. The last event is `finish`. */
export type ModelEvent =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'citation'; readonly citation: ModelCitation }
  | { readonly type: 'tool-call'; readonly id: string; readonly name: string; readonly arguments: string }
  | { readonly type: 'finish'; readonly reason: FinishReason; readonly usage: ModelUsage }

/** Options of one call. */
export interface ModelOptions extends AbortOptions {
  /** The most tokens of the answer; the model's own limit by default, or what the prompt kept free where the provider wants a number. */
  readonly maxOutputTokens?: number
}

/** A model that answers prompts. An implementation makes one request; `answer` adds citations and their verification. */
export interface LanguageModel {
  /** `provider:model`. */
  readonly id: string
  /** Streams the answer. Throws `ProviderError`; an abort throws the signal's own reason. */
  stream(prompt: Prompt, options?: ModelOptions): AsyncIterable<ModelEvent>
}

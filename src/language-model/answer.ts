import type { AbortOptions } from '../document.ts'
import { GroundlineError } from '../errors.ts'
import type { Prompt, ToolCall } from '../prompt-assembler/prompt-assembler.ts'
import type { FinishReason, LanguageModel, ModelUsage } from './language-model.ts'
import { type Citation, citationReader } from './read-citations.ts'

/** Options of {@link answer}. */
export interface AnswerOptions extends AbortOptions {
  /** The most tokens of the answer. */
  readonly maxOutputTokens?: number
}

/** An answer as it stands at its end. */
export interface Answer {
  /** The whole text. */
  readonly text: string
  /** Its citations, in the order in which they were made. */
  readonly citations: readonly Citation[]
  /** Tools the model wants called. */
  readonly toolCalls: readonly ToolCall[]
  /** Why the model stopped. */
  readonly reason: FinishReason
  /** What it cost. */
  readonly usage: ModelUsage
}

/** What happens while a model answers. The last event is `done`. */
export type AnswerEvent =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'citation'; readonly citation: Citation }
  | { readonly type: 'tool-call'; readonly call: ToolCall }
  | { readonly type: 'done'; readonly answer: Answer }

/**
 * Asks a model and checks its citations while it speaks. A mark `[n]` is resolved to the source of that number; words in
 * double quotes directly before the mark are looked for in that source, and found ones are `verified` with their exact span;
 * slips of the pen are forgiven, changed numbers, negations and words are not. Everything else is `unverified` with a reason. Throws what the model throws, and `INVALID_RESPONSE` when the stream ends
 * without a finish.
 *
 * @example
 * ```ts
 * for await (const event of answer(model, prompt, { signal })) {
 *   if (event.type === 'text') process.stdout.write(event.text)
 *   if (event.type === 'done') console.log(event.answer.citations)
 * }
 * ```
 */
export async function* answer(
  model: LanguageModel,
  prompt: Prompt,
  options: AnswerOptions = {},
): AsyncGenerator<AnswerEvent, void, undefined> {
  options.signal?.throwIfAborted()
  const reader = citationReader(prompt.sources)
  const citations: Citation[] = []
  const toolCalls: ToolCall[] = []
  let text = ''
  for await (const event of model.stream(prompt, options)) {
    options.signal?.throwIfAborted()
    if (event.type === 'text') {
      text += event.text
      yield event
      for (const citation of reader.read(event.text)) {
        citations.push(citation)
        yield { type: 'citation', citation }
      }
    } else if (event.type === 'citation') {
      const citation = reader.check(event.citation)
      citations.push(citation)
      yield { type: 'citation', citation }
    } else if (event.type === 'tool-call') {
      const call = { id: event.id, name: event.name, arguments: event.arguments }
      toolCalls.push(call)
      yield { type: 'tool-call', call }
    } else {
      yield { type: 'done', answer: { text, citations, toolCalls, reason: event.reason, usage: event.usage } }
      return
    }
  }
  throw new GroundlineError(
    'INVALID_RESPONSE',
    `${model.id} ended its answer without a finish event after ${text.length} units`,
    {
      details: { model: model.id, units: text.length },
    },
  )
}

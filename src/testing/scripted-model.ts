import type { LanguageModel, ModelEvent, ModelOptions } from '../language-model/language-model.ts'
import type { Prompt } from '../prompt-assembler/prompt-assembler.ts'

/** What a scripted model says: text in one piece or several, events, or an error to throw. */
export type ScriptedReply = string | readonly (string | ModelEvent | Error)[]

/** A model that says what it is told to, and remembers what it was asked. */
export interface ScriptedModel extends LanguageModel {
  /** The prompts so far, in order. */
  readonly prompts: readonly Prompt[]
}

/**
 * A language model without a model. Each call takes the next reply; after the last one, or with a function, the same serves
 * every call. A script without a `finish` event ends with the reason `stop` and without usage.
 *
 * @example
 * ```ts
 * const model = scriptedModel('Rotate keys "every 90 days" [1].')
 * ```
 */
export function scriptedModel(
  script: ScriptedReply | ((prompt: Prompt) => ScriptedReply),
  ...further: readonly ScriptedReply[]
): ScriptedModel {
  const prompts: Prompt[] = []
  return {
    id: 'scripted:model',
    prompts,
    async *stream(prompt: Prompt, { signal }: ModelOptions = {}): AsyncGenerator<ModelEvent> {
      signal?.throwIfAborted()
      const turn = Math.min(prompts.push(prompt) - 1, further.length)
      const reply = turn === 0 ? (typeof script === 'function' ? script(prompt) : script) : further[turn - 1]!
      for (const step of typeof reply === 'string' ? [reply] : reply) {
        await Promise.resolve()
        signal?.throwIfAborted()
        if (step instanceof Error) throw step
        const event: ModelEvent = typeof step === 'string' ? { type: 'text', text: step } : step
        yield event
        if (event.type === 'finish') return
      }
      yield { type: 'finish', reason: 'stop', usage: {} }
    },
  }
}

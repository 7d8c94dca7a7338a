import type { AbortOptions } from '../../document.ts'
import { invalidResponse, providerFailure } from '../../internal/provider-error.ts'
import type { Prompt } from '../../prompt-assembler/prompt-assembler.ts'
import { type RenderAnthropicOptions, renderAnthropic } from '../../prompt-assembler/render-anthropic.ts'
import { type AnthropicConnection, anthropicClient } from './anthropic-client.ts'

/** Options of {@link anthropicPromptCounter}. */
export interface AnthropicPromptCounterOptions extends AnthropicConnection {
  /** The model's name. */
  readonly model: string
  /** How sources are sent, as with {@link anthropicModel}. */
  readonly sources?: RenderAnthropicOptions['sources']
}

/** A counter for `fitPrompt`, structurally. */
export interface AnthropicPromptCounter {
  /** Names the model that counts. */
  readonly id: string
  /** Always `remote-prompt`. */
  readonly kind: 'remote-prompt'
  /** Tokens of a prompt. */
  countPrompt(prompt: Prompt, options?: AbortOptions): Promise<number>
}

/**
 * Has Anthropic count a prompt as it would be sent (`messages.countTokens`): one request a count.
 *
 * @example
 * ```ts
 * const prompt = await fitPrompt(assembler, parts, anthropicPromptCounter({ apiKey, model: 'claude-sonnet-5' }))
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function anthropicPromptCounter(options: AnthropicPromptCounterOptions): AnthropicPromptCounter {
  const { model, apiKey, sources = 'text' } = options
  const client = anthropicClient(options)
  return {
    id: `anthropic:${model}`,
    kind: 'remote-prompt',
    async countPrompt(prompt: Prompt, { signal }: AbortOptions = {}): Promise<number> {
      signal?.throwIfAborted()
      try {
        const { messages } = await client()
        const reply = await messages.countTokens(
          { ...renderAnthropic(prompt, { sources }), model },
          { maxRetries: 0, ...(signal && { signal }) },
        )
        if (!Number.isInteger(reply.input_tokens))
          throw invalidResponse('anthropic', 'input_tokens as an integer', typeof reply.input_tokens)
        return reply.input_tokens
      } catch (error) {
        throw providerFailure('anthropic', error, { signal, secrets: [apiKey], operation: 'count tokens' })
      }
    },
  }
}

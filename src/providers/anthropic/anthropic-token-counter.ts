import type { AbortOptions } from '../../document.ts'
import { requireString } from '../../internal/argument.ts'
import { invalidResponse, providerFailure } from '../../internal/provider-error.ts'
import type { RemoteTokenCounter } from '../../tokenizer/tokenizer.ts'
import { type AnthropicConnection, anthropicClient } from './anthropic-client.ts'

/** Options of {@link anthropicTokenCounter}. */
export interface AnthropicTokenCounterOptions extends AnthropicConnection {
  /** The model's name. */
  readonly model: string
}

/**
 * Has Anthropic count a text as the one user message of a request (`messages.countTokens`): one request a count. The
 * provider's frame around the message, a few tokens, is in the number. Anthropic refuses the empty text, which is 0 here.
 *
 * @example
 * const tokens = await anthropicTokenCounter({ apiKey, model: 'claude-sonnet-5' }).count('How long is this?')
 */
// @__NO_SIDE_EFFECTS__
export function anthropicTokenCounter(options: AnthropicTokenCounterOptions): RemoteTokenCounter {
  const { model, apiKey } = options
  const client = anthropicClient(options)
  return {
    id: `anthropic:${model}`,
    kind: 'remote',
    async count(text: string, { signal }: AbortOptions = {}): Promise<number> {
      requireString('text', text)
      signal?.throwIfAborted()
      if (text === '') return 0
      try {
        const { messages } = await client()
        const reply = await messages.countTokens(
          { model, messages: [{ role: 'user', content: text }] },
          { maxRetries: 0, ...(signal && { signal }) },
        )
        if (Number.isInteger(reply?.input_tokens)) return reply.input_tokens
        throw invalidResponse('anthropic', 'input_tokens as an integer', typeof reply?.input_tokens)
      } catch (error) {
        throw providerFailure('anthropic', error, { signal, secrets: [apiKey], operation: 'count tokens' })
      }
    },
  }
}

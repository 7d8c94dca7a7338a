import type { AbortOptions } from '../../document.ts'
import { requireString } from '../../internal/argument.ts'
import { invalidResponse, providerFailure } from '../../internal/provider-error.ts'
import type { RemoteTokenCounter } from '../../tokenizer/tokenizer.ts'
import { type OpenAIConnection, openaiClient } from './openai-client.ts'

/** Options of {@link openaiTokenCounter}. */
export interface OpenAITokenCounterOptions extends OpenAIConnection {
  /** The model's name. */
  readonly model: string
}

/**
 * Has OpenAI count a text as the one user message of a response (`responses.inputTokens.count`): one request a count. The
 * provider's frame around the message, a few tokens, is in the number.
 *
 * @example
 * const tokens = await openaiTokenCounter({ apiKey, model: 'gpt-5' }).count('How long is this?')
 */
// @__NO_SIDE_EFFECTS__
export function openaiTokenCounter(options: OpenAITokenCounterOptions): RemoteTokenCounter {
  const { model, apiKey } = options
  const client = openaiClient(options)
  return {
    id: `openai:${model}`,
    kind: 'remote',
    async count(text: string, { signal }: AbortOptions = {}): Promise<number> {
      requireString('text', text)
      signal?.throwIfAborted()
      try {
        const { responses } = await client()
        const reply = await responses.inputTokens.count(
          { model, input: text },
          { maxRetries: 0, ...(signal && { signal }) },
        )
        if (Number.isInteger(reply?.input_tokens)) return reply.input_tokens
        throw invalidResponse('openai', 'input_tokens as an integer', typeof reply?.input_tokens)
      } catch (error) {
        throw providerFailure('openai', error, { signal, secrets: [apiKey], operation: 'count tokens' })
      }
    },
  }
}

import type { ChatCompletionCreateParamsStreaming } from 'openai/resources/chat/completions/completions'
import { invalidResponse, providerFailure } from '../../internal/provider-error.ts'
import type {
  FinishReason,
  LanguageModel,
  ModelEvent,
  ModelOptions,
  ModelUsage,
} from '../../language-model/language-model.ts'
import type { Prompt } from '../../prompt-assembler/prompt-assembler.ts'
import { renderOpenAIChat } from '../../prompt-assembler/render-openai-chat.ts'
import { type OpenAIAnnotation, openaiCitation } from './openai-citations.ts'
import { type OpenAIConnection, openaiClient } from './openai-client.ts'

/** Options of {@link openaiModel}. */
export interface OpenAIModelOptions extends OpenAIConnection {
  /** The model's name, as the endpoint knows it. */
  readonly model: string
  /** Added to every request: `temperature`, `reasoning_effort`, … Not for messages, tools or streaming. */
  readonly request?: Partial<Omit<ChatCompletionCreateParamsStreaming, 'messages' | 'model' | 'stream' | 'tools'>>
}

const REASONS: Readonly<Record<string, FinishReason>> = {
  stop: 'stop',
  length: 'length',
  content_filter: 'refusal',
  tool_calls: 'tool-call',
  function_call: 'tool-call',
}

/**
 * Models behind OpenAI's chat completions, through the official `openai` package with its retries off. The provider is asked
 * not to store the exchange (`store: false`); set `request.store` to change that.
 *
 * @example
 * ```ts
 * const model = openaiModel({ apiKey, model: 'gpt-5-mini' })
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function openaiModel(options: OpenAIModelOptions): LanguageModel {
  const { model, apiKey, request } = options
  const client = openaiClient(options)
  return {
    id: `openai:${model}`,
    async *stream(prompt: Prompt, { signal, maxOutputTokens }: ModelOptions = {}): AsyncGenerator<ModelEvent> {
      signal?.throwIfAborted()
      const payload = renderOpenAIChat(prompt)
      const calls = new Map<number, { id: string; name: string; arguments: string }>()
      let usage: ModelUsage = {}
      let reason: FinishReason | undefined
      try {
        const { chat } = await client()
        const chunks = await chat.completions.create(
          {
            store: false,
            ...request,
            ...payload,
            model,
            stream: true,
            stream_options: { include_usage: true },
            ...(maxOutputTokens === undefined ? {} : { max_completion_tokens: maxOutputTokens }),
          },
          { maxRetries: 0, ...(signal && { signal }) },
        )
        for await (const chunk of chunks) {
          signal?.throwIfAborted()
          if (chunk.usage) {
            const { prompt_tokens, completion_tokens, prompt_tokens_details } = chunk.usage
            const cached = prompt_tokens_details?.cached_tokens
            usage = {
              inputTokens: prompt_tokens,
              outputTokens: completion_tokens,
              ...(cached === undefined ? {} : { cachedInputTokens: cached }),
            }
          }
          // The chunk that carries the usage has no choices.
          const choice = chunk.choices[0]
          if (choice === undefined) continue
          if (choice.delta.content) yield { type: 'text', text: choice.delta.content }
          for (const annotation of annotationsOf(choice.delta)) {
            const citation = openaiCitation(prompt, annotation)
            if (citation !== undefined) yield { type: 'citation', citation }
          }
          if (choice.delta.refusal) {
            yield { type: 'text', text: choice.delta.refusal }
            reason = 'refusal'
          }
          for (const delta of choice.delta.tool_calls ?? []) {
            const call = calls.get(delta.index) ?? { id: '', name: '', arguments: '' }
            calls.set(delta.index, {
              id: call.id || (delta.id ?? ''),
              name: call.name + (delta.function?.name ?? ''),
              arguments: call.arguments + (delta.function?.arguments ?? ''),
            })
          }
          if (choice.finish_reason) reason ??= REASONS[choice.finish_reason] ?? 'other'
        }
        signal?.throwIfAborted()
        if (reason === undefined)
          throw invalidResponse('openai', 'a chunk with finish_reason', 'a stream that ended without one')
      } catch (error) {
        throw providerFailure('openai', error, { signal, secrets: [apiKey], operation: 'chat completions' })
      }
      for (const call of calls.values()) yield { type: 'tool-call', ...call }
      yield { type: 'finish', reason, usage }
    },
  }
}

/** The annotations of a delta. The SDK's types have them on whole messages only; the wire has them on deltas too. */
function annotationsOf(delta: object): readonly OpenAIAnnotation[] {
  const given: unknown = 'annotations' in delta ? delta.annotations : undefined
  return Array.isArray(given) ? given.filter((one) => typeof one?.type === 'string') : []
}

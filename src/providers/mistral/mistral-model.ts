import type { Mistral } from '@mistralai/mistralai'
import type { ProviderConnection } from '../../internal/call-provider.ts'
import { deadlineFetch } from '../../internal/deadline.ts'
import { importPeer } from '../../internal/import-peer.ts'
import { invalidResponse, providerFailure } from '../../internal/provider-error.ts'
import { requireSecureUrl } from '../../internal/transport.ts'
import type {
  FinishReason,
  LanguageModel,
  ModelEvent,
  ModelOptions,
  ModelUsage,
} from '../../language-model/language-model.ts'
import type { Prompt } from '../../prompt-assembler/prompt-assembler.ts'
import { renderMistral } from '../../prompt-assembler/render-mistral.ts'

/** Options of {@link mistralModel}. */
export interface MistralModelOptions extends ProviderConnection {
  /** A client of the `@mistralai/mistralai` package. Its address is its owner's; its retries are off for each call. */
  readonly client?: Mistral
  /** The model's name. */
  readonly model: string
  /** Added to every request: `temperature`, `safePrompt`, … Not for messages, tools or streaming. */
  readonly request?: Omit<Partial<Parameters<Mistral['chat']['stream']>[0]>, 'messages' | 'model' | 'tools' | 'stream'>
}

const REASONS: Readonly<Record<string, FinishReason>> = {
  stop: 'stop',
  length: 'length',
  model_length: 'length',
  tool_calls: 'tool-call',
}

/**
 * Mistral's models, through the official `@mistralai/mistralai` package with its retries off.
 *
 * @example
 * ```ts
 * const model = mistralModel({ apiKey, model: 'mistral-large-latest' })
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function mistralModel(options: MistralModelOptions): LanguageModel {
  const { model, apiKey = '', baseURL = 'https://api.mistral.ai', client: given, request } = options
  requireSecureUrl(baseURL, options)
  let made: Promise<Mistral> | undefined
  const make = async () => {
    const { HTTPClient, Mistral: Client } = await importPeer(
      '@mistralai/mistralai',
      () => import('@mistralai/mistralai'),
    )
    const httpClient = new HTTPClient({ fetcher: deadlineFetch('mistral', options.deadlines, options.fetch) })
    return new Client({ apiKey, serverURL: baseURL, httpClient, retryConfig: { strategy: 'none' } })
  }
  const client = async () => {
    if (given) return given
    made ??= make()
    return made
  }
  return {
    id: `mistral:${model}`,
    async *stream(prompt: Prompt, { signal, maxOutputTokens }: ModelOptions = {}): AsyncGenerator<ModelEvent> {
      signal?.throwIfAborted()
      const payload = renderMistral(prompt)
      const calls = new Map<number, { id: string; name: string; arguments: string }>()
      let usage: ModelUsage = {}
      let reason: FinishReason | undefined
      try {
        const { chat } = await client()
        const events = await chat.stream(
          { ...request, ...payload, model, ...(maxOutputTokens === undefined ? {} : { maxTokens: maxOutputTokens }) },
          { retries: { strategy: 'none' }, ...(signal && { signal }) },
        )
        for await (const { data } of events) {
          signal?.throwIfAborted()
          if (data.usage) {
            const { promptTokens, completionTokens } = data.usage
            usage = {
              ...(promptTokens !== undefined && { inputTokens: promptTokens }),
              ...(completionTokens !== undefined && { outputTokens: completionTokens }),
            }
          }
          const choice = data.choices[0]
          if (choice === undefined) continue
          const { content, toolCalls } = choice.delta
          for (const piece of typeof content === 'string' ? [content] : (content ?? [])) {
            const text = typeof piece === 'string' ? piece : piece.type === 'text' ? piece.text : ''
            if (text !== '') yield { type: 'text', text }
          }
          for (const [position, { id, index, function: called }] of (toolCalls ?? []).entries()) {
            const call = calls.get(index ?? position) ?? { id: '', name: '', arguments: '' }
            const more = typeof called.arguments === 'string' ? called.arguments : JSON.stringify(called.arguments)
            calls.set(index ?? position, {
              // The SDK fills an absent id with the word "null".
              id: call.id || (id === undefined || id === 'null' ? '' : id),
              name: call.name || called.name,
              arguments: call.arguments + more,
            })
          }
          if (choice.finishReason) reason = REASONS[choice.finishReason] ?? 'other'
        }
        signal?.throwIfAborted()
        if (reason === undefined)
          throw invalidResponse('mistral', 'a choice with finish_reason', 'a stream that ended without one')
      } catch (error) {
        throw providerFailure('mistral', error, { signal, secrets: [apiKey], operation: 'chat completions' })
      }
      for (const call of calls.values()) yield { type: 'tool-call', ...call }
      yield { type: 'finish', reason, usage }
    },
  }
}

import type { MessageCreateParamsStreaming, TextCitation } from '@anthropic-ai/sdk/resources/messages/messages'
import { invalidResponse, providerFailure } from '../../internal/provider-error.ts'
import type {
  FinishReason,
  LanguageModel,
  ModelCitation,
  ModelEvent,
  ModelOptions,
  ModelUsage,
} from '../../language-model/language-model.ts'
import type { Prompt } from '../../prompt-assembler/prompt-assembler.ts'
import {
  documentSpan,
  type RenderAnthropicOptions,
  renderAnthropic,
  searchResultSpans,
} from '../../prompt-assembler/render-anthropic.ts'
import { type AnthropicConnection, anthropicClient } from './anthropic-client.ts'

/** Options of {@link anthropicModel}. */
export interface AnthropicModelOptions extends AnthropicConnection {
  /** The model's name. */
  readonly model: string
  /**
   * How sources are sent: `text` as the prompt has them (default), or `search_result` or `document` blocks, with the
   * provider's own citations on. Blocks count differently: fit such prompts with {@link anthropicPromptCounter}.
   */
  readonly sources?: RenderAnthropicOptions['sources']
  /** Added to every request: `thinking`, `metadata`, … Not for messages, tools or streaming. */
  readonly request?: Partial<Omit<MessageCreateParamsStreaming, 'messages' | 'model' | 'stream' | 'system' | 'tools'>>
}

const REASONS: Readonly<Record<string, FinishReason>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool-call',
  refusal: 'refusal',
}

/**
 * Anthropic's models, through the official `@anthropic-ai/sdk` package with its retries off. Without `maxOutputTokens` the
 * answer may be as long as the prompt kept free for it, or 4,096 tokens where that is nothing.
 *
 * @example
 * ```ts
 * const model = anthropicModel({ apiKey, model: 'claude-sonnet-5', sources: 'search_result' })
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function anthropicModel(options: AnthropicModelOptions): LanguageModel {
  const { model, apiKey, request, sources = 'text' } = options
  const client = anthropicClient(options)
  return {
    id: `anthropic:${model}`,
    async *stream(prompt: Prompt, { signal, maxOutputTokens }: ModelOptions = {}): AsyncGenerator<ModelEvent> {
      signal?.throwIfAborted()
      const payload = renderAnthropic(prompt, { sources })
      const calls = new Map<number, { id: string; name: string; arguments: string }>()
      let usage: ModelUsage = {}
      let reason: FinishReason | undefined
      try {
        const { messages } = await client()
        const events = await messages.create(
          {
            ...request,
            ...payload,
            model,
            max_tokens: maxOutputTokens ?? (prompt.ledger.outputReserve || 4096),
            stream: true,
          },
          { maxRetries: 0, ...(signal && { signal }) },
        )
        for await (const event of events) {
          signal?.throwIfAborted()
          if (event.type === 'message_start') usage = readUsage(usage, event.message.usage)
          else if (event.type === 'message_delta') {
            usage = readUsage(usage, event.usage)
            if (event.delta.stop_reason) reason = REASONS[event.delta.stop_reason] ?? 'other'
          } else if (event.type === 'content_block_start') {
            const block = event.content_block
            if (block.type === 'tool_use') calls.set(event.index, { id: block.id, name: block.name, arguments: '' })
            else if (block.type === 'text' && block.text !== '') yield { type: 'text', text: block.text }
          } else if (event.type === 'content_block_delta') {
            const { delta } = event
            if (delta.type === 'text_delta') yield { type: 'text', text: delta.text }
            else if (delta.type === 'input_json_delta') {
              const call = calls.get(event.index)
              if (call) call.arguments += delta.partial_json
            } else if (delta.type === 'citations_delta') {
              const citation = readCitation(prompt, delta.citation)
              if (citation) yield { type: 'citation', citation }
            }
          }
        }
        signal?.throwIfAborted()
        if (reason === undefined)
          throw invalidResponse('anthropic', 'a message_delta with stop_reason', 'a stream that ended without one')
      } catch (error) {
        throw providerFailure('anthropic', error, { signal, secrets: [apiKey], operation: 'messages' })
      }
      for (const call of calls.values()) yield { type: 'tool-call', ...call, arguments: call.arguments || '{}' }
      yield { type: 'finish', reason, usage }
    },
  }
}

interface ReportedUsage {
  readonly input_tokens: number | null
  readonly output_tokens: number
  readonly cache_creation_input_tokens?: number | null
  readonly cache_read_input_tokens?: number | null
}

/** Later reports replace earlier ones member by member. `input_tokens` of the wire leaves cached tokens out; ours has them in. */
function readUsage(before: ModelUsage, reported: ReportedUsage): ModelUsage {
  const { input_tokens: fresh, cache_creation_input_tokens: written, cache_read_input_tokens: read } = reported
  const usage = { ...before, outputTokens: reported.output_tokens }
  if (typeof fresh !== 'number') return usage
  return {
    ...usage,
    inputTokens: fresh + (written ?? 0) + (read ?? 0),
    ...(typeof read === 'number' ? { cachedInputTokens: read } : {}),
  }
}

/** Maps the provider's coordinates to a source. Coordinates that fit none are passed on as source 0, which `answer` flags. */
function readCitation(prompt: Prompt, citation: TextCitation): ModelCitation | undefined {
  if (citation.type === 'search_result_location') {
    const source = prompt.sources[citation.search_result_index]
    if (source === undefined) return { source: 0, quote: citation.cited_text }
    const spans = searchResultSpans(source).slice(citation.start_block_index, citation.end_block_index)
    const span = spans.length === 0 ? {} : { span: { start: spans[0]!.start, end: spans.at(-1)!.end } }
    return { source: source.number, quote: citation.cited_text, ...span }
  }
  if (citation.type === 'char_location') {
    const source = prompt.sources[citation.document_index]
    if (source === undefined) return { source: 0, quote: citation.cited_text }
    const span = documentSpan(source, citation.start_char_index, citation.end_char_index, citation.cited_text)
    return { source: source.number, quote: citation.cited_text, ...(span && { span }) }
  }
  return undefined
}

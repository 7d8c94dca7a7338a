import type { GenerateContentConfig, GoogleGenAI, GroundingMetadata } from '@google/genai'
import type { ProviderConnection } from '../../internal/call-provider.ts'
import { deadlineFetch } from '../../internal/deadline.ts'
import { importPeer } from '../../internal/import-peer.ts'
import { invalidResponse, providerFailure } from '../../internal/provider-error.ts'
import { requireSecureUrl } from '../../internal/transport.ts'
import type {
  FinishReason,
  LanguageModel,
  ModelCitation,
  ModelEvent,
  ModelOptions,
  ModelUsage,
} from '../../language-model/language-model.ts'
import type { Prompt } from '../../prompt-assembler/prompt-assembler.ts'
import { renderGemini } from '../../prompt-assembler/render-gemini.ts'

/** Options of {@link geminiModel}. */
export interface GeminiModelOptions extends ProviderConnection {
  /** A client of the `@google/genai` package. Its address is its owner's; its retries are switched off for each call. */
  readonly client?: GoogleGenAI
  /** The model's name. */
  readonly model: string
  /** Added to every request's `config`: `temperature`, `thinkingConfig`, … Not for system text, tools or abort. */
  readonly config?: Omit<GenerateContentConfig, 'systemInstruction' | 'tools' | 'abortSignal' | 'httpOptions'>
}

const REASONS: Readonly<Record<string, FinishReason>> = {
  STOP: 'stop',
  MAX_TOKENS: 'length',
  SAFETY: 'refusal',
  RECITATION: 'refusal',
  BLOCKLIST: 'refusal',
  PROHIBITED_CONTENT: 'refusal',
  SPII: 'refusal',
}

/**
 * Google's Gemini models, through the official `@google/genai` package with its retries off. A grounding of the provider's is
 * passed on as a citation only where its text stands in exactly one source of the prompt; byte offsets are not interpreted.
 *
 * @example
 * ```ts
 * const model = geminiModel({ apiKey, model: 'gemini-2.5-flash' })
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function geminiModel(options: GeminiModelOptions): LanguageModel {
  const { model, apiKey = '', baseURL = 'https://generativelanguage.googleapis.com', client: given, config } = options
  requireSecureUrl(baseURL, options)
  let made: Promise<GoogleGenAI> | undefined
  const make = async () => {
    const { GoogleGenAI: Client } = await importPeer('@google/genai', () => import('@google/genai'))
    const fetch = deadlineFetch('gemini', options.deadlines, options.fetch)
    return new Client({ apiKey, vertexai: false, httpOptions: { baseUrl: baseURL, fetch } })
  }
  const client = async () => {
    if (given) return given
    made ??= make()
    return made
  }
  return {
    id: `gemini:${model}`,
    async *stream(prompt: Prompt, { signal, maxOutputTokens }: ModelOptions = {}): AsyncGenerator<ModelEvent> {
      signal?.throwIfAborted()
      const payload = renderGemini(prompt)
      const calls: Extract<ModelEvent, { type: 'tool-call' }>[] = []
      let usage: ModelUsage = {}
      let reason: FinishReason | undefined
      try {
        const { models } = await client()
        const chunks = await models.generateContentStream({
          model,
          contents: payload.contents,
          config: {
            ...config,
            ...payload.config,
            ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
            ...(signal && { abortSignal: signal }),
            httpOptions: { retryOptions: { attempts: 1 } },
          },
        })
        for await (const chunk of chunks) {
          signal?.throwIfAborted()
          const { usageMetadata: counted, promptFeedback } = chunk
          if (counted)
            usage = {
              ...(counted.promptTokenCount !== undefined && { inputTokens: counted.promptTokenCount }),
              ...(counted.cachedContentTokenCount !== undefined && {
                cachedInputTokens: counted.cachedContentTokenCount,
              }),
              ...(counted.candidatesTokenCount !== undefined && {
                outputTokens: counted.candidatesTokenCount + (counted.thoughtsTokenCount ?? 0),
              }),
            }
          if (promptFeedback?.blockReason) reason = 'refusal'
          const candidate = chunk.candidates?.[0]
          for (const part of candidate?.content?.parts ?? []) {
            if (part.text && part.thought !== true) yield { type: 'text', text: part.text }
            const call = part.functionCall
            if (call)
              calls.push({
                type: 'tool-call',
                id: call.id ?? `call_${calls.length}`,
                name: call.name ?? '',
                arguments: JSON.stringify(call.args ?? {}),
              })
          }
          for (const citation of readGrounding(prompt, candidate?.groundingMetadata))
            yield { type: 'citation', citation }
          if (candidate?.finishReason) reason = REASONS[candidate.finishReason] ?? 'other'
        }
        signal?.throwIfAborted()
        if (reason === undefined)
          throw invalidResponse('gemini', 'a candidate with finishReason', 'a stream that ended without one')
      } catch (error) {
        throw providerFailure('gemini', error, { signal, secrets: [apiKey], operation: 'generate content' })
      }
      yield* calls
      yield { type: 'finish', reason: calls.length > 0 && reason === 'stop' ? 'tool-call' : reason, usage }
    },
  }
}

/** Groundings whose retrieved text stands in one source; the others name nothing the prompt has. */
function readGrounding(prompt: Prompt, grounding: GroundingMetadata | undefined): readonly ModelCitation[] {
  const indices = new Set(
    (grounding?.groundingSupports ?? []).flatMap((support) => support.groundingChunkIndices ?? []),
  )
  return [...indices].flatMap((index) => {
    const quote = grounding?.groundingChunks?.[index]?.retrievedContext?.text
    if (!quote) return []
    const having = prompt.sources.filter((source) => source.text.includes(quote))
    return having.length === 1 ? [{ source: having[0]!.number, quote }] : []
  })
}

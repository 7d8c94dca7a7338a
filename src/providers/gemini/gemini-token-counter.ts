import type { GoogleGenAI } from '@google/genai'
import type { AbortOptions } from '../../document.ts'
import { requireString } from '../../internal/argument.ts'
import type { ProviderConnection } from '../../internal/call-provider.ts'
import { deadlineFetch } from '../../internal/deadline.ts'
import { importPeer } from '../../internal/import-peer.ts'
import { invalidResponse, providerFailure } from '../../internal/provider-error.ts'
import { requireSecureUrl } from '../../internal/transport.ts'
import type { RemoteTokenCounter } from '../../tokenizer/tokenizer.ts'

/** Options of {@link geminiTokenCounter}. */
export interface GeminiTokenCounterOptions extends ProviderConnection {
  /** A client of the `@google/genai` package. Its address is its owner's; its retries are switched off for each call. */
  readonly client?: GoogleGenAI
  /** The model's name. */
  readonly model: string
}

const GEMINI_URL = 'https://generativelanguage.googleapis.com'

/**
 * Has Gemini count a text as one user turn (`models.countTokens`): one request a count.
 *
 * @example
 * const tokens = await geminiTokenCounter({ apiKey, model: 'gemini-2.5-flash' }).count('How long is this?')
 */
// @__NO_SIDE_EFFECTS__
export function geminiTokenCounter(options: GeminiTokenCounterOptions): RemoteTokenCounter {
  const { model, client: given, apiKey = '', baseURL = GEMINI_URL } = options
  requireSecureUrl(baseURL, options)
  const make = async () => {
    const { GoogleGenAI: Client } = await importPeer('@google/genai', () => import('@google/genai'))
    const fetch = deadlineFetch('gemini', options.deadlines, options.fetch)
    return new Client({ apiKey, vertexai: false, httpOptions: { baseUrl: baseURL, fetch } })
  }
  let made: Promise<GoogleGenAI> | undefined
  return {
    id: `gemini:${model}`,
    kind: 'remote',
    async count(text: string, { signal }: AbortOptions = {}): Promise<number> {
      requireString('text', text)
      signal?.throwIfAborted()
      if (text === '') return 0
      try {
        if (!given) made ??= make()
        const { models } = given ?? (await made!)
        const reply = await models.countTokens({
          model,
          contents: text,
          config: { ...(signal && { abortSignal: signal }), httpOptions: { retryOptions: { attempts: 1 } } },
        })
        const total = reply?.totalTokens
        if (total !== undefined && Number.isInteger(total)) return total
        throw invalidResponse('gemini', 'totalTokens as an integer', typeof total)
      } catch (error) {
        throw providerFailure('gemini', error, { signal, secrets: [apiKey], operation: 'count tokens' })
      }
    },
  }
}

import { requireObject, requireString } from '../../internal/argument.ts'
import { type ProviderRerankerConnection, providerReranker } from '../../internal/provider-reranker.ts'
import { requireSecureUrl } from '../../internal/transport.ts'
import type { Reranker } from '../../retriever/retriever.ts'

/** Options of {@link jinaReranker}. */
export interface JinaRerankerOptions extends ProviderRerankerConnection {
  /** `jina-reranker-v3`, `jina-reranker-v2-base-multilingual`, … */
  readonly model: string
}

const JINA_URL = 'https://api.jina.ai/v1'

/**
 * Jina's rerank models over HTTP (`POST {baseURL}/rerank`), as Jina publishes no package. A server that answers in the
 * same form is named by `baseURL`. At most 1,000 passages a call. Throws `INVALID_RESPONSE` for an answer that does not
 * score each passage once.
 *
 * @example
 * const reranker = jinaReranker({ apiKey, model: 'jina-reranker-v2-base-multilingual' })
 */
// @__NO_SIDE_EFFECTS__
export function jinaReranker(options: JinaRerankerOptions): Reranker {
  requireObject('options', options, 'an object with model')
  const { model, apiKey, baseURL = JINA_URL } = options
  requireString('model', model)
  const url = `${requireSecureUrl(baseURL, options).href.replace(/\/$/, '')}/rerank`
  const headers = { 'content-type': 'application/json', ...(apiKey && { authorization: `Bearer ${apiKey}` }) }
  return providerReranker({
    provider: 'jina',
    connection: options,
    async request(query, texts, { signal, fetch }) {
      const body = JSON.stringify({ model, query, documents: texts, return_documents: false })
      const response = await fetch(url, { method: 'POST', headers, body, signal })
      const text = await response.text()
      // Read by shape, as the errors of the vendors' packages are.
      if (!response.ok)
        throw Object.assign(new Error(text.slice(0, 1_000)), { status: response.status, headers: response.headers })
      return (JSON.parse(text) as { results?: unknown }).results
    },
    row: (row) => {
      const { index, relevance_score } = row as { index?: unknown; relevance_score?: unknown }
      return { index, score: relevance_score }
    },
  })
}

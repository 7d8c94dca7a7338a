import { ProviderError } from '../errors.ts'
import { type Deadlines, deadlineFetch, type Fetch } from './deadline.ts'

/** The `fetch` of one call, and what came of it. */
export interface CallFetch {
  /** Goes into the vendor's client. */
  readonly fetch: Fetch
  /** What `fetch` threw: some clients lose the cause. Undefined when it threw nothing. */
  readonly failure: () => unknown
  /** Whether an answer with a status of success arrived. */
  readonly answered: () => boolean
}

/**
 * A `fetch` for one call to an endpoint that answers with a JSON object: reads the whole body within the deadlines, refuses
 * an answer of success that is anything else (a sign-in page, half of an answer) with a retryable `INVALID_RESPONSE`,
 * and remembers its failure. Vendors' clients differ in what they make of either.
 */
export function callFetch(
  provider: string,
  signal: AbortSignal,
  options: { readonly deadlines?: Deadlines | undefined; readonly fetch?: Fetch | undefined },
): CallFetch {
  const bounded = deadlineFetch(provider, options.deadlines, options.fetch)
  let failure: unknown
  let answered = false
  const fetch: Fetch = async (input, init = {}) => {
    try {
      const own = init.signal ?? (input instanceof Request ? input.signal : undefined)
      const response = await bounded(input, { ...init, signal: own ? AbortSignal.any([own, signal]) : signal })
      const body = await response.text()
      if (response.ok && !isJsonObject(body)) throw notJson(provider, response, body)
      answered = response.ok
      const { status, statusText, headers } = response
      // The body is decoded already.
      const plain = new Headers(headers)
      plain.delete('content-encoding')
      plain.delete('content-length')
      return new Response([204, 205, 304].includes(status) ? null : body, { status, statusText, headers: plain })
    } catch (error) {
      failure = error
      throw error
    }
  }
  return { fetch, failure: () => failure, answered: () => answered }
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}

function notJson(provider: string, { status, headers }: Response, body: string): ProviderError {
  const type = headers.get('content-type') ?? 'no content type'
  return new ProviderError(
    `${provider} sent an answer of the wrong shape: expected a JSON object, got ${body.length} units of ${type}`,
    { provider, status, retryable: true, code: 'INVALID_RESPONSE', details: { contentType: type } },
  )
}

import { isProviderError } from '../errors.ts'
import { type CallFetch, callFetch } from './call-fetch.ts'
import { type Deadlines, type Fetch, withDeadline } from './deadline.ts'
import { invalidResponse, providerFailure } from './provider-error.ts'
import type { TransportOptions } from './transport.ts'

/** How to reach a provider without a client of the caller's own. */
export interface ProviderConnection extends TransportOptions {
  /** The key. Nothing is read from the environment. */
  readonly apiKey?: string
  /** The address; the provider's own by default. */
  readonly baseURL?: string
  /** How long the parts of a call may take. With a client of the caller's own only `totalMs` counts. */
  readonly deadlines?: Deadlines
  /** Stands in for the platform's `fetch`. */
  readonly fetch?: Fetch
}

/** What one call is given. */
export interface ProviderCall {
  /** Ends the request: the caller's signal, or the deadline. */
  readonly signal: AbortSignal
  /** The `fetch` of this call, for a client made for it; a client of the caller's own has its own. */
  readonly fetch: Fetch
}

/** What a call says of itself in errors. */
export interface ProviderCallOptions {
  /** `openai`, `cohere`, … */
  readonly provider: string
  /** What is asked for: `embeddings`, `rerank`. */
  readonly operation: string
  /** Where the key and the deadline of the whole call come from. */
  readonly connection: ProviderConnection
  /** What must not appear in errors, beside the key. */
  readonly secrets?: readonly string[]
}

/** One call to a provider: within its deadline, with a `fetch` of its own, failing with typed errors only. */
export async function callProvider<T>(
  options: ProviderCallOptions,
  signal: AbortSignal | undefined,
  request: (call: ProviderCall) => Promise<T>,
): Promise<T> {
  const { provider, connection, operation, secrets = [] } = options
  let transport: CallFetch | undefined
  const call = (inner: AbortSignal) => {
    transport = callFetch(provider, inner, connection)
    return request({ signal: inner, fetch: transport.fetch })
  }
  try {
    return await withDeadline(provider, call, signal, connection.deadlines?.totalMs)
  } catch (error) {
    const failure = providerFailure(provider, transport?.failure() ?? error, {
      signal,
      secrets: [connection.apiKey, ...secrets],
      operation,
    })
    const misread = transport?.answered() === true && isProviderError(failure) && failure.code === 'PROVIDER_FAILED'
    // The answer arrived, and the vendor's client could not read it.
    throw misread && !failure.retryable ? invalidResponse(provider, 'an answer as published', failure.message) : failure
  }
}

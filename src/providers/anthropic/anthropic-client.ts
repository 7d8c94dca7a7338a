import type Anthropic from '@anthropic-ai/sdk'
import { type Deadlines, deadlineFetch, type Fetch } from '../../internal/deadline.ts'
import { importPeer } from '../../internal/import-peer.ts'
import { requireSecureUrl, type TransportOptions } from '../../internal/transport.ts'

/** How to reach Anthropic's endpoint: with a client of your own, or with a key. */
export interface AnthropicConnection extends TransportOptions {
  /** A client of the `@anthropic-ai/sdk` package. Its own retries are switched off for each call. */
  readonly client?: Anthropic
  /** The key, where no `client` is given. Nothing is read from the environment. */
  readonly apiKey?: string
  /** The address, where no `client` is given. Default `https://api.anthropic.com`. */
  readonly baseURL?: string
  /** How long the parts of a call may take, where no `client` is given. */
  readonly deadlines?: Deadlines
  /** Stands in for the platform's `fetch`, where no `client` is given. */
  readonly fetch?: Fetch
}

/**
 * The client to call, made at the first call. Throws `INSECURE_TRANSPORT` at once for an address in the clear; the promise
 * rejects with `MISSING_DEPENDENCY` when the `@anthropic-ai/sdk` package is not installed.
 */
export function anthropicClient(connection: AnthropicConnection): () => Promise<Anthropic> {
  const { client, apiKey = '', baseURL = client?.baseURL ?? 'https://api.anthropic.com' } = connection
  requireSecureUrl(baseURL, connection)
  let made: Promise<Anthropic> | undefined
  const make = async () => {
    const { Anthropic: Client } = await importPeer('@anthropic-ai/sdk', () => import('@anthropic-ai/sdk'))
    const fetch = deadlineFetch('anthropic', connection.deadlines, connection.fetch)
    return new Client({ apiKey, baseURL, maxRetries: 0, timeout: 86_400_000, fetch })
  }
  return async () => {
    if (client) return client
    made ??= make()
    return made
  }
}

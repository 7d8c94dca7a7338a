import type OpenAI from 'openai'
import { type Deadlines, deadlineFetch, type Fetch } from '../../internal/deadline.ts'
import { importPeer } from '../../internal/import-peer.ts'
import { requireSecureUrl, type TransportOptions } from '../../internal/transport.ts'

/** How to reach an OpenAI endpoint: with a client of your own, or with a key. */
export interface OpenAIConnection extends TransportOptions {
  /** A client of the `openai` package. Its own retries are switched off for each call. */
  readonly client?: OpenAI
  /** The key, where no `client` is given. Nothing is read from the environment. */
  readonly apiKey?: string
  /** The address, where no `client` is given. Default `https://api.openai.com/v1`. */
  readonly baseURL?: string
  /** How long the parts of a call may take. With a `client` only `totalMs` counts. */
  readonly deadlines?: Deadlines
  /** Stands in for the platform's `fetch`, where no `client` is given. */
  readonly fetch?: Fetch
}

const OPENAI_URL = 'https://api.openai.com/v1'

/**
 * The client to call, made at the first call. Throws `INSECURE_TRANSPORT` at once for an address in the clear;
 * the promise rejects with `MISSING_DEPENDENCY` when the `openai` package is not installed.
 */
export function openaiClient(connection: OpenAIConnection): () => Promise<OpenAI> {
  const { client, apiKey = '', baseURL = client?.baseURL ?? OPENAI_URL } = connection
  requireSecureUrl(baseURL, connection)
  let made: Promise<OpenAI> | undefined
  const make = async () => {
    const { OpenAI: Client } = await importPeer('openai', () => import('openai'))
    const fetch = deadlineFetch('openai', connection.deadlines, connection.fetch)
    // The SDK would take what is absent here from the environment.
    return new Client({ apiKey, baseURL, organization: null, project: null, maxRetries: 0, timeout: 86_400_000, fetch })
  }
  return async () => {
    if (client) return client
    made ??= make()
    return made
  }
}

import { isGroundlineError, ProviderError } from '../errors.ts'
import { redact } from './redact.ts'
import { retryAfterMs } from './retry-after.ts'

/** What is known about a call that failed. */
export interface FailureContext {
  /** The caller's signal: when it is aborted, its reason is the failure. */
  readonly signal?: AbortSignal | undefined
  /** Keys that must not appear in the error. */
  readonly secrets?: readonly (string | undefined)[]
  /** What was asked of the provider, for the message: `embeddings`, `messages`. */
  readonly operation?: string
  /** The time, in milliseconds since 1970, from which a Retry-After date counts. Default now. */
  readonly now?: number
}

const RETRYABLE = new Set([408, 409, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529])
/** Codes of a refused call that waiting does not cure, though the status is 429. */
const HOPELESS = /insufficient_quota|billing_hard_limit|credit balance is too low/i
const NETWORK_NAME = /^(?:APIConnection(?:Timeout)?Error|ConnectionError|RequestTimeoutError|TimeoutError|FetchError)$/
const NETWORK_CODE =
  /^(?:E(?:CONN(?:RESET|REFUSED|ABORTED)|PIPE|TIMEDOUT|HOSTUNREACH|NETUNREACH|AI_AGAIN|NOTFOUND)|UND_ERR_)/
const NETWORK_MESSAGE = /^(?:fetch failed|terminated|network error|connection error|load failed|failed to fetch)/i

/**
 * The error to throw when a call through a vendor's SDK failed: the signal's own reason after an abort, an error of
 * this library unchanged (also when the SDK wrapped it), a {@link ProviderError} otherwise. Reads status, headers and
 * codes by shape, so that no SDK is loaded. The provider's words are kept with keys masked; the SDK's error object is
 * not, because it holds headers, bodies and texts.
 */
export function providerFailure(provider: string, error: unknown, context: FailureContext = {}): unknown {
  if (context.signal?.aborted) return context.signal.reason
  for (const link of causes(error)) if (isGroundlineError(link)) return link
  const status = statusOf(error)
  const words = redact(messageOf(error), context.secrets)
  const malformed = error instanceof SyntaxError || (status !== undefined && status >= 200 && status < 300)
  const overQuota = status === 429 && HOPELESS.test(`${words} ${textOf(error, 'code')} ${textOf(error, 'type')}`)
  const retryable =
    status === undefined || malformed
      ? error instanceof SyntaxError || isNetworkFailure(error)
      : RETRYABLE.has(status) && !overQuota
  const answer = status === undefined ? '' : ` with status ${status}`
  return new ProviderError(`${provider} ${context.operation ?? 'call'} failed${answer}: ${words}`, {
    provider,
    status,
    retryable,
    retryAfterMs: retryable ? retryAfterMs(headersOf(error), words, context.now) : undefined,
    code: malformed ? 'INVALID_RESPONSE' : 'PROVIDER_FAILED',
    cause: plainError(error, words),
    details: { requestId: headersOf(error)?.('x-request-id') ?? headersOf(error)?.('request-id') ?? undefined },
  })
}

/** The error for an answer that arrived and does not have the published shape. */
export function invalidResponse(provider: string, expected: string, actual: string): ProviderError {
  return new ProviderError(`${provider} sent an answer of the wrong shape: expected ${expected}, got ${actual}`, {
    provider,
    retryable: false,
    code: 'INVALID_RESPONSE',
    details: { expected, actual },
  })
}

/** An error and its causes, outermost first, at most eight. */
function* causes(error: unknown): Generator<unknown> {
  let link = error
  for (let depth = 0; depth < 8 && link !== undefined && link !== null; depth++) {
    yield link
    link = property(link, 'cause')
  }
}

function isNetworkFailure(error: unknown): boolean {
  for (const link of causes(error)) {
    if (NETWORK_NAME.test(textOf(link, 'name')) || NETWORK_CODE.test(textOf(link, 'code'))) return true
    if (NETWORK_MESSAGE.test(textOf(link, 'message'))) return true
  }
  return false
}

function property(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined
}

function textOf(value: unknown, key: string): string {
  const member = property(value, key)
  return typeof member === 'string' ? member : ''
}

function statusOf(error: unknown): number | undefined {
  for (const key of ['status', 'statusCode', 'status_code']) {
    const status = property(error, key)
    if (typeof status === 'number' && status >= 100 && status < 600) return status
  }
  return undefined
}

function messageOf(error: unknown): string {
  const message = textOf(error, 'message') || String(error)
  const cause = textOf(property(error, 'cause'), 'message')
  return cause && !message.includes(cause) ? `${message} (${cause})` : message
}

/** Reads one header, from wherever the SDK keeps the headers of the answer. */
function headersOf(error: unknown): ((name: string) => string | null) | undefined {
  const places = [error, property(error, 'rawResponse'), property(error, 'response')]
  const held = places.map((place) => property(place, 'headers')).concat(property(error, 'responseHeaders'))
  for (const headers of held) {
    if (typeof headers !== 'object' || headers === null) continue
    if (headers instanceof Headers) return (name) => headers.get(name)
    const entries = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]))
    return (name) => entries.get(name) ?? null
  }
  return undefined
}

/** The error without its headers, bodies and texts. */
function plainError(error: unknown, message: string): Error {
  const plain = new Error(message)
  plain.name = textOf(error, 'name') || 'Error'
  return plain
}

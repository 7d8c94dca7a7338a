import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { GroundlineError, isProviderError, type ProviderError } from '../../src/errors.ts'
import { providerFailure } from '../../src/internal/provider-error.ts'
import { retryAfterMs } from '../../src/internal/retry-after.ts'

/** An error as the SDKs make them: fields on an Error. */
const sdkError = (fields: Record<string, unknown>, message = 'boom') => Object.assign(new Error(message), fields)
const failure = (error: unknown, context = {}): ProviderError => {
  const result = providerFailure('acme', error, context)
  if (!isProviderError(result)) throw new Error(`not a ProviderError: ${String(result)}`)
  return result
}

describe('providerFailure', () => {
  it('reads the status whichever way an SDK spells it, and says whether to retry', () => {
    for (const key of ['status', 'statusCode']) {
      for (const [status, retryable] of [
        [400, false],
        [401, false],
        [404, false],
        [413, false],
        [422, false],
        [408, true],
        [429, true],
        [500, true],
        [503, true],
        [529, true],
      ] as const) {
        expect(failure(sdkError({ [key]: status }))).toMatchObject({ status, retryable, code: 'PROVIDER_FAILED' })
      }
    }
  })

  it('does not retry a quota that waiting does not refill', () => {
    expect(failure(sdkError({ status: 429, code: 'insufficient_quota' })).retryable).toBe(false)
  })

  it('takes Retry-After from Headers, plain objects and raw responses', () => {
    expect(failure(sdkError({ status: 429, headers: new Headers({ 'retry-after': '7' }) })).retryAfterMs).toBe(7000)
    expect(failure(sdkError({ status: 429, responseHeaders: { 'Retry-After-Ms': '12' } })).retryAfterMs).toBe(12)
    const raw = { headers: new Headers({ 'retry-after': '2' }) }
    expect(failure(sdkError({ statusCode: 503, rawResponse: raw })).retryAfterMs).toBe(2000)
  })

  it('treats failures of the network as retryable and bugs as not', () => {
    const refused = Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNREFUSED' } })
    expect(failure(refused).retryable).toBe(true)
    expect(failure(sdkError({ name: 'APIConnectionError', cause: refused })).retryable).toBe(true)
    expect(failure(new TypeError("Cannot read properties of undefined (reading 'x')")).retryable).toBe(false)
  })

  it('calls an answer that does not parse INVALID_RESPONSE', () => {
    expect(failure(new SyntaxError('Unexpected token <'))).toMatchObject({ code: 'INVALID_RESPONSE', retryable: true })
    expect(failure(sdkError({ statusCode: 200 }))).toMatchObject({ code: 'INVALID_RESPONSE', retryable: false })
  })

  it('gives the reason of an aborted signal, and an error of this library, untouched', () => {
    const reason = new Error('mine')
    expect(providerFailure('acme', sdkError({ status: 500 }), { signal: AbortSignal.abort(reason) })).toBe(reason)
    const ours = new GroundlineError('LIMIT_EXCEEDED', 'too much')
    expect(providerFailure('acme', sdkError({ cause: sdkError({ cause: ours }) }))).toBe(ours)
  })

  it('shows no key anywhere, not even to inspect: the SDK error is not kept', () => {
    const key = 'sk-proj-4fGh7Kl2Qw9Er5Ty8Ui1Op3As6Df'
    const error = sdkError(
      { status: 401, headers: new Headers({ authorization: `Bearer ${key}`, 'x-request-id': 'req_1' }), body: { key } },
      `Incorrect API key provided: ${key}`,
    )
    const result = failure(error)
    expect(inspect(result, { depth: 10, showHidden: true })).not.toContain(key.slice(8))
    expect(result.details.requestId).toBe('req_1')
  })
})

describe('retryAfterMs', () => {
  it('reads seconds, fractions, dates and the delay in a body of Google', () => {
    const header = (value: string) => (name: string) => (name === 'retry-after' ? value : null)
    expect(retryAfterMs(header('1.5'))).toBe(1500)
    expect(retryAfterMs(header('Wed, 21 Oct 2015 07:28:00 GMT'), '', Date.UTC(2015, 9, 21, 7, 27, 30))).toBe(30_000)
    expect(retryAfterMs(header('Wed, 21 Oct 2015 07:28:00 GMT'), '', Date.UTC(2016, 1, 1))).toBe(0)
    expect(retryAfterMs(undefined, '{"retryDelay": "3.5s"}')).toBe(3500)
    for (const nonsense of ['', 'soon', '-4', 'NaN', 'Infinity']) expect(retryAfterMs(header(nonsense))).toBeUndefined()
  })
})

describe('JSON of an error', () => {
  it('holds name, code, message and details, what a provider said, and neither cause nor stack', () => {
    const cause = new Error('the key sk-test')
    const error = new GroundlineError('NOT_FOUND', 'there is no file a', { cause, details: { file: 'a' } })
    const { brand, ...members } = JSON.parse(JSON.stringify({ error })).error
    expect(members).toEqual({
      name: 'GroundlineError',
      code: 'NOT_FOUND',
      message: 'there is no file a',
      details: { file: 'a' },
    })
    expect(brand).toBe(error.brand)
    expect(JSON.parse(JSON.stringify(failure(sdkError({ status: 429 }, 'slow down'))))).toMatchObject({
      name: 'ProviderError',
      code: 'PROVIDER_FAILED',
      provider: 'acme',
      status: 429,
      retryable: true,
    })
  })
})

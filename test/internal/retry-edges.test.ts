import { describe, expect, it } from 'vitest'
import { GroundlineError, ProviderError } from '../../src/errors.ts'
import { circuitBreaker } from '../../src/internal/circuit-breaker.ts'
import { callWithRetry, requireRetryPolicy } from '../../src/internal/retry.ts'
import { manualClock } from '../../src/testing/index.ts'

const refusing = (status: number, retryable: boolean) =>
  new ProviderError('no', { provider: 'acme', retryable, status, code: 'PROVIDER_FAILED' })

describe('callWithRetry', () => {
  it('works without any policy, on the clock of the platform', async () => {
    expect(await callWithRetry('acme', async (signal) => signal.aborted)).toBe(false)
  })

  it('counts a refused request, and one too many, as an answer of the provider', async () => {
    const breaker = circuitBreaker({ clock: manualClock() })
    for (const error of [refusing(400, false), refusing(429, true)]) {
      for (let call = 0; call < 40; call++) {
        const failing = callWithRetry('acme', () => Promise.reject(error), {
          attempts: 1,
          breaker,
          clock: manualClock(),
        })
        await expect(failing).rejects.toMatchObject({ status: error.status, details: { attempts: 1 } })
      }
    }
    expect(await callWithRetry('acme', async () => 'still open', { breaker, clock: manualClock() })).toBe('still open')
  })

  it('stops asking a provider whose calls fail', async () => {
    const clock = manualClock()
    const breaker = circuitBreaker({ clock })
    let calls = 0
    const call = async () => {
      calls++
      throw refusing(503, true)
    }
    for (let round = 0; round < 60; round++) {
      await expect(callWithRetry('acme', call, { attempts: 1, breaker, clock })).rejects.toMatchObject({
        code: 'PROVIDER_FAILED',
      })
    }
    expect(calls).toBeLessThan(60)
  })

  it('rejects with the reason of an abort before the call, and of one during it', async () => {
    const reason = new Error('enough')
    let calls = 0
    const call = async () => void calls++
    await expect(callWithRetry('acme', call, {}, AbortSignal.abort(reason))).rejects.toBe(reason)
    expect(calls).toBe(0)
    const controller = new AbortController()
    const breaker = circuitBreaker({ clock: manualClock() })
    const during = callWithRetry(
      'acme',
      async () => {
        controller.abort(reason)
        throw refusing(503, true)
      },
      { breaker },
      controller.signal,
    )
    await expect(during).rejects.toBe(reason)
  })

  it('gives an error of this library back as it is, and makes a provider error of anything else', async () => {
    const ours = new GroundlineError('INVALID_ARGUMENT', 'too long')
    await expect(callWithRetry('acme', () => Promise.reject(ours))).rejects.toBe(ours)
    await expect(callWithRetry('acme', () => Promise.reject('a bare string'))).rejects.toMatchObject({
      code: 'PROVIDER_FAILED',
      retryable: false,
      details: { attempts: 1 },
    })
    const malformed = new ProviderError('no json', { provider: 'acme', retryable: false, code: 'INVALID_RESPONSE' })
    await expect(callWithRetry('acme', () => Promise.reject(malformed))).rejects.toMatchObject({
      code: 'INVALID_RESPONSE',
      details: { attempts: 1 },
    })
  })

  it('accepts from 1 to 10 attempts and names what it refuses', () => {
    for (const policy of [{}, { attempts: 1 }, { attempts: 10 }]) expect(requireRetryPolicy(policy)).toBeUndefined()
    for (const attempts of [0, 11, 1.5, Number.NaN]) {
      expect(() => requireRetryPolicy({ attempts })).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('attempts') }),
      )
    }
  })
})

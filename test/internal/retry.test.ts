import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ProviderError, type ProviderErrorOptions } from '../../src/errors.ts'
import { circuitBreaker } from '../../src/internal/circuit-breaker.ts'
import { callWithRetry, type RetryPolicy } from '../../src/internal/retry.ts'
import { retryBudget } from '../../src/internal/retry-budget.ts'
import { manualClock } from '../../src/testing/index.ts'

const failure = (fields: Partial<ProviderErrorOptions> = {}) =>
  new ProviderError('down', { provider: 'acme', retryable: true, status: 503, ...fields })

/** Calls with failures in front of the answer, and says when each attempt was made. */
async function attempts(failures: readonly unknown[], policy: RetryPolicy, signal?: AbortSignal) {
  const clock = manualClock()
  const at: number[] = []
  const call = async () => {
    const error = failures[at.push(clock.now()) - 1]
    if (error !== undefined) throw error
    return 'answer'
  }
  const outcome = await clock
    .runUntil(callWithRetry('acme', call, { clock, random: () => 0.5, ...policy }, signal))
    .then((value) => ({ value, error: undefined }))
    .catch((error) => ({ value: undefined, error }))
  return { ...outcome, at }
}

describe('callWithRetry', () => {
  it('makes at most as many attempts as allowed, and says how many in the error', async () => {
    const { at, error } = await attempts([failure(), failure(), failure(), failure()], {})
    expect(at).toHaveLength(3)
    expect(error).toMatchObject({ code: 'PROVIDER_FAILED', status: 503, details: { attempts: 3 } })
    expect((await attempts([failure(), failure()], {})).value).toBe('answer')
  })

  it('never repeats what waiting does not cure, nor what an inner policy has repeated', async () => {
    for (const error of [failure({ status: 400, retryable: false }), failure({ details: { attempts: 3 } })]) {
      expect((await attempts([error, error], {})).at).toHaveLength(1)
    }
    expect((await attempts([new TypeError('a bug')], {})).at).toHaveLength(1)
  })

  it('pauses for a random part of a doubling bound, up to the cap', async () => {
    await fc.assert(
      fc.asyncProperty(fc.double({ min: 0, max: 1, noNaN: true }), async (random) => {
        const { at } = await attempts(Array(5).fill(failure()), {
          attempts: 5,
          baseMs: 100,
          capMs: 300,
          random: () => random,
        })
        const pauses = at.slice(1).map((time, index) => time - (at[index] ?? 0))
        for (const [index, bound] of [100, 200, 300, 300].entries())
          expect(pauses[index]).toBeCloseTo(bound * random, 6)
      }),
      { seed: 3, numRuns: 20 },
    )
  })

  it('honours Retry-After within 10 %, and caps it', async () => {
    for (const random of [0, 1]) {
      const { at } = await attempts([failure({ retryAfterMs: 8000 })], { random: () => random })
      expect(at[1]).toBeGreaterThanOrEqual(8000)
      expect(at[1]).toBeLessThanOrEqual(8800)
    }
    expect((await attempts([failure({ retryAfterMs: 86_400_000 })], { maxRetryAfterMs: 5000 })).at).toEqual([0, 5000])
  })

  it('settles by the deadline: no pause that would end after it, no call that outlasts it', async () => {
    const { at, error } = await attempts([failure({ retryAfterMs: 8000 })], { deadlineMs: 7000 })
    expect([at.length, error.status]).toEqual([1, 503])
    const clock = manualClock()
    const hung = callWithRetry('acme', () => new Promise(() => {}), { clock, deadlineMs: 5000 })
    await expect(clock.runUntil(hung)).rejects.toMatchObject({ code: 'PROVIDER_FAILED' })
    expect(clock.now()).toBe(5000)
  })

  it('rejects with the reason of the signal, during a call and during a pause', async () => {
    const reason = new Error('enough')
    for (const call of [() => new Promise(() => {}), () => Promise.reject(failure())]) {
      const clock = manualClock()
      const controller = new AbortController()
      const result = callWithRetry('acme', call, { clock }, controller.signal)
      await new Promise(setImmediate)
      controller.abort(reason)
      await expect(result).rejects.toBe(reason)
    }
  })

  it('keeps retries a share of the calls when there is a budget', async () => {
    const budget = retryBudget({ ratio: 0.1, reserve: 5 })
    let made = 0
    for (let call = 0; call < 200; call++) made += (await attempts(Array(9).fill(failure()), { budget })).at.length
    expect(made).toBeLessThanOrEqual(200 + 200 * 0.1 + 5)
    expect(made).toBeGreaterThan(200 + 15)
  })
})

describe('circuitBreaker', () => {
  it('opens when most of the latest calls failed, lets one probe through after the pause, and closes on its answer', () => {
    const clock = manualClock()
    const breaker = circuitBreaker({ window: 10, threshold: 0.5, pauseMs: 1000, clock })
    for (let call = 0; call < 5; call++) breaker.admit('acme')('answered')
    for (let call = 0; call < 4; call++) breaker.admit('acme')('failed')
    const before = breaker.admit('acme')
    breaker.admit('acme')('failed')
    expect(() => breaker.admit('acme')).toThrow(expect.objectContaining({ retryable: true, retryAfterMs: 1000 }))
    return clock.advance(1000).then(() => {
      const probe = breaker.admit('acme')
      expect(() => breaker.admit('acme')).toThrow()
      before('answered')
      expect(() => breaker.admit('acme')).toThrow()
      probe('answered')
      breaker.admit('acme')('answered')
    })
  })

  it('stays shut while a third of the calls fail', () => {
    const breaker = circuitBreaker()
    for (let call = 0; call < 10_000; call++) breaker.admit('acme')(call % 3 === 0 ? 'failed' : 'answered')
  })

  it('opens again when the probe fails, and asks again when the probe was aborted', async () => {
    const clock = manualClock()
    const breaker = circuitBreaker({ window: 2, pauseMs: 10, clock })
    for (let call = 0; call < 2; call++) breaker.admit('acme')('failed')
    await clock.advance(10)
    breaker.admit('acme')('ignored')
    breaker.admit('acme')('failed')
    expect(() => breaker.admit('acme')).toThrow()
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type RateLimits, rateLimiter } from '../../src/internal/rate-limiter.ts'
import { manualClock } from '../../src/testing/index.ts'

interface Arrival {
  readonly at: number
  readonly tokens: number
}

/** Sends requests through a limiter and says when the provider saw each, somewhere between start and end. */
async function arrivals(
  limits: RateLimits,
  requests: readonly { readonly tokens: number; readonly travel: number; readonly back: number }[],
): Promise<{ seen: Arrival[]; took: number }> {
  const clock = manualClock()
  const limiter = rateLimiter(limits, clock)
  const wait = (ms: number) => new Promise<void>((resolve) => void clock.schedule(ms, resolve))
  const seen: Arrival[] = []
  const all = requests.map(async ({ tokens, travel, back }) => {
    const reservation = await limiter.acquire(tokens)
    await wait(travel)
    seen.push({ at: clock.now(), tokens })
    await wait(back)
    reservation.settle(tokens)
  })
  await clock.runUntil(Promise.all(all))
  return { seen: seen.sort((a, b) => a.at - b.at), took: clock.now() }
}

/** The most requests and tokens in any window of the length. */
function busiest(seen: readonly Arrival[], windowMs: number): Arrival & { readonly requests: number } {
  let [requests, tokens] = [0, 0]
  for (const [first, { at }] of seen.entries()) {
    let sum = 0
    let end = first
    for (; end < seen.length && (seen[end]?.at ?? 0) < at + windowMs; end++) sum += seen[end]?.tokens ?? 0
    requests = Math.max(requests, end - first)
    tokens = Math.max(tokens, sum)
  }
  return { at: 0, requests, tokens }
}

describe('rateLimiter', () => {
  it('never exceeds a limit in any window as the provider sees it, whatever the latencies', async () => {
    const request = fc.record({ tokens: fc.integer({ min: 1, max: 30 }), travel: fc.nat(400), back: fc.nat(400) })
    await fc.assert(
      fc.asyncProperty(fc.array(request, { maxLength: 60 }), async (requests) => {
        const { seen } = await arrivals({ requests: 7, tokens: 60, windowMs: 1000 }, requests)
        expect(seen).toHaveLength(requests.length)
        const most = busiest(seen, 1000)
        expect(most.requests).toBeLessThanOrEqual(7)
        expect(most.tokens).toBeLessThanOrEqual(60)
      }),
      { seed: 11, numRuns: 60 },
    )
  })

  it('uses at least 95 % of a limit under load: 3,000 requests at 100 a minute, answered in a second', async () => {
    const requests = Array.from({ length: 3000 }, () => ({ tokens: 1, travel: 500, back: 500 }))
    const { seen, took } = await arrivals({ requests: 100 }, requests)
    expect(busiest(seen, 60_000).requests).toBe(100)
    expect(seen.length / (100 * Math.ceil(took / 60_000))).toBeGreaterThan(0.95)
  })

  it('gives back what a request did not use, and takes what it used beyond its estimate', async () => {
    const clock = manualClock()
    const limiter = rateLimiter({ tokens: 100, windowMs: 1000 }, clock)
    ;(await limiter.acquire(90)).settle(10)
    ;(await limiter.acquire(90)).settle(200)
    let third = false
    const waiting = limiter.acquire(1).then(() => {
      third = true
    })
    await clock.advance(999)
    expect(third).toBe(false)
    await clock.advance(1)
    await waiting
  })

  it('lets requests in by the order of their calls, and passes over those that were aborted', async () => {
    const clock = manualClock()
    const limiter = rateLimiter({ requests: 1, windowMs: 10 }, clock)
    const order: number[] = []
    const reason = new Error('enough')
    const controller = new AbortController()
    const all = [0, 1, 2, 3].map(async (index) => {
      const reservation = await limiter.acquire(1, index === 1 ? controller.signal : undefined)
      order.push(index)
      reservation.settle()
    })
    controller.abort(reason)
    await expect(all[1]).rejects.toBe(reason)
    await clock.runUntil(Promise.all([all[0], all[2], all[3]]))
    expect(order).toEqual([0, 2, 3])
  })

  it('holds everything back while the provider asked to wait', async () => {
    const clock = manualClock()
    const limiter = rateLimiter({}, clock)
    limiter.pause(500)
    await clock.runUntil(limiter.acquire(1))
    expect(clock.now()).toBe(500)
  })

  it('refuses at once what can never fit, and limits that are none', async () => {
    await expect(rateLimiter({ tokens: 10 }).acquire(11)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
    expect(() => rateLimiter({ requests: 0 })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
    expect(() => rateLimiter({ tokens: Number.NaN })).toThrow()
  })
})

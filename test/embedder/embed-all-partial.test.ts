import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Embedder,
  embedAll,
  embeddingCache,
  embeddingKey,
  memoryVectorStore,
  withRetry,
} from '../../src/embedder/index.ts'
import { ProviderError } from '../../src/errors.ts'
import { fakeEmbedder, manualClock } from '../../src/testing/index.ts'

const refused = (status = 400) => new ProviderError('refused', { provider: 'acme', retryable: false, status })
const unavailable = (status = 503) => new ProviderError('down', { provider: 'acme', retryable: true, status })
const texts = (count: number) => Array.from({ length: count }, (_, index) => `text ${index}`)
const fake = fakeEmbedder()

/** A provider that refuses batches with a poisoned text, and notes what it billed. */
function poisoned(poison: ReadonlySet<string>, items = 16, error: () => Error = refused) {
  const billed: string[] = []
  const embedder: Embedder = {
    ...fakeEmbedder({ limits: { items } }),
    async embed(inputs) {
      if (inputs.some((input) => poison.has(input))) throw error()
      billed.push(...inputs)
      return fake.embed(inputs)
    },
  }
  return { embedder, billed }
}

describe('embedAll with poison among the inputs', () => {
  it('stores all the others, each billed once, wherever the poison is', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 80 }),
        fc.array(fc.nat(79), { maxLength: 5 }),
        fc.constantFrom(
          refused,
          () => refused(422),
          () => unavailable(500),
          () => new Error('not of this library'),
        ),
        async (count, positions, error) => {
          const inputs = texts(count)
          const poison = new Set(positions.map((position) => `text ${position}`))
          const { embedder, billed } = poisoned(poison, 16, error)
          const { vectors, failures } = await embedAll(embedder, inputs, { retry: { baseMs: 0, attempts: 2 } })
          const good = inputs.filter((input) => !poison.has(input))
          expect(billed.toSorted()).toEqual(good.toSorted())
          expect(failures.map(({ index }) => inputs[index])).toEqual(inputs.filter((input) => poison.has(input)))
          const expected = (await fake.embed(inputs)).vectors
          for (const [index, vector] of vectors.entries())
            expect(vector).toEqual(poison.has(inputs[index] ?? '') ? undefined : expected[index])
        },
      ),
      { seed: 21, numRuns: 100 },
    )
  })

  it('does not bisect what no other input would change: a wrong key ends the whole run at once', async () => {
    let calls = 0
    const locked: Embedder = {
      ...fakeEmbedder({ limits: { items: 10 } }),
      async embed() {
        calls++
        throw refused(401)
      },
    }
    const { failures } = await embedAll(locked, texts(1000), { concurrency: 1 })
    expect(failures).toHaveLength(1000)
    expect(calls).toBe(1)
  })

  it('gives up after a few single inputs when nothing at all is accepted', async () => {
    let calls = 0
    const wrong: Embedder = {
      ...fakeEmbedder({ limits: { items: 128 } }),
      async embed() {
        calls++
        throw refused(400)
      },
    }
    const { failures } = await embedAll(wrong, texts(1000))
    expect(failures).toHaveLength(1000)
    expect(calls).toBeLessThan(100)
  })

  it('asks again for a single input whose answer had the wrong shape, three times at the most', async () => {
    for (const [good, attempts] of [
      [3, 3],
      [9, 3],
    ] as const) {
      let calls = 0
      const flaky: Embedder = {
        ...fake,
        embed: async (inputs) => (++calls < good ? { vectors: [], usage: {} } : fake.embed(inputs)),
      }
      const { vectors, failures } = await embedAll(flaky, ['one'], { retry: { baseMs: 0 } })
      expect(calls).toBe(attempts)
      expect(vectors[0] !== undefined).toBe(good === 3)
      expect(failures).toHaveLength(good === 3 ? 0 : 1)
      for (const { error } of failures) expect(error.code).toBe('INVALID_RESPONSE')
    }
  })

  it('does not bisect an outage', async () => {
    const { embedder } = poisoned(new Set(['text 0']), 16, unavailable)
    let calls = 0
    const counted: Embedder = { ...embedder, embed: (inputs) => embedder.embed(inputs).finally(() => calls++) }
    const { failures } = await embedAll(counted, texts(16), { retry: { baseMs: 0 } })
    expect(failures).toHaveLength(16)
    expect(calls).toBe(3)
  })
})

describe('embedAll and its retries', () => {
  it('never makes more than three attempts a call, also around an embedder that retries itself', async () => {
    let calls = 0
    const down: Embedder = {
      ...fake,
      async embed() {
        calls++
        throw unavailable()
      },
    }
    await embedAll(withRetry(down, { baseMs: 0 }), ['one'], { retry: { baseMs: 0 } })
    expect(calls).toBe(3)
  })

  it('settles 10,000 calls at once with 35 % faults by their deadline, and pairs every text with its own vector', async () => {
    const clock = manualClock()
    let seed = 1
    const random = () => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
      return seed / 2 ** 32
    }
    const faults: readonly (() => Promise<never>)[] = [
      () => Promise.reject(unavailable(503)),
      () => Promise.reject(unavailable(429)),
      () => Promise.reject(new TypeError('fetch failed')),
      () => Promise.reject(refused(400)),
      () => new Promise(() => {}),
      () => Promise.reject(new SyntaxError('Unexpected token <')),
    ]
    const flaky: Embedder = {
      ...fake,
      async embed(inputs) {
        await new Promise<void>((resolve) => void clock.schedule(Math.round(random() * 20) * 10, resolve))
        if (random() < 0.35) return (faults[Math.floor(random() * faults.length)] ?? faults[0]!)()
        if (random() < 0.02) return { vectors: [], usage: {} }
        return fake.embed(inputs)
      },
    }
    const inputs = texts(10_000)
    const retry = { clock, deadlineMs: 30_000, random }
    const results = await clock.runUntil(Promise.all(inputs.map((input) => embedAll(flaky, [input], { retry }))))
    expect(clock.now()).toBeLessThanOrEqual(30_000)
    const expected = (await fake.embed(inputs)).vectors
    let done = 0
    for (const [index, { vectors, failures }] of results.entries()) {
      const [vector] = vectors
      if (failures.length !== (vector ? 0 : 1)) throw new Error(`text ${index} has neither or both`)
      if (!vector) continue
      if (!vector.every((component, at) => component === expected[index]?.[at])) throw new Error(`text ${index}: wrong`)
      done++
    }
    expect(done).toBeGreaterThan(8000)
  }, 60_000)

  it('rejects in the next turns of the event loop after an abort, although calls ignore their signal', async () => {
    const deaf: Embedder = { ...fake, embed: () => new Promise(() => {}) }
    const controller = new AbortController()
    const reason = new Error('enough')
    const run = embedAll(deaf, texts(100), { signal: controller.signal, concurrency: 50 })
    await new Promise(setImmediate)
    let outcome: unknown
    run.catch((error) => {
      outcome = error
    })
    controller.abort(reason)
    for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate)
    expect(outcome).toBe(reason)
  })
})

describe('embedAll and its inputs', () => {
  it('embeds equal texts once', async () => {
    const { embedder, billed } = poisoned(new Set())
    const { vectors } = await embedAll(embedder, ['a', 'b', 'a', 'a', 'b'])
    expect(billed).toEqual(['a', 'b'])
    expect(vectors).toEqual((await fake.embed(['a', 'b', 'a', 'a', 'b'])).vectors)
  })

  it('fails empty texts and goes on with the others', async () => {
    const { failures, vectors } = await embedAll(fake, ['', 'a', ''])
    expect(failures.map(({ index, error }) => [index, error.code])).toEqual([
      [0, 'INVALID_ARGUMENT'],
      [2, 'INVALID_ARGUMENT'],
    ])
    expect(vectors[1]).toBeInstanceOf(Float32Array)
  })

  it('replaces lone surrogates and says so, and leaves pairs alone', async () => {
    const { embedder, billed } = poisoned(new Set())
    const { adjustments } = await embedAll(embedder, ['a\ud83d', '👍'])
    expect(adjustments).toEqual([{ index: 0, change: 'surrogates-replaced' }])
    expect(billed).toEqual(['a\ufffd', '👍'])
  })

  const counter = (text: string) => [...text].length
  const narrow = (inputTokens: number) => {
    const { embedder, billed } = poisoned(new Set())
    const strict: Embedder = {
      ...embedder,
      limits: { inputTokens },
      async embed(inputs, options) {
        for (const input of inputs) if (counter(input) > inputTokens) throw new Error(`over-long: ${input}`)
        return embedder.embed(inputs, options)
      },
    }
    return { strict, billed }
  }

  it('refuses, cuts or splits over-long texts as told, and never silently', async () => {
    const text = 'abcdefghij👍👍k'
    for (const onOverlong of ['refuse', 'truncate', 'split'] as const) {
      const { strict, billed } = narrow(5)
      const result = await embedAll(strict, [text, 'short'], { countTokens: counter, onOverlong })
      if (onOverlong === 'refuse') {
        expect(result.failures).toMatchObject([{ index: 0, error: { code: 'LIMIT_EXCEEDED' } }])
        expect(billed).toEqual(['short'])
        continue
      }
      expect(result.failures).toEqual([])
      expect(result.adjustments).toEqual([{ index: 0, change: onOverlong === 'truncate' ? 'truncated' : 'split' }])
      expect(billed).toEqual(onOverlong === 'truncate' ? ['abcde', 'short'] : ['abcde', 'fghij', '👍👍k', 'short'])
      const squares = result.vectors[0]?.reduce((sum, component) => sum + component * component, 0)
      expect(squares).toBeCloseTo(1, 5)
    }
  })

  it('splits any text into pieces that fit, are as long as they can be, and join to the text', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 9 }),
        async (text, limit) => {
          const { strict, billed } = narrow(limit)
          const { failures } = await embedAll(strict, [text], { countTokens: counter, onOverlong: 'split' })
          expect(failures).toEqual([])
          const whole = [...text]
          const pieces = Array.from({ length: Math.ceil(whole.length / limit) }, (_, piece) =>
            whole.slice(piece * limit, (piece + 1) * limit).join(''),
          )
          expect(billed).toEqual([...new Set(pieces)])
        },
      ),
      { seed: 8, numRuns: 200 },
    )
  })

  it('sums up what it cost', async () => {
    const { usage } = await embedAll(fake, ['abcd', 'ef'], { pricePerMillionTokens: 20 })
    expect(usage).toEqual({ calls: 1, tokens: 6, cost: 0.00012 })
  })

  it('keeps what was finished before an abort, and pays for it once', async () => {
    const cache = embeddingCache(memoryVectorStore())
    const controller = new AbortController()
    const { embedder, billed } = poisoned(new Set(), 10)
    const stopping: Embedder = {
      ...embedder,
      async embed(inputs, options) {
        if (inputs.includes('text 50')) controller.abort(new Error('stop'))
        return embedder.embed(inputs, options)
      },
    }
    await expect(embedAll(stopping, texts(100), { cache, concurrency: 1, signal: controller.signal })).rejects.toThrow()
    const { failures } = await embedAll(embedder, texts(100), { cache, concurrency: 1 })
    expect(failures).toEqual([])
    // The batch that was answered in the instant of the abort is the only one that may be paid for twice.
    expect(billed.length).toBeLessThanOrEqual(110)
    expect(new Set(billed).size).toBe(100)
    await cache.remove([embeddingKey(fake.space, 'document', 'text 3')])
    expect(cache.stats().entries).toBe(99)
  })
})

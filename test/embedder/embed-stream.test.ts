import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type EmbeddedItem,
  type Embedder,
  embedAll,
  embeddingCache,
  embedStream,
  memoryVectorStore,
} from '../../src/embedder/index.ts'
import { ProviderError } from '../../src/errors.ts'
import { fakeEmbedder } from '../../src/testing/index.ts'

const fake = fakeEmbedder({ limits: { items: 4 } })

/** Yields texts one by one and notes how far it was read and whether it was ended. */
function source(count: number, text = (index: number) => `text ${index}`) {
  const seen = { read: 0, ended: false }
  async function* read(): AsyncGenerator<string> {
    try {
      for (let index = 0; index < count; index++) {
        seen.read++
        yield text(index)
      }
    } finally {
      seen.ended = true
    }
  }
  return { seen, texts: read() }
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const out: T[] = []
  for await (const item of items) out.push(item)
  return out
}

describe('embedStream', () => {
  it('yields what embedAll gives for the array, in order, for any window, source and poison', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.string(), fc.constantFrom('', 'same', 'a\ud800', 'poison')), { maxLength: 60 }),
        fc.integer({ min: 1, max: 70 }),
        fc.boolean(),
        async (texts, windowItems, late) => {
          const embedder: Embedder = {
            ...fake,
            async embed(inputs, options) {
              if (inputs.includes('poison'))
                throw new ProviderError('refused', { provider: 'acme', retryable: false, status: 400 })
              return fake.embed(inputs, options)
            },
          }
          const whole = await embedAll(embedder, texts)
          const inputs = late ? source(texts.length, (at) => texts[at] ?? '').texts : texts.values()
          const items = await all(embedStream(embedder, inputs, { windowItems }))
          expect(items.map(({ index }) => index)).toEqual(texts.map((_, index) => index))
          expect(items.map(({ input }) => input)).toEqual(texts)
          expect(items.map(({ vector }) => vector)).toEqual(whole.vectors)
          const failed = items.filter(({ error }) => error)
          expect(failed.map(({ index, error }) => [index, error?.message])).toEqual(
            whole.failures.map(({ index, error }) => [index, error.message]),
          )
          expect(items.flatMap(({ index, changes }) => changes.map((change) => ({ index, change })))).toEqual(
            whole.adjustments,
          )
        },
      ),
      { seed: 31, numRuns: 150 },
    )
  })

  it('reads ahead by two windows and no further, whatever the length of the source', async () => {
    const { seen, texts } = source(100_000)
    let furthest = 0
    let done = 0
    for await (const { index } of embedStream(fake, texts, { windowItems: 50 })) {
      done = index + 1
      furthest = Math.max(furthest, seen.read - done)
      if (done === 5000) break
    }
    expect(furthest).toBeLessThanOrEqual(150)
    expect(done).toBe(5000)
    expect(seen.ended).toBe(true)
  })

  it('closes a window early when its texts are long', async () => {
    const { seen, texts } = source(20, (index) => `${index} ${'x'.repeat(3 << 20)}`)
    for await (const item of embedStream(fake, texts)) {
      expect(item.index).toBe(0)
      break
    }
    expect(seen.read).toBeLessThanOrEqual(4)
  })

  it('keeps as many calls under way as asked for, across windows too', async () => {
    let [now, most] = [0, 0]
    const slow: Embedder = {
      ...fake,
      async embed(inputs, options) {
        most = Math.max(most, ++now)
        await new Promise((resolve) => setImmediate(resolve))
        now--
        return fake.embed(inputs, options)
      },
    }
    expect(await all(embedStream(slow, source(400).texts, { concurrency: 3, windowItems: 20 }))).toHaveLength(400)
    expect(most).toBe(3)
  })

  it('returns the usage of all calls, and an unknown one when an answer did not say', async () => {
    const usageOf = async (stream: AsyncGenerator<EmbeddedItem, unknown>) => {
      for (;;) {
        const step = await stream.next()
        if (step.done) return step.value
      }
    }
    const options = { windowItems: 8, pricePerMillionTokens: 2 }
    const whole = await embedAll(fake, await all(source(30).texts), options)
    expect(await usageOf(embedStream(fake, source(30).texts, options))).toEqual(whole.usage)
    expect(await usageOf(embedStream(fake, []))).toEqual({ calls: 0, tokens: 0 })
    const silent: Embedder = { ...fake, embed: async (inputs) => ({ ...(await fake.embed(inputs)), usage: {} }) }
    expect(await usageOf(embedStream(silent, source(30).texts, options))).toEqual({ calls: 8 })
  })

  it('cancels the calls under way when the loop is left, and ends the source', async () => {
    const signals: (AbortSignal | undefined)[] = []
    const half: Embedder = {
      ...fake,
      embed: (inputs, options) => {
        signals.push(options?.signal)
        return inputs.includes('text 0') ? fake.embed(inputs) : new Promise(() => {})
      },
    }
    const { seen, texts } = source(1000)
    for await (const _ of embedStream(half, texts, { windowItems: 4 })) break
    expect(seen.ended).toBe(true)
    expect(signals.length).toBeGreaterThan(1)
    for (const signal of signals) expect(signal?.aborted).toBe(true)
  })

  it('throws what the source throws and the reason of an abort, untouched', async () => {
    const broken = new Error('disk')
    async function* failing() {
      yield 'one'
      throw broken
    }
    await expect(all(embedStream(fake, failing()))).rejects.toBe(broken)
    await expect(embedAll(fake, failing())).rejects.toBe(broken)
    const reason = new Error('enough')
    const controller = new AbortController()
    const run = async () => {
      for await (const { index } of embedStream(fake, source(1000).texts, {
        windowItems: 10,
        signal: controller.signal,
      }))
        if (index === 15) controller.abort(reason)
    }
    await expect(run()).rejects.toBe(reason)

    async function* silent(): AsyncGenerator<string> {
      yield 'one'
      await new Promise(() => {})
    }
    const other = new AbortController()
    const waiting = embedStream(fake, silent(), { signal: other.signal }).next()
    setImmediate(() => other.abort(reason))
    await expect(waiting).rejects.toBe(reason)
  })

  it('embeds equal texts once: within a window without a cache, anywhere with one', async () => {
    const billed: string[] = []
    const counting: Embedder = {
      ...fake,
      embed: (inputs) => {
        billed.push(...inputs)
        return fake.embed(inputs)
      },
    }
    const repeated = () => source(40, (index) => `text ${index % 5}`).texts
    await all(embedStream(counting, repeated(), { windowItems: 20 }))
    expect(billed.length).toBeLessThanOrEqual(10)
    billed.length = 0
    await all(embedStream(counting, repeated(), { windowItems: 10, cache: embeddingCache(memoryVectorStore()) }))
    expect(billed).toHaveLength(5)
  })

  it('refuses windows and concurrency that are no counts', async () => {
    for (const options of [{ windowItems: 0 }, { windowItems: 1.5 }, { concurrency: 0 }])
      await expect(embedStream(fake, ['a'], options).next()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })
})

describe('embedAll of inputs that are no array', () => {
  it('gives the same result as for the array', async () => {
    const texts = ['one', '', 'two', 'b\ud800', 'one']
    const whole = await embedAll(fake, texts)
    expect(await embedAll(fake, texts.values())).toEqual(whole)
    expect(await embedAll(fake, new Set(['one', 'two']))).toEqual(await embedAll(fake, ['one', 'two']))
    expect(await embedAll(fake, source(5, (at) => texts[at] ?? '').texts)).toEqual(whole)
  })
})

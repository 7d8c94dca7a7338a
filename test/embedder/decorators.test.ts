import { describe, expect, it } from 'vitest'
import {
  type Embedder,
  type EmbedEvent,
  embeddingCache,
  lexicalHashEmbedder,
  memoryVectorStore,
  promptsFor,
  rateLimiter,
  requireSameSpace,
  spaceFingerprint,
  withCache,
  withDimensions,
  withPrompts,
  withRateLimit,
  withRetry,
  withTelemetry,
} from '../../src/embedder/index.ts'
import { ProviderError } from '../../src/errors.ts'
import { embedderConformance, fakeEmbedder, manualClock } from '../../src/testing/index.ts'

const decorated: readonly [string, () => Embedder][] = [
  ['withDimensions', () => withDimensions(fakeEmbedder(), 5)],
  ['withPrompts', () => withPrompts(fakeEmbedder(), { query: 'query: ', document: 'passage: ' })],
  ['withCache', () => withCache(fakeEmbedder(), embeddingCache(memoryVectorStore()))],
  ['withRateLimit', () => withRateLimit(fakeEmbedder(), rateLimiter({ requests: 100, tokens: 100_000 }))],
  ['withRetry', () => withRetry(fakeEmbedder())],
  ['withTelemetry', () => withTelemetry(fakeEmbedder(), () => {})],
  ['all of them', () => all(fakeEmbedder())],
]
const all = (embedder: Embedder) =>
  withTelemetry(
    withCache(
      withDimensions(
        withPrompts(withRetry(withRateLimit(embedder, rateLimiter({}))), { query: 'q', document: 'd' }),
        6,
      ),
      embeddingCache(memoryVectorStore()),
    ),
    () => {},
  )

for (const [name, create] of decorated) {
  describe(name, () => {
    for (const { name, run } of embedderConformance({ create })) it(name, run)
  })
}

describe('withDimensions', () => {
  it('keeps the direction of the first components, at unit length', async () => {
    const [full] = (await fakeEmbedder().embed(['a'])).vectors
    const [short] = (await withDimensions(fakeEmbedder(), 3).embed(['a'])).vectors
    const scale = (full?.[0] ?? 0) / (short?.[0] ?? 1)
    for (const [index, component] of (short ?? []).entries())
      expect(component * scale).toBeCloseTo(full?.[index] ?? 0, 6)
  })

  it('makes a space of its own, and refuses to lengthen', () => {
    const embedder = fakeEmbedder()
    const short = withDimensions(embedder, 3)
    expect(() => requireSameSpace(embedder.space, short.space)).toThrow(
      expect.objectContaining({
        code: 'SPACE_MISMATCH',
        message: expect.stringContaining('dimensions is 3 instead of 8'),
      }),
    )
    expect(() => withDimensions(embedder, 9)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  })

  it('refuses a vector whose first components are all zero', async () => {
    const zero: Embedder = {
      ...fakeEmbedder(),
      embed: async () => ({ vectors: [Float32Array.of(0, 0, 0, 1, 0, 0, 0, 0)], usage: {} }),
    }
    await expect(withDimensions(zero, 3).embed(['a'])).rejects.toMatchObject({ code: 'INVALID_RESPONSE' })
  })
})

describe('withPrompts', () => {
  it('puts the prompt of the role in front, and into the space', async () => {
    const seen: string[] = []
    const spy: Embedder = {
      ...lexicalHashEmbedder(),
      space: { model: 'intfloat/multilingual-e5-small', dimensions: 1024, normalized: true },
      embed: (inputs, options) => {
        seen.push(...inputs)
        return lexicalHashEmbedder().embed(inputs, options)
      },
    }
    const embedder = withPrompts(spy)
    await embedder.embed(['a'], { role: 'query' })
    await embedder.embed(['a'])
    expect(seen).toEqual(['query: a', 'passage: a'])
    expect(embedder.space).toMatchObject({ queryPrompt: 'query: ', documentPrompt: 'passage: ' })
    expect(spaceFingerprint(embedder.space)).not.toBe(spaceFingerprint(spy.space))
    expect(() => withPrompts(embedder)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  })

  it('knows the families, and says when it does not', () => {
    expect(promptsFor('BAAI/bge-small-en-v1.5')?.query).toMatch(/^Represent/)
    expect(promptsFor('nomic-embed-text')).toEqual({ query: 'search_query: ', document: 'search_document: ' })
    expect(promptsFor('e5-base-v2')?.document).toBe('passage: ')
    expect(promptsFor('multilingual-e5-large-instruct')?.document).toBe('')
    expect(promptsFor('BAAI/bge-m3')?.query).toBe('')
    expect(promptsFor('sentence-transformers/all-MiniLM-L6-v2')).toEqual({ query: '', document: '' })
    expect(promptsFor('something-else')).toBeUndefined()
    expect(() => withPrompts(fakeEmbedder())).toThrow(expect.objectContaining({ code: 'UNKNOWN_MODEL' }))
  })
})

describe('withRateLimit', () => {
  it('holds back all calls of a shared limiter when the provider asked to wait', async () => {
    const clock = manualClock()
    const limiter = rateLimiter({}, clock)
    const error = new ProviderError('slow down', { provider: 'acme', status: 429, retryable: true, retryAfterMs: 700 })
    const refusing = withRateLimit({ ...fakeEmbedder(), embed: () => Promise.reject(error) }, limiter)
    await expect(refusing.embed(['a'])).rejects.toBe(error)
    await clock.runUntil(withRateLimit(fakeEmbedder(), limiter).embed(['a']))
    expect(clock.now()).toBe(700)
  })

  it('settles with the tokens billed', async () => {
    const clock = manualClock()
    const limiter = rateLimiter({ tokens: 10 }, clock)
    const embedder = withRateLimit(fakeEmbedder(), limiter, { countTokens: () => 10 })
    await clock.runUntil(embedder.embed(['abcde']))
    await clock.runUntil(withRateLimit(fakeEmbedder(), limiter, { countTokens: () => 5 }).embed(['abcde']))
    expect(clock.now()).toBe(0)
  })
})

describe('withTelemetry', () => {
  it('reports each call without a word of its content', async () => {
    const events: EmbedEvent[] = []
    await withTelemetry(fakeEmbedder(), (event) => events.push(event)).embed(['secret text'], { role: 'query' })
    const error = new ProviderError('refused: secret text', { provider: 'acme', status: 400, retryable: false })
    const failing = withTelemetry({ ...fakeEmbedder(), embed: () => Promise.reject(error) }, (event) =>
      events.push(event),
    )
    await expect(failing.embed(['secret text'])).rejects.toBe(error)
    await expect(failing.embed(['secret text'], { signal: AbortSignal.abort() })).rejects.toBeDefined()
    expect(events).toMatchObject([
      { model: 'groundline-fake', role: 'query', inputs: 1, tokens: 11, outcome: 'ok' },
      { role: 'document', outcome: 'PROVIDER_FAILED', status: 400 },
      { outcome: 'aborted' },
    ])
    expect(JSON.stringify(events)).not.toContain('secret')
  })
})

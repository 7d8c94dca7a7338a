import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import type { EmbeddingModelV3 } from '@ai-sdk/provider'
import { describe, expect, it } from 'vitest'
import { embedAll } from '../../../src/embedder/index.ts'
import { requireSecureUrl } from '../../../src/internal/transport.ts'
import { fromAiSdk } from '../../../src/providers/ai-sdk/index.ts'
import { describeEmbedder } from '../embedder-contract.ts'

// A real model of the AI SDK, `@ai-sdk/openai-compatible`, over OpenAI's `POST /embeddings`. The SDK gives vectors in the
// order of the answer and drops the index. It owns the transport; the adapter cannot see its address.

const model = (baseURL: string, apiKey: string) => {
  requireSecureUrl(baseURL)
  return createOpenAICompatible({ name: 'acme', baseURL, apiKey }).embeddingModel('m')
}

describeEmbedder({
  provider: 'acme.embedding',
  make: ({ baseURL, apiKey, deadlines = {} }) => fromAiSdk(model(baseURL, apiKey), { dimensions: 16, deadlines }),
  inputsOf: ({ input }: { input: string[] }) => input,
  reply: (vectors, tokens) => ({
    data: vectors.map((embedding) => ({ embedding })),
    usage: { prompt_tokens: tokens },
  }),
  rows: { path: ['data'], vector: 'embedding' },
  refusal: (message) => ({ error: { message } }),
  ownFetch: false,
})

/** A model that notes how many of its calls run at once. */
function counting(over: Partial<EmbeddingModelV3> = {}) {
  const seen = { running: 0, most: 0, calls: 0 }
  const fake: EmbeddingModelV3 = {
    specificationVersion: 'v3',
    provider: 'acme',
    modelId: 'm',
    maxEmbeddingsPerCall: Promise.resolve(2),
    supportsParallelCalls: Promise.resolve(false),
    async doEmbed({ values }) {
      seen.calls++
      seen.most = Math.max(seen.most, ++seen.running)
      await new Promise(setImmediate)
      seen.running--
      return { embeddings: values.map((value) => [value.length, 1]), warnings: [] }
    },
    ...over,
  }
  return { fake, seen }
}

describe('fromAiSdk', () => {
  it('finds out length and limit, and runs calls in turn where the model wants that', async () => {
    const { fake, seen } = counting()
    const embedder = await fromAiSdk(fake)
    expect(embedder).toMatchObject({ dimensions: 2, limits: { items: 2 }, space: { model: 'm', normalized: false } })
    const { failures, usage } = await embedAll(embedder, ['a', 'bb', 'ccc', 'dddd', 'eeeee'], { concurrency: 4 })
    expect(failures).toEqual([])
    expect([seen.calls, seen.most, usage.tokens]).toEqual([4, 1, undefined])
  })

  it('runs calls at the same time where the model allows that', async () => {
    const { fake, seen } = counting({ supportsParallelCalls: true, maxEmbeddingsPerCall: Number.POSITIVE_INFINITY })
    const embedder = await fromAiSdk(fake, { dimensions: 2 })
    expect(embedder.limits).toEqual({})
    await Promise.all(['a', 'b', 'c'].map((text) => embedder.embed([text])))
    expect(seen.most).toBe(3)
  })
})

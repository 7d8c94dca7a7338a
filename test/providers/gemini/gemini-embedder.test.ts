import { GoogleGenAI } from '@google/genai'
import { describe, expect, it } from 'vitest'
import { embedAll } from '../../../src/embedder/index.ts'
import { geminiEmbedder } from '../../../src/providers/gemini/index.ts'
import { loopbackServer } from '../../../src/testing/index.ts'
import { describeEmbedder } from '../embedder-contract.ts'

// The shapes are those of `models.batchEmbedContents` at https://ai.google.dev/api/embeddings, and of
// EmbedContentResponse in the types of `@google/genai`. The service reports no usage and no index.

const model = { model: 'gemini-embedding-001', dimensions: 128 }
const pad = (vector: readonly unknown[]) => [...vector, ...new Array(112).fill(0)]

describeEmbedder({
  provider: 'gemini',
  make: (connection) => geminiEmbedder({ ...connection, model: 'some-embedding-model', dimensions: 16 }),
  makeWithClient: ({ baseURL, apiKey }) =>
    geminiEmbedder({
      client: new GoogleGenAI({
        apiKey,
        httpOptions: { baseUrl: baseURL, retryOptions: { attempts: 5, initialDelay: 0.01 } },
      }),
      model: 'some-embedding-model',
      dimensions: 16,
    }),
  inputsOf: ({ requests }: { requests: { content: { parts: { text: string }[] } }[] }) =>
    requests.map(({ content }) => content.parts.map(({ text }) => text).join('')),
  reply: (vectors) => ({ embeddings: vectors.map((values) => ({ values })) }),
  rows: { path: ['embeddings'], vector: 'values' },
  refusal: (message) => ({ error: { code: 400, message, status: 'INVALID_ARGUMENT' } }),
  tokens: undefined,
})

describe('geminiEmbedder', () => {
  it('sends task type and length for each text, and the key in a header only', async () => {
    await using server = await loopbackServer(() => ({
      json: {
        embeddings: [{ values: pad([3, 4]) }].map(({ values }) => ({
          values: values.slice(0, 128).concat(new Array(14).fill(0)).slice(0, 128),
        })),
      },
    }))
    const embedder = geminiEmbedder({ baseURL: server.url, apiKey: 'the-key', ...model })
    const { vectors } = await embedder.embed(['a'], { role: 'query' })
    await embedder.embed(['a'])
    expect([vectors[0]?.[0], vectors[0]?.[1]]).toEqual([Math.fround(0.6), Math.fround(0.8)])
    const [query, document] = server.requests
    expect(query).toMatchObject({
      method: 'POST',
      headers: { 'x-goog-api-key': 'the-key' },
      body: { requests: [{ taskType: 'RETRIEVAL_QUERY', outputDimensionality: 128 }] },
    })
    expect(query?.path).toMatch(/\/models\/gemini-embedding-001:batchEmbedContents$/)
    expect(document?.body).toMatchObject({ requests: [{ taskType: 'RETRIEVAL_DOCUMENT' }] })
  })

  it('waits as long as the body of a refusal says', async () => {
    await using server = await loopbackServer(() => ({
      status: 429,
      json: {
        error: {
          code: 429,
          message: 'quota',
          status: 'RESOURCE_EXHAUSTED',
          details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '13s' }],
        },
      },
    }))
    const embedder = geminiEmbedder({ baseURL: server.url, apiKey: 'k', ...model })
    await expect(embedder.embed(['a'])).rejects.toMatchObject({ status: 429, retryAfterMs: 13_000 })
  })

  it('is not sent what it might cut: refused, truncated or split by the estimate where nothing counts', async () => {
    await using server = await loopbackServer(({ body }) => ({
      json: {
        embeddings: (body as { requests: unknown[] }).requests.map(() => ({
          values: pad([1, ...new Array(15).fill(0)]),
        })),
      },
    }))
    const embedder = geminiEmbedder({ baseURL: server.url, apiKey: 'k', ...model })
    const fits = 'word '.repeat(819)
    for (const over of ['word '.repeat(820), '7'.repeat(2049), '漢'.repeat(1366)]) {
      const { vectors, failures } = await embedAll(embedder, [fits, over])
      expect(vectors[0]).toBeInstanceOf(Float32Array)
      expect(failures).toMatchObject([
        { index: 1, error: { code: 'LIMIT_EXCEEDED', details: { limit: 2048, counted: false } } },
      ])
      const cut = await embedAll(embedder, [over], { onOverlong: 'truncate' })
      expect(cut).toMatchObject({ failures: [], adjustments: [{ index: 0, change: 'truncated' }] })
    }
    const counted = await embedAll(embedder, ['7'.repeat(2049)], { countTokens: () => 2048 })
    expect(counted.failures).toEqual([])
  })

  it('knows the lengths of its model, and asks for those of others', () => {
    expect(geminiEmbedder({ apiKey: 'k', model: 'gemini-embedding-001' }).dimensions).toBe(3072)
    for (const dimensions of [127, 3073, 1.5])
      expect(() => geminiEmbedder({ apiKey: 'k', model: 'gemini-embedding-001', dimensions })).toThrow(/dimensions/)
    expect(() => geminiEmbedder({ apiKey: 'k', model: 'unheard-of' })).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_MODEL' }),
    )
  })
})

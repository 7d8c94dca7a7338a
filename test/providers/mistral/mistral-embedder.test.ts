import { Mistral } from '@mistralai/mistralai'
import { describe, expect, it } from 'vitest'
import { mistralEmbedder } from '../../../src/providers/mistral/index.ts'
import { loopbackServer } from '../../../src/testing/index.ts'
import { describeEmbedder } from '../embedder-contract.ts'

// The shapes are those of `POST /v1/embeddings` in Mistral's published OpenAPI description (EmbeddingRequest,
// EmbeddingResponse), and of EmbeddingResponse in the types of `@mistralai/mistralai`.

const reply = (vectors: readonly (readonly unknown[])[], tokens = 7) => ({
  id: 'e1',
  object: 'list',
  model: 'mistral-embed',
  data: vectors.map((embedding, index) => ({ object: 'embedding', index, embedding })),
  usage: { prompt_tokens: tokens, total_tokens: tokens, completion_tokens: 0 },
})

describeEmbedder({
  provider: 'mistral',
  make: (connection) => mistralEmbedder({ ...connection, model: 'another-embed', dimensions: 16 }),
  makeWithClient: ({ baseURL, apiKey }) =>
    mistralEmbedder({
      client: new Mistral({
        apiKey,
        serverURL: baseURL,
        retryConfig: {
          strategy: 'backoff',
          backoff: { initialInterval: 1, maxInterval: 2, exponent: 1, maxElapsedTime: 1000 },
          retryConnectionErrors: true,
        },
      }),
      model: 'another-embed',
      dimensions: 16,
    }),
  inputsOf: ({ input }: { input: string[] }) => input,
  reply,
  rows: { path: ['data'], vector: 'embedding', index: 'index' },
  refusal: (message) => ({ object: 'error', message, type: 'invalid_request_error', code: '1000' }),
})

describe('mistralEmbedder', () => {
  it('sends what the description asks for', async () => {
    await using server = await loopbackServer(() => ({ json: reply([new Array(512).fill(1)]) }))
    await mistralEmbedder({ baseURL: server.url, apiKey: 'the-key', model: 'codestral-embed', dimensions: 512 }).embed([
      'a',
    ])
    expect(server.requests).toMatchObject([
      {
        method: 'POST',
        path: '/v1/embeddings',
        headers: { authorization: 'Bearer the-key' },
        body: { model: 'codestral-embed', input: ['a'], output_dimension: 512 },
      },
    ])
  })

  it('knows the lengths of its models', () => {
    expect(mistralEmbedder({ apiKey: 'k', model: 'mistral-embed' }).dimensions).toBe(1024)
    expect(() => mistralEmbedder({ apiKey: 'k', model: 'mistral-embed', dimensions: 512 })).toThrow(/one of 1024/)
    expect(() => mistralEmbedder({ apiKey: 'k', model: 'unheard-of' })).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_MODEL' }),
    )
  })
})

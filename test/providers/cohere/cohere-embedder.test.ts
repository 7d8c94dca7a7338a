import { CohereClientV2 } from 'cohere-ai'
import { describe, expect, it } from 'vitest'
import { cohereEmbedder } from '../../../src/providers/cohere/index.ts'
import { loopbackServer } from '../../../src/testing/index.ts'
import { describeEmbedder } from '../embedder-contract.ts'

// The shapes are those of `POST /v2/embed` at https://docs.cohere.com/reference/embed, and of V2EmbedRequest and
// EmbedByTypeResponse in the types of `cohere-ai`. The answer has no index: its order is the only one there is.

const reply = (vectors: readonly (readonly unknown[])[], tokens = 7) => ({
  id: 'e1',
  embeddings: { float: vectors },
  texts: [],
  response_type: 'embeddings_by_type',
  meta: { api_version: { version: '2' }, billed_units: { input_tokens: tokens } },
})

describeEmbedder({
  provider: 'cohere',
  make: (connection) => cohereEmbedder({ ...connection, model: 'another-embed', dimensions: 16 }),
  makeWithClient: ({ baseURL, apiKey }) =>
    cohereEmbedder({
      client: new CohereClientV2({ token: apiKey, environment: baseURL }),
      model: 'another-embed',
      dimensions: 16,
    }),
  inputsOf: ({ texts }: { texts: string[] }) => texts,
  reply,
  rows: { path: ['embeddings', 'float'] },
  refusal: (message) => ({ message }),
})

describe('cohereEmbedder', () => {
  it('sends what the reference asks for, refusing to cut texts', async () => {
    await using server = await loopbackServer(() => ({ json: reply([new Array(512).fill(1)]) }))
    const embedder = cohereEmbedder({ baseURL: server.url, apiKey: 'the-key', model: 'embed-v4.0', dimensions: 512 })
    await embedder.embed(['a'], { role: 'query' })
    await embedder.embed(['a'])
    expect(server.requests).toMatchObject([
      {
        method: 'POST',
        path: '/v2/embed',
        headers: { authorization: 'Bearer the-key' },
        body: {
          model: 'embed-v4.0',
          texts: ['a'],
          input_type: 'search_query',
          embedding_types: ['float'],
          truncate: 'NONE',
          output_dimension: 512,
        },
      },
      { body: { input_type: 'search_document' } },
    ])
  })

  it('knows its models', () => {
    expect(cohereEmbedder({ apiKey: 'k', model: 'embed-v4.0' })).toMatchObject({
      dimensions: 1536,
      limits: { items: 96 },
    })
    expect(cohereEmbedder({ apiKey: 'k', model: 'embed-english-light-v3.0' }).dimensions).toBe(384)
    expect(() => cohereEmbedder({ apiKey: 'k', model: 'embed-v4.0', dimensions: 300 })).toThrow(/256, 512, 1024, 1536/)
  })
})

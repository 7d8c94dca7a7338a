import { describe, expect, it } from 'vitest'
import { VoyageAIClient } from 'voyageai'
import { voyageEmbedder } from '../../../src/providers/voyage/index.ts'
import { loopbackServer } from '../../../src/testing/index.ts'
import { describeEmbedder } from '../embedder-contract.ts'

// The shapes are those of `POST /v1/embeddings` at https://docs.voyageai.com/reference/embeddings-api, and of EmbedRequest
// and EmbedResponse in the types of `voyageai`.

const reply = (vectors: readonly (readonly unknown[])[], tokens = 7) => ({
  object: 'list',
  data: vectors.map((embedding, index) => ({ object: 'embedding', embedding, index })),
  model: 'voyage-4',
  usage: { total_tokens: tokens },
})

describeEmbedder({
  provider: 'voyage',
  make: (connection) => voyageEmbedder({ ...connection, model: 'another-voyage', dimensions: 16 }),
  makeWithClient: ({ baseURL, apiKey }) =>
    voyageEmbedder({
      client: new VoyageAIClient({ apiKey, environment: baseURL }),
      model: 'another-voyage',
      dimensions: 16,
    }),
  inputsOf: ({ input }: { input: string[] }) => input,
  reply,
  rows: { path: ['data'], vector: 'embedding', index: 'index' },
  refusal: (message) => ({ detail: message }),
})

describe('voyageEmbedder', () => {
  it('sends what the reference asks for, refusing to cut texts', async () => {
    await using server = await loopbackServer(() => ({ json: reply([new Array(256).fill(1)]) }))
    const embedder = voyageEmbedder({
      baseURL: `${server.url}/v1`,
      apiKey: 'the-key',
      model: 'voyage-4',
      dimensions: 256,
    })
    await embedder.embed(['a'], { role: 'query' })
    await embedder.embed(['a'])
    expect(server.requests).toMatchObject([
      {
        method: 'POST',
        path: '/v1/embeddings',
        headers: { authorization: 'Bearer the-key' },
        body: { model: 'voyage-4', input: ['a'], input_type: 'query', truncation: false, output_dimension: 256 },
      },
      { body: { input_type: 'document' } },
    ])
  })

  it('knows its models', () => {
    expect(voyageEmbedder({ apiKey: 'k', model: 'voyage-code-3' }).dimensions).toBe(1024)
    expect(() => voyageEmbedder({ apiKey: 'k', model: 'voyage-law-2', dimensions: 256 })).toThrow(/one of 1024/)
  })
})

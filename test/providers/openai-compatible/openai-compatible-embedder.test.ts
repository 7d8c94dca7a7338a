import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import {
  openaiCompatibleEmbedder,
  probeOpenAICompatibleEmbedder,
} from '../../../src/providers/openai-compatible/index.ts'
import { loopbackServer } from '../../../src/testing/index.ts'
import { describeEmbedder } from '../embedder-contract.ts'

// The shapes are those of `POST /embeddings` in OpenAI's published specification (CreateEmbeddingRequest and
// CreateEmbeddingResponse with `encoding_format: float`), which these servers document as theirs.

const reply = (vectors: readonly (readonly unknown[])[], tokens = 7) => ({
  object: 'list',
  model: 'm',
  data: vectors.map((embedding, index) => ({ object: 'embedding', index, embedding })),
  usage: { prompt_tokens: tokens, total_tokens: tokens },
})

describeEmbedder({
  provider: 'openai-compatible',
  make: (connection) => openaiCompatibleEmbedder({ ...connection, model: 'm', dimensions: 16 }),
  inputsOf: ({ input }: { input: string[] }) => input,
  reply,
  rows: { path: ['data'], vector: 'embedding', index: 'index' },
  refusal: (message) => ({ error: { message, type: 'invalid_request_error', code: null } }),
})

describe('openaiCompatibleEmbedder', () => {
  it('asks for plain numbers, sends no key where there is none, and no dimensions unless told', async () => {
    await using server = await loopbackServer(() => ({ json: reply([[1, 2]]) }))
    const options = { baseURL: `${server.url}/v1`, model: 'm', dimensions: 2 }
    await openaiCompatibleEmbedder(options).embed(['a'])
    await openaiCompatibleEmbedder({ ...options, sendDimensions: true, apiKey: 'k' }).embed(['a'])
    const [first, second] = server.requests
    expect(first).toMatchObject({
      path: '/v1/embeddings',
      body: { model: 'm', input: ['a'], encoding_format: 'float' },
    })
    expect(first?.headers).not.toHaveProperty('authorization')
    expect(first?.body).not.toHaveProperty('dimensions')
    expect(second).toMatchObject({ headers: { authorization: 'Bearer k' }, body: { dimensions: 2 } })
  })

  it('speaks to Azure: its address, key header and version, none of them in an error', async () => {
    await using server = await loopbackServer(({ headers }) => ({
      status: 401,
      json: { error: { message: `key ${headers['api-key']} is wrong` } },
    }))
    const embedder = openaiCompatibleEmbedder({
      baseURL: `${server.url}/openai/deployments/small`,
      model: 'text-embedding-3-small',
      dimensions: 2,
      headers: { 'api-key': 'azure-word-like-secret' },
      query: { 'api-version': '2024-10-21' },
    })
    const error = await embedder.embed(['a']).catch((caught) => caught)
    expect(server.requests[0]?.path).toBe('/openai/deployments/small/embeddings?api-version=2024-10-21')
    expect(error).toMatchObject({ status: 401 })
    expect(inspect(error, { depth: 9 })).not.toContain('azure-word-like-secret')
  })

  it('finds out the length of the vectors with one request', async () => {
    await using server = await loopbackServer(() => ({ json: reply([[1, 2, 3]]) }))
    const embedder = await probeOpenAICompatibleEmbedder({ baseURL: server.url, model: 'm' })
    expect(embedder.dimensions).toBe(3)
    expect(server.requests).toHaveLength(1)
  })

  it('takes rows without an index in the order of the answer', async () => {
    await using server = await loopbackServer(() => ({
      json: { data: [{ embedding: [1, 0] }, { embedding: [0, 1] }] },
    }))
    const { vectors, usage } = await openaiCompatibleEmbedder({ baseURL: server.url, model: 'm', dimensions: 2 }).embed(
      ['a', 'b'],
    )
    expect(vectors).toEqual([Float32Array.of(1, 0), Float32Array.of(0, 1)])
    expect(usage).toEqual({})
  })
})

import { describe, expect, it } from 'vitest'
import { ollamaEmbedder, probeOllamaEmbedder } from '../../../src/providers/ollama/index.ts'
import { loopbackServer } from '../../../src/testing/index.ts'
import { describeEmbedder } from '../embedder-contract.ts'

// The shapes are those of `POST /api/embed` at https://github.com/ollama/ollama/blob/main/docs/api.md, and of EmbedRequest
// and EmbedResponse in the types of `ollama`. The answer has no index: its order is the only one there is.

const reply = (embeddings: readonly (readonly unknown[])[], tokens = 7) => ({
  model: 'nomic-embed-text',
  embeddings,
  total_duration: 14_143_917,
  load_duration: 1_019_500,
  prompt_eval_count: tokens,
})

describeEmbedder({
  provider: 'ollama',
  make: (connection) => ollamaEmbedder({ ...connection, model: 'nomic-embed-text', dimensions: 16 }),
  inputsOf: ({ input }: { input: string[] }) => input,
  reply,
  rows: { path: ['embeddings'] },
  refusal: (message) => ({ error: message }),
})

describe('ollamaEmbedder', () => {
  it('sends what the reference asks for, refusing to cut texts', async () => {
    await using server = await loopbackServer(() => ({ json: reply([[1, 0]]) }))
    await ollamaEmbedder({ baseURL: server.url, model: 'nomic-embed-text', dimensions: 2, keepAlive: '10m' }).embed([
      'a',
    ])
    await ollamaEmbedder({ baseURL: server.url, model: 'm', dimensions: 2, apiKey: 'the-key' }).embed(['a'])
    expect(server.requests).toMatchObject([
      {
        method: 'POST',
        path: '/api/embed',
        body: { model: 'nomic-embed-text', input: ['a'], truncate: false, keep_alive: '10m' },
      },
      { headers: { authorization: 'Bearer the-key' } },
    ])
  })

  it('finds out the length of the vectors with one request, and says when it cannot', async () => {
    let answer: object = { json: reply([[1, 2, 3]]) }
    await using server = await loopbackServer(() => answer)
    const embedder = await probeOllamaEmbedder({ baseURL: server.url, model: 'm' })
    expect([embedder.dimensions, server.requests.length]).toEqual([3, 1])
    answer = { status: 404, json: { error: 'model "m" not found, try pulling it first' } }
    await expect(probeOllamaEmbedder({ baseURL: server.url, model: 'm' })).rejects.toMatchObject({
      status: 404,
      message: expect.stringContaining('pulling'),
    })
    answer = { json: reply([]) }
    await expect(probeOllamaEmbedder({ baseURL: server.url, model: 'm' })).rejects.toMatchObject({
      code: expect.stringMatching(/INVALID/),
    })
  })
})

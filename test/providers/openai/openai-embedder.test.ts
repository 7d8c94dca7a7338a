import { inspect } from 'node:util'
import OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import { openaiEmbedder } from '../../../src/providers/openai/index.ts'
import {
  embedderConformance,
  fakeEmbedder,
  type LoopbackAnswer,
  type LoopbackRequest,
  loopbackServer,
} from '../../../src/testing/index.ts'

// The shapes are those of `POST /embeddings` in OpenAI's published specification (openapi.json, CreateEmbeddingRequest
// and CreateEmbeddingResponse), and of CreateEmbeddingResponse in the types of the `openai` package.

interface EmbeddingBody {
  readonly model: string
  readonly input: readonly string[]
  readonly encoding_format: string
  readonly dimensions?: number
}

const base64 = (vector: Float32Array) =>
  Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64')

/** What OpenAI would answer, with vectors that depend on the text alone. */
async function honest({
  body,
}: Pick<LoopbackRequest, 'body'>): Promise<{ object: string; data: object[]; model: string; usage: object }> {
  const { input, model, dimensions = 1536, encoding_format } = body as EmbeddingBody
  const { vectors } = await fakeEmbedder({ dimensions }).embed(input)
  const data = vectors.map((vector, index) => ({
    object: 'embedding',
    index,
    embedding: encoding_format === 'base64' ? base64(vector) : [...vector],
  }))
  return { object: 'list', data, model, usage: { prompt_tokens: 7, total_tokens: 7 } }
}

const KEY = 'sk-proj-4fGh7Kl2Qw9Er5Ty8Ui1Op3As6Df'
const small = (baseURL: string) =>
  openaiEmbedder({ apiKey: KEY, baseURL, model: 'text-embedding-3-small', dimensions: 16 })

describe('openaiEmbedder', () => {
  for (const { name, run } of withServer((create) => embedderConformance({ create }))) it(name, run)

  it('sends what the specification asks for', async () => {
    await using server = await loopbackServer(async (request) => ({ json: await honest(request) }))
    const { vectors, usage } = await small(`${server.url}/v1`).embed(['one', 'two'])
    expect(usage).toEqual({ tokens: 7 })
    expect(vectors).toEqual((await fakeEmbedder({ dimensions: 16 }).embed(['one', 'two'])).vectors)
    expect(server.requests).toMatchObject([
      {
        method: 'POST',
        path: '/v1/embeddings',
        headers: { authorization: `Bearer ${KEY}` },
        body: { model: 'text-embedding-3-small', input: ['one', 'two'], dimensions: 16, encoding_format: 'base64' },
      },
    ])
  })

  it('uses a client of the caller, and sends no dimensions where the full length is asked for', async () => {
    await using server = await loopbackServer(async (request) => ({ json: await honest(request) }))
    const client = new OpenAI({ apiKey: KEY, baseURL: `${server.url}/v1` })
    const embedder = openaiEmbedder({ client, model: 'text-embedding-ada-002' })
    expect((await embedder.embed(['one'])).vectors[0]).toHaveLength(1536)
    expect(server.requests[0]?.body).not.toHaveProperty('dimensions')
  })

  it('makes one attempt, says what failed, and shows no key', async () => {
    await using server = await loopbackServer(() => ({
      status: 429,
      headers: { 'retry-after': '7', 'x-request-id': 'req_9' },
      json: { error: { message: `Rate limit reached for ${KEY}`, type: 'requests', code: 'rate_limit_exceeded' } },
    }))
    for (const embedder of [
      small(`${server.url}/v1`),
      openaiEmbedder({
        client: new OpenAI({ apiKey: KEY, baseURL: `${server.url}/v1` }),
        model: 'text-embedding-3-small',
      }),
    ]) {
      const error = await embedder.embed(['one']).catch((caught) => caught)
      expect(error).toMatchObject({
        code: 'PROVIDER_FAILED',
        provider: 'openai',
        status: 429,
        retryable: true,
        retryAfterMs: 7000,
      })
      expect(inspect(error, { depth: 9 })).not.toContain(KEY.slice(10))
    }
    expect(server.requests).toHaveLength(2)
  })

  it('gives a typed error and no vector for each malformed answer', async () => {
    const good = () => honest({ body: { input: ['a', 'b'], dimensions: 16, encoding_format: 'base64', model: 'm' } })
    const malformed: readonly [string, LoopbackAnswer][] = [
      ['HTML with status 200', { text: '<html>Sign in to the Wi-Fi</html>' }],
      ['half of the JSON', { text: '{"data":[', headers: { 'content-type': 'application/json' } }],
      ['an empty body', { text: '' }],
      ['null', { json: null }],
      ['no data', { json: { ...(await good()), data: undefined } }],
      ['data that is no list', { json: { ...(await good()), data: { 0: 1 } } }],
      ['fewer', { json: { ...(await good()), data: (await good()).data.slice(1) } }],
      ['more', { json: { ...(await good()), data: [...(await good()).data, ...(await good()).data] } }],
      [
        'an index twice',
        { json: { ...(await good()), data: (await good()).data.map((row) => ({ ...row, index: 0 })) } },
      ],
      [
        'an index beyond',
        { json: { ...(await good()), data: (await good()).data.map((row) => ({ ...row, index: 5 })) } },
      ],
      [
        'no index',
        { json: { ...(await good()), data: (await good()).data.map((row) => ({ ...row, index: undefined })) } },
      ],
      [
        'not base64',
        { json: { ...(await good()), data: (await good()).data.map((row) => ({ ...row, embedding: '§' })) } },
      ],
      [
        'base64 cut',
        { json: { ...(await good()), data: (await good()).data.map((row) => ({ ...row, embedding: 'AAAA' })) } },
      ],
      [
        'NaN',
        {
          json: {
            ...(await good()),
            data: (await good()).data.map((row) => ({
              ...row,
              embedding: base64(new Float32Array(16).fill(Number.NaN)),
            })),
          },
        },
      ],
      [
        'zeros',
        {
          json: {
            ...(await good()),
            data: (await good()).data.map((row) => ({ ...row, embedding: new Array(16).fill(0) })),
          },
        },
      ],
      [
        'numbers as text',
        {
          json: {
            ...(await good()),
            data: (await good()).data.map((row) => ({ ...row, embedding: new Array(16).fill('1') })),
          },
        },
      ],
      [
        'wrong length',
        { json: { ...(await good()), data: (await good()).data.map((row) => ({ ...row, embedding: [1, 2] })) } },
      ],
    ]
    let answer: LoopbackAnswer = {}
    await using server = await loopbackServer(() => answer)
    const embedder = small(`${server.url}/v1`)
    for (const [name, reply] of malformed) {
      answer = reply
      await expect(embedder.embed(['a', 'b']), name).rejects.toMatchObject({
        code: 'INVALID_RESPONSE',
        provider: 'openai',
      })
    }
  })

  it('puts reordered rows back into order, and reads plain numbers too', async () => {
    await using server = await loopbackServer(async (request) => {
      const reply = await honest({ body: { ...(request.body as object), encoding_format: 'float' } })
      return { json: { ...reply, data: reply.data.toReversed() } }
    })
    const { vectors } = await small(`${server.url}/v1`).embed(['a', 'b', 'c'])
    expect(vectors).toEqual((await fakeEmbedder({ dimensions: 16 }).embed(['a', 'b', 'c'])).vectors)
  })

  it('ends within its deadlines when the server is silent or stalls, and at once on abort', async () => {
    let answer: LoopbackAnswer = { end: 'silence' }
    await using server = await loopbackServer(() => answer)
    const hurried = (deadlines: object) =>
      openaiEmbedder({ apiKey: KEY, baseURL: server.url, model: 'text-embedding-3-small', deadlines })
    const late = { code: 'PROVIDER_FAILED', retryable: true }
    await expect(hurried({ headMs: 20 }).embed(['a'])).rejects.toMatchObject(late)
    await expect(hurried({ totalMs: 20 }).embed(['a'])).rejects.toMatchObject(late)
    answer = { end: 'stall', text: '' }
    await expect(hurried({ firstByteMs: 20 }).embed(['a'])).rejects.toMatchObject(late)
    answer = { end: 'stall', text: '{"data":[' }
    await expect(hurried({ idleMs: 20 }).embed(['a'])).rejects.toMatchObject(late)

    const controller = new AbortController()
    const reason = new Error('enough')
    const call = hurried({}).embed(['a'], { signal: controller.signal })
    controller.abort(reason)
    await expect(call).rejects.toBe(reason)
  })

  it('refuses clear text beyond this machine and dimensions that the model does not have', () => {
    expect(() => small('http://proxy.example.com/v1')).toThrow(expect.objectContaining({ code: 'INSECURE_TRANSPORT' }))
    const client = new OpenAI({ apiKey: KEY, baseURL: 'http://proxy.example.com/v1' })
    expect(() => openaiEmbedder({ client, model: 'text-embedding-3-small' })).toThrow(/http/)
    expect(() => openaiEmbedder({ apiKey: KEY, model: 'text-embedding-3-small', dimensions: 1537 })).toThrow(/1536/)
    expect(() => openaiEmbedder({ apiKey: KEY, model: 'unheard-of' })).toThrow(/dimensions/)
  })
})

/** The cases of `make`, each run with a server of its own. */
function withServer(make: (create: () => ReturnType<typeof small>) => ReturnType<typeof embedderConformance>) {
  const names = make(() => small('http://localhost')).map(({ name }) => name)
  return names.map((name, index) => ({
    name,
    run: async () => {
      await using server = await loopbackServer(async (request) => ({ json: await honest(request) }))
      await make(() => small(`${server.url}/v1`))[index]?.run()
    },
  }))
}

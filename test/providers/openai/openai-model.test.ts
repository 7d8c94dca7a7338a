import { describe, expect, it } from 'vitest'
import { answer } from '../../../src/language-model/index.ts'
import { promptAssembler } from '../../../src/prompt-assembler/index.ts'
import { openaiCitation, openaiModel } from '../../../src/providers/openai/index.ts'
import { type LoopbackAnswer, languageModelConformance, loopbackServer } from '../../../src/testing/index.ts'
import { passage, wordCounter } from '../../prompt-assembler/fixtures.ts'

// The wire format is that of ChatCompletionChunk in the types of the `openai` package: server-sent events, the usage in a
// last chunk without choices, then `[DONE]`. It is not a recording of the provider.

const KEY = 'sk-proj-4fGh7Kl2Qw9Er5Ty8Ui1Op3As6Df'
const chunk = (choices: unknown[], more: object = {}) =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices, ...more })}\n\n`
const delta = (body: object, finish_reason: string | null = null) => chunk([{ index: 0, delta: body, finish_reason }])
const usageOf = (prompt_tokens: number, completion_tokens: number) =>
  chunk([], {
    usage: {
      prompt_tokens,
      completion_tokens,
      total_tokens: prompt_tokens + completion_tokens,
      prompt_tokens_details: { cached_tokens: 8 },
    },
  })
const DONE = 'data: [DONE]\n\n'

const prompt = promptAssembler({ counter: wordCounter, contextWindow: 1000, outputReserve: 100 }).assemble({
  instructions: 'Be brief.',
  passages: [passage('a', 'Keys rotate.')],
  question: 'Do keys rotate?',
})

async function say(answer: LoopbackAnswer, options: { signal?: AbortSignal } = {}) {
  await using server = await loopbackServer(() => answer)
  const model = openaiModel({
    apiKey: KEY,
    baseURL: `${server.url}/v1`,
    model: 'm',
    deadlines: { idleMs: 200, firstByteMs: 200 },
  })
  const events = []
  for await (const event of model.stream(prompt, options)) events.push(event)
  return { events, requests: server.requests }
}

describe('openaiModel', () => {
  const kit = languageModelConformance({
    withModel: async ({ pieces, inputTokens, outputTokens }, use) => {
      const chunks = [
        ...pieces.map((content) => delta({ content })),
        delta({}, 'stop'),
        usageOf(inputTokens, outputTokens),
        DONE,
      ]
      await using server = await loopbackServer(() => ({ chunks }))
      await use(openaiModel({ apiKey: KEY, baseURL: `${server.url}/v1`, model: 'm' }))
    },
  })
  for (const { name, run } of kit) it(name, run)

  it('passes annotations on as citations: of a source that is named, of none, and none for other kinds', async () => {
    const annotations = [
      { type: 'url_citation', url_citation: { url: 'docs/a.md', title: 'A', start_index: 0, end_index: 4 } },
      { type: 'url_citation', url_citation: { url: 'https://example.org', title: 'B', start_index: 0, end_index: 4 } },
      { type: 'file_citation', file_id: 'file-1', filename: 'doc-a', index: 4 },
      { type: 'file_path', file_id: 'doc-a', index: 4 },
    ]
    const chunks = [delta({ content: 'Yes.' }), delta({ annotations }), delta({}, 'stop'), usageOf(1, 1), DONE]
    const { events } = await say({ chunks })
    expect(events.flatMap((event) => (event.type === 'citation' ? [event.citation] : []))).toEqual([
      { source: 1, reference: 'docs/a.md' },
      { source: 0, reference: 'https://example.org' },
      { source: 1, reference: 'file-1' },
    ])
    await using server = await loopbackServer(() => ({ chunks }))
    const model = openaiModel({ apiKey: KEY, baseURL: `${server.url}/v1`, model: 'm' })
    const citations = []
    for await (const event of answer(model, prompt)) if (event.type === 'citation') citations.push(event.citation)
    expect(citations).toMatchObject([
      { number: 1, verdict: 'unverified', reason: 'no-quote', span: { start: 0, end: 12 }, reference: 'docs/a.md' },
      { number: 0, verdict: 'unverified', reason: 'unknown-source', reference: 'https://example.org' },
      { number: 1, verdict: 'unverified', reason: 'no-quote' },
    ])
  })

  it('does not choose between two sources of one document', () => {
    const two = promptAssembler({ counter: wordCounter, contextWindow: 1000, outputReserve: 100 }).assemble({
      passages: [passage('a', 'Keys.', { documentId: 'd' }), passage('b', 'Locks.', { documentId: 'd', start: 50 })],
      question: 'x',
    })
    const annotation = { type: 'file_citation', file_id: 'd' }
    expect(openaiCitation(two, annotation)).toEqual({ source: 0, reference: 'd' })
  })

  it('sends the rendered prompt once, asks for usage and not to be stored', async () => {
    const { events, requests } = await say({
      chunks: [delta({ content: 'Yes' }), delta({}, 'stop'), usageOf(9, 1), DONE],
    })
    expect(events.at(-1)).toEqual({
      type: 'finish',
      reason: 'stop',
      usage: { inputTokens: 9, outputTokens: 1, cachedInputTokens: 8 },
    })
    expect(requests).toMatchObject([
      {
        method: 'POST',
        path: '/v1/chat/completions',
        headers: { authorization: `Bearer ${KEY}` },
        body: {
          model: 'm',
          store: false,
          stream: true,
          stream_options: { include_usage: true },
          messages: prompt.messages,
        },
      },
    ])
  })

  it('joins the pieces of tool calls', async () => {
    const call = (index: number, more: object) => delta({ tool_calls: [{ index, ...more }] })
    const { events } = await say({
      chunks: [
        call(0, { id: 'a', type: 'function', function: { name: 'look', arguments: '{"q"' } }),
        call(1, { id: 'b', type: 'function', function: { name: 'stop', arguments: '' } }),
        call(0, { function: { arguments: ':1}' } }),
        delta({}, 'tool_calls'),
        DONE,
      ],
    })
    expect(events).toEqual([
      { type: 'tool-call', id: 'a', name: 'look', arguments: '{"q":1}' },
      { type: 'tool-call', id: 'b', name: 'stop', arguments: '' },
      { type: 'finish', reason: 'tool-call', usage: {} },
    ])
  })

  it.each([
    ['length', 'length'],
    ['content_filter', 'refusal'],
    ['function_call', 'tool-call'],
    ['something new', 'other'],
  ])('reports the reason %s as %s', async (theirs, ours) => {
    const { events } = await say({ chunks: [delta({ content: 'x' }), delta({}, theirs), DONE] })
    expect(events.at(-1)).toMatchObject({ reason: ours })
  })

  it.each([
    [429, true],
    [500, true],
    [401, false],
    [400, false],
  ])('maps status %i to a ProviderError after one attempt', async (status, retryable) => {
    await using server = await loopbackServer(() => ({
      status,
      json: { error: { message: `no: ${KEY}` } },
      headers: { 'retry-after': '2' },
    }))
    const model = openaiModel({ apiKey: KEY, baseURL: `${server.url}/v1`, model: 'm' })
    const failure = await model
      .stream(prompt)
      [Symbol.asyncIterator]()
      .next()
      .then(
        () => undefined,
        (error: unknown) => error,
      )
    expect(failure).toMatchObject({
      code: 'PROVIDER_FAILED',
      provider: 'openai',
      status,
      retryable,
      retryAfterMs: retryable ? 2000 : undefined,
    })
    expect(String(failure)).not.toContain(KEY)
    expect(server.requests).toHaveLength(1)
  })

  it('rejects a stream that ends without a finish reason, and one that stalls', async () => {
    await expect(say({ chunks: [delta({ content: 'half' })] })).rejects.toMatchObject({ code: 'INVALID_RESPONSE' })
    await expect(say({ chunks: [delta({ content: 'half' })], end: 'stall' })).rejects.toMatchObject({
      code: 'PROVIDER_FAILED',
      retryable: true,
    })
    await expect(say({ chunks: [delta({ content: 'half' })], end: 'cut' })).rejects.toMatchObject({
      code: 'PROVIDER_FAILED',
      retryable: true,
    })
  })

  it('refuses http beyond this machine unless asked to allow it', () => {
    expect(() => openaiModel({ apiKey: KEY, baseURL: 'http://example.com/v1', model: 'm' })).toThrowError(/http/)
    expect(openaiModel({ apiKey: KEY, baseURL: 'http://example.com/v1', model: 'm', allowInsecureHttp: true }).id).toBe(
      'openai:m',
    )
  })
})

import { describe, expect, it } from 'vitest'
import { answer } from '../../../src/language-model/index.ts'
import { fitPrompt, promptAssembler } from '../../../src/prompt-assembler/index.ts'
import {
  type AnthropicModelOptions,
  anthropicModel,
  anthropicPromptCounter,
} from '../../../src/providers/anthropic/index.ts'
import { type LoopbackAnswer, languageModelConformance, loopbackServer } from '../../../src/testing/index.ts'
import { passage, wordCounter } from '../../prompt-assembler/fixtures.ts'

// The wire format is that of RawMessageStreamEvent and TextCitation in the types of the `@anthropic-ai/sdk` package. It is
// not a recording of the provider.

const KEY = 'sk-ant-api03-4fGh7Kl2Qw9Er5Ty8Ui1Op3As6Df'
const event = (body: { type: string }) => `event: ${body.type}\ndata: ${JSON.stringify(body)}\n\n`
const start = (input_tokens: number) =>
  event({
    type: 'message_start',
    message: {
      id: 'm',
      type: 'message',
      role: 'assistant',
      model: 'm',
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: { input_tokens, output_tokens: 1, cache_creation_input_tokens: 3, cache_read_input_tokens: 7 },
    },
  } as { type: string })
const delta = (body: object, index = 0) =>
  event({ type: 'content_block_delta', index, delta: body } as { type: string })
const text = (piece: string) => delta({ type: 'text_delta', text: piece })
const open = (block: object, index = 0) =>
  event({ type: 'content_block_start', index, content_block: block } as { type: string })
const end = (stop_reason: string, output_tokens: number) => [
  event({ type: 'content_block_stop', index: 0 } as { type: string }),
  event({ type: 'message_delta', delta: { stop_reason, stop_sequence: null }, usage: { output_tokens } } as {
    type: string
  }),
  event({ type: 'message_stop' }),
]

const first = 'Keys rotate.\n\nEvery 90 days, the \u{1f511} changes.\n\nNobody is told.'
const prompt = promptAssembler({ counter: wordCounter, contextWindow: 1000, outputReserve: 100 }).assemble({
  instructions: 'Be brief.',
  passages: [passage('a', first, { start: 100, end: 100 + first.length, score: 2 }), passage('b', 'Other.')],
  question: 'Do keys rotate?',
})

async function ask(answerOf: LoopbackAnswer, options: Partial<AnthropicModelOptions> = {}) {
  await using server = await loopbackServer(() => answerOf)
  const model = anthropicModel({ apiKey: KEY, baseURL: server.url, model: 'claude-sonnet-5', ...options })
  const events = []
  for await (const said of answer(model, prompt)) events.push(said)
  return { events, done: events.at(-1), requests: server.requests }
}

describe('anthropicModel', () => {
  const kit = languageModelConformance({
    withModel: async ({ pieces, inputTokens, outputTokens }, use) => {
      const chunks = [
        start(inputTokens - 10),
        open({ type: 'text', text: '' }),
        ...pieces.map(text),
        ...end('end_turn', outputTokens),
      ]
      await using server = await loopbackServer(() => ({ chunks }))
      await use(anthropicModel({ apiKey: KEY, baseURL: server.url, model: 'claude-sonnet-5' }))
    },
  })
  for (const { name, run } of kit) it(name, run)

  it('sends the rendered prompt once, with the room kept for the answer as max_tokens', async () => {
    const { requests, done } = await ask({
      chunks: [start(5), open({ type: 'text', text: '' }), text('Yes'), ...end('end_turn', 2)],
    })
    expect(requests).toMatchObject([
      {
        method: 'POST',
        path: '/v1/messages',
        headers: { authorization: `Bearer ${KEY}` },
        body: {
          model: 'claude-sonnet-5',
          max_tokens: 100,
          stream: true,
          system: [{ type: 'text', text: 'Be brief.' }],
        },
      },
    ])
    expect(done).toMatchObject({ answer: { usage: { inputTokens: 15, cachedInputTokens: 7, outputTokens: 2 } } })
  })

  it('maps search_result citations to the paragraph and its span', async () => {
    const citation = {
      type: 'search_result_location',
      cited_text: 'Every 90 days, the \u{1f511} changes.',
      source: 'docs/a.md',
      title: 't',
      search_result_index: 0,
      start_block_index: 1,
      end_block_index: 2,
    }
    const { done, requests } = await ask(
      {
        chunks: [
          start(5),
          open({ type: 'text', text: '' }),
          text('Yes'),
          delta({ type: 'citations_delta', citation }),
          ...end('end_turn', 2),
        ],
      },
      { sources: 'search_result' },
    )
    const content = (requests[0]!.body as { messages: { content: { type: string }[] }[] }).messages[0]!.content
    expect(content.map((block) => block.type)).toEqual(['search_result', 'search_result', 'text'])
    expect(content[0]).toMatchObject({
      source: 'docs/a.md',
      citations: { enabled: true },
      content: [
        { text: 'Keys rotate.' },
        { text: 'Every 90 days, the \u{1f511} changes.' },
        { text: 'Nobody is told.' },
      ],
    })
    const at = 100 + first.indexOf('Every')
    expect(done).toMatchObject({
      answer: {
        citations: [
          {
            number: 1,
            verdict: 'verified',
            origin: 'provider',
            span: { start: at, end: at + citation.cited_text.length },
          },
        ],
      },
    })
  })

  it.each([
    ['UTF-16 units', first.indexOf('Nobody'), first.length],
    ['code points', first.indexOf('Nobody') - 1, first.length - 1],
  ])('maps character citations of documents counted in %s', async (_, from, to) => {
    const citation = {
      type: 'char_location',
      cited_text: 'Nobody is told.',
      document_index: 0,
      document_title: 't',
      file_id: null,
      start_char_index: from,
      end_char_index: to,
    }
    const { done } = await ask(
      {
        chunks: [
          start(5),
          open({ type: 'text', text: '' }),
          text('Yes'),
          delta({ type: 'citations_delta', citation }),
          ...end('end_turn', 2),
        ],
      },
      { sources: 'document' },
    )
    const at = 100 + first.indexOf('Nobody')
    expect(done).toMatchObject({ answer: { citations: [{ verdict: 'verified', span: { start: at, end: at + 15 } }] } })
  })

  it('flags what the source does not say, and coordinates that fit no source', async () => {
    const location = {
      type: 'search_result_location',
      source: 's',
      title: 't',
      start_block_index: 0,
      end_block_index: 1,
    }
    const { done } = await ask({
      chunks: [
        start(5),
        open({ type: 'text', text: '' }),
        delta({
          type: 'citations_delta',
          citation: { ...location, cited_text: 'Keys never rotate.', search_result_index: 0 },
        }),
        delta({ type: 'citations_delta', citation: { ...location, cited_text: 'x', search_result_index: 9 } }),
        ...end('end_turn', 2),
      ],
    })
    expect(done).toMatchObject({
      answer: {
        citations: [
          { verdict: 'unverified', reason: 'quote-not-found' },
          { number: 0, quote: 'x', verdict: 'unverified', reason: 'unknown-source' },
        ],
      },
    })
  })

  it('joins the pieces of tool calls', async () => {
    const { done } = await ask({
      chunks: [
        start(5),
        open({ type: 'tool_use', id: 'a', name: 'look', input: {} }),
        delta({ type: 'input_json_delta', partial_json: '{"q"' }),
        delta({ type: 'input_json_delta', partial_json: ':1}' }),
        open({ type: 'tool_use', id: 'b', name: 'stop', input: {} }, 1),
        ...end('tool_use', 2),
      ],
    })
    expect(done).toMatchObject({
      answer: {
        reason: 'tool-call',
        toolCalls: [
          { id: 'a', name: 'look', arguments: '{"q":1}' },
          { id: 'b', name: 'stop', arguments: '{}' },
        ],
      },
    })
  })

  it.each([
    [529, true],
    [429, true],
    [400, false],
  ])('maps status %i to a ProviderError after one attempt', async (status, retryable) => {
    await using server = await loopbackServer(() => ({
      status,
      json: { type: 'error', error: { type: 'x', message: `no ${KEY}` } },
    }))
    const model = anthropicModel({ apiKey: KEY, baseURL: server.url, model: 'm' })
    const failure = await model
      .stream(prompt)
      [Symbol.asyncIterator]()
      .next()
      .then(
        () => undefined,
        (error: unknown) => error,
      )
    expect(failure).toMatchObject({ provider: 'anthropic', status, retryable })
    expect(String(failure)).not.toContain(KEY)
    expect(server.requests).toHaveLength(1)
  })

  it('reports an error event within the stream, and a stream without a stop reason', async () => {
    const failed = event({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } } as {
      type: string
    })
    await expect(ask({ chunks: [start(5), failed] })).rejects.toMatchObject({ provider: 'anthropic' })
    await expect(ask({ chunks: [start(5), open({ type: 'text', text: '' }), text('half')] })).rejects.toMatchObject({
      code: 'INVALID_RESPONSE',
    })
  })

  it('refuses http beyond this machine', () => {
    expect(() => anthropicModel({ apiKey: KEY, baseURL: 'http://example.com', model: 'm' })).toThrowError(/http/)
  })
})

describe('anthropicPromptCounter', () => {
  it('lets fitPrompt tighten a prompt until the provider agrees', async () => {
    await using server = await loopbackServer(({ body }) => ({
      json: { input_tokens: 2 * wordCounter.count(JSON.stringify((body as { messages: unknown }).messages)) },
    }))
    const counter = anthropicPromptCounter({ apiKey: KEY, baseURL: server.url, model: 'm' })
    const passages = Array.from({ length: 40 }, (_, index) =>
      passage(`p${index}`, `Passage ${index} ${'word '.repeat(20)}`, { score: 40 - index }),
    )
    const assembler = promptAssembler({
      counter: { ...wordCounter, kind: 'estimate' },
      contextWindow: 2000,
      outputReserve: 200,
    })
    const fitted = await fitPrompt(assembler, { passages, question: 'What?' }, counter)
    expect(fitted.ledger.total).toBeLessThanOrEqual(1800)
    expect(fitted.ledger.total).toBeGreaterThan(1200)
    expect(fitted.guarantee).toBe('exact')
    expect(fitted.ledger.entries.reduce((sum, entry) => sum + entry.tokens, 0)).toBe(fitted.ledger.total)
    expect(server.requests.length).toBeLessThanOrEqual(3)
  })
})

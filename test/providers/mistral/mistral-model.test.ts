import { describe, expect, it } from 'vitest'
import { answer } from '../../../src/language-model/index.ts'
import { promptAssembler } from '../../../src/prompt-assembler/index.ts'
import { mistralModel } from '../../../src/providers/mistral/index.ts'
import { type LoopbackAnswer, languageModelConformance, loopbackServer } from '../../../src/testing/index.ts'
import { passage, wordCounter } from '../../prompt-assembler/fixtures.ts'

// The wire format is that of CompletionEvent in the types of the `@mistralai/mistralai` package, with underscores. It is not
// a recording of the provider.

const KEY = '4fGh7Kl2Qw9Er5Ty8Ui1Op3As6Df0Gh1'
const event = (delta: object, finish_reason: string | null = null, more: object = {}) =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason }], ...more })}\n\n`
const usage = (prompt_tokens: number, completion_tokens: number) => ({
  usage: { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens },
})
const DONE = 'data: [DONE]\n\n'

const prompt = promptAssembler({ counter: wordCounter, contextWindow: 1000, outputReserve: 100 }).assemble({
  instructions: 'Be brief.',
  passages: [passage('a', 'Keys rotate.')],
  question: 'Do keys rotate?',
})

async function ask(reply: LoopbackAnswer) {
  await using server = await loopbackServer(() => reply)
  const model = mistralModel({ apiKey: KEY, baseURL: server.url, model: 'mistral-large-latest' })
  const events = []
  for await (const said of answer(model, prompt)) events.push(said)
  return { done: events.at(-1), requests: server.requests }
}

describe('mistralModel', () => {
  const kit = languageModelConformance({
    withModel: async ({ pieces, inputTokens, outputTokens }, use) => {
      const chunks = [
        ...pieces.map((content) => event({ content })),
        event({ content: '' }, 'stop', usage(inputTokens, outputTokens)),
        DONE,
      ]
      await using server = await loopbackServer(() => ({ chunks }))
      await use(mistralModel({ apiKey: KEY, baseURL: server.url, model: 'mistral-large-latest' }))
    },
  })
  for (const { name, run } of kit) it(name, run)

  it('sends the rendered prompt once, and reads content in pieces of text', async () => {
    const { requests, done } = await ask({
      chunks: [event({ content: [{ type: 'text', text: 'Yes' }] }), event({ content: '' }, 'stop', usage(9, 1)), DONE],
    })
    expect(requests).toMatchObject([
      {
        method: 'POST',
        path: expect.stringMatching(/^\/v1\/chat\/completions/),
        headers: { authorization: `Bearer ${KEY}` },
        body: { model: 'mistral-large-latest', stream: true, messages: prompt.messages },
      },
    ])
    expect(done).toMatchObject({ answer: { text: 'Yes', reason: 'stop', usage: { inputTokens: 9, outputTokens: 1 } } })
  })

  it('passes tool calls on', async () => {
    const call = { id: 'abcdefghi', function: { name: 'look', arguments: '{"q":1}' }, index: 0 }
    const { done } = await ask({
      chunks: [event({ content: '', tool_calls: [call] }, 'tool_calls', usage(1, 1)), DONE],
    })
    expect(done).toMatchObject({
      answer: { reason: 'tool-call', toolCalls: [{ id: 'abcdefghi', name: 'look', arguments: '{"q":1}' }] },
    })
  })

  it.each([
    [429, true],
    [500, true],
    [401, false],
  ])('maps status %i to a ProviderError after one attempt', async (status, retryable) => {
    await using server = await loopbackServer(() => ({ status, json: { message: `no ${KEY}` } }))
    const model = mistralModel({ apiKey: KEY, baseURL: server.url, model: 'm' })
    const failure = await model
      .stream(prompt)
      [Symbol.asyncIterator]()
      .next()
      .then(
        () => undefined,
        (error: unknown) => error,
      )
    expect(failure).toMatchObject({ provider: 'mistral', status, retryable })
    expect(String(failure)).not.toContain(KEY)
    expect(server.requests).toHaveLength(1)
  })

  it('rejects a stream that ends without a reason, and http beyond this machine', async () => {
    await expect(ask({ chunks: [event({ content: 'half' }), DONE] })).rejects.toMatchObject({
      code: 'INVALID_RESPONSE',
    })
    expect(() => mistralModel({ apiKey: KEY, baseURL: 'http://example.com', model: 'm' })).toThrowError(/http/)
  })
})

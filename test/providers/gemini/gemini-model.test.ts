import { describe, expect, it } from 'vitest'
import { answer } from '../../../src/language-model/index.ts'
import { promptAssembler } from '../../../src/prompt-assembler/index.ts'
import { geminiModel } from '../../../src/providers/gemini/index.ts'
import { type LoopbackAnswer, languageModelConformance, loopbackServer } from '../../../src/testing/index.ts'
import { passage, wordCounter } from '../../prompt-assembler/fixtures.ts'

// The wire format is that of GenerateContentResponse in the types of the `@google/genai` package, as server-sent events. It
// is not a recording of the provider.

const KEY = 'AIzaSyD4fGh7Kl2Qw9Er5Ty8Ui1Op3As6Df00'
const event = (body: object) => `data: ${JSON.stringify(body)}\r\n\r\n`
const parts = (list: object[], more: object = {}) =>
  event({ candidates: [{ content: { role: 'model', parts: list }, index: 0, ...more }] })
const end = (finishReason = 'STOP', promptTokenCount = 5, candidatesTokenCount = 2, more: object = {}) =>
  event({
    candidates: [{ index: 0, finishReason }],
    usageMetadata: { promptTokenCount, candidatesTokenCount, ...more },
  })

const prompt = promptAssembler({ counter: wordCounter, contextWindow: 1000, outputReserve: 100 }).assemble({
  instructions: 'Be brief.',
  passages: [passage('a', 'Keys rotate every 90 days.', { score: 2 }), passage('b', 'Other words.')],
  question: 'Do keys rotate?',
})

async function ask(reply: LoopbackAnswer) {
  await using server = await loopbackServer(() => reply)
  const model = geminiModel({ apiKey: KEY, baseURL: server.url, model: 'gemini-2.5-flash' })
  const events = []
  for await (const said of answer(model, prompt)) events.push(said)
  return { done: events.at(-1), requests: server.requests }
}

describe('geminiModel', () => {
  const kit = languageModelConformance({
    withModel: async ({ pieces, inputTokens, outputTokens }, use) => {
      const chunks = [...pieces.map((text) => parts([{ text }])), end('STOP', inputTokens, outputTokens)]
      await using server = await loopbackServer(() => ({ chunks }))
      await use(geminiModel({ apiKey: KEY, baseURL: server.url, model: 'gemini-2.5-flash' }))
    },
  })
  for (const { name, run } of kit) it(name, run)

  it('sends the rendered prompt once', async () => {
    const { requests, done } = await ask({
      chunks: [
        parts([{ text: 'thinking', thought: true }, { text: 'Yes' }]),
        end('STOP', 9, 1, { thoughtsTokenCount: 4, cachedContentTokenCount: 3 }),
      ],
    })
    expect(requests).toHaveLength(1)
    expect(requests[0]).toMatchObject({
      method: 'POST',
      headers: { 'x-goog-api-key': KEY },
      body: {
        contents: [{ role: 'user', parts: [{ text: prompt.messages[1]!.content }] }],
        systemInstruction: { parts: [{ text: 'Be brief.' }] },
      },
    })
    expect(requests[0]!.path).toMatch(/\/models\/gemini-2\.5-flash:streamGenerateContent/)
    expect(done).toMatchObject({
      answer: { text: 'Yes', reason: 'stop', usage: { inputTokens: 9, cachedInputTokens: 3, outputTokens: 5 } },
    })
  })

  it('passes tool calls on, and groundings whose text stands in one source', async () => {
    const groundingMetadata = {
      groundingChunks: [{ retrievedContext: { text: 'every 90 days' } }, { retrievedContext: { text: 'nowhere' } }],
      groundingSupports: [{ groundingChunkIndices: [0, 1], segment: { startIndex: 0, endIndex: 3 } }],
    }
    const { done } = await ask({
      chunks: [parts([{ functionCall: { name: 'look', args: { q: 1 } } }], { groundingMetadata }), end()],
    })
    expect(done).toMatchObject({
      answer: {
        reason: 'tool-call',
        toolCalls: [{ id: 'call_0', name: 'look', arguments: '{"q":1}' }],
        citations: [{ number: 1, origin: 'provider', verdict: 'verified', span: { start: 12, end: 25 } }],
      },
    })
  })

  it.each([
    ['MAX_TOKENS', 'length'],
    ['SAFETY', 'refusal'],
    ['SOMETHING_NEW', 'other'],
  ])('reports the reason %s as %s', async (theirs, ours) => {
    const { done } = await ask({ chunks: [parts([{ text: 'x' }]), end(theirs)] })
    expect(done).toMatchObject({ answer: { reason: ours } })
  })

  it.each([
    [429, true],
    [503, true],
    [400, false],
  ])('maps status %i to a ProviderError after one attempt', async (status, retryable) => {
    await using server = await loopbackServer(() => ({
      status,
      json: { error: { code: status, message: `no ${KEY}`, status: 'X' } },
    }))
    const model = geminiModel({ apiKey: KEY, baseURL: server.url, model: 'm' })
    const failure = await model
      .stream(prompt)
      [Symbol.asyncIterator]()
      .next()
      .then(
        () => undefined,
        (error: unknown) => error,
      )
    expect(failure).toMatchObject({ provider: 'gemini', status, retryable })
    expect(String(failure)).not.toContain(KEY)
    expect(server.requests).toHaveLength(1)
  })

  it('rejects a stream that ends without a reason, and http beyond this machine', async () => {
    await expect(ask({ chunks: [parts([{ text: 'half' }])] })).rejects.toMatchObject({ code: 'INVALID_RESPONSE' })
    expect(() => geminiModel({ apiKey: KEY, baseURL: 'http://example.com', model: 'm' })).toThrowError(/http/)
  })
})

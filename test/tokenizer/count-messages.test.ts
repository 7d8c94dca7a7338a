import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { cl100kBase } from '../../src/tokenizer/cl100k-base.ts'
import { countMessages } from '../../src/tokenizer/count-messages.ts'
import type { CountedRequest } from '../../src/tokenizer/counted-request.ts'
import { o200kBase } from '../../src/tokenizer/o200k-base.ts'

type Recorded = CountedRequest & { readonly source: string; readonly model: string; readonly tokens: number }

const file: { readonly sources: Readonly<Record<string, string>>; readonly requests: readonly Recorded[] } = JSON.parse(
  readFileSync(new URL('./fixtures/chat/recorded-counts.json', import.meta.url), 'utf8'),
)
const recorded = file.requests
const vocabularyOf = (model: string) => (/^gpt-(?:3\.5-turbo|4)$/.test(model) ? cl100kBase() : o200kBase())

const cookbook: CountedRequest = {
  messages: [
    {
      role: 'system',
      content: 'You are a helpful, pattern-following assistant that translates corporate jargon into plain English.',
    },
    { role: 'system', name: 'example_user', content: 'New synergies will help drive top-line growth.' },
    { role: 'system', name: 'example_assistant', content: 'Things working well together will increase revenue.' },
    {
      role: 'system',
      name: 'example_user',
      content: "Let's circle back when we have more bandwidth to touch base on opportunities for increased leverage.",
    },
    {
      role: 'system',
      name: 'example_assistant',
      content: "Let's talk later when we're less busy about how to do better.",
    },
    {
      role: 'user',
      content: "This late pivot means we don't have time to boil the ocean for the client deliverable.",
    },
  ],
}

const weather: CountedRequest = {
  messages: [
    { role: 'system', content: 'You are a helpful assistant that can answer to questions about the weather.' },
    { role: 'user', content: "What's the weather like in San Francisco?" },
  ],
  tools: [
    {
      type: 'function',
      function: {
        name: 'get_current_weather',
        description: 'Get the current weather in a given location',
        parameters: {
          type: 'object',
          properties: {
            location: { type: 'string', description: 'The city and state, e.g. San Francisco, CA' },
            unit: { type: 'string', description: 'The unit of temperature to return', enum: ['celsius', 'fahrenheit'] },
          },
          required: ['location'],
        },
      },
    },
  ],
}

describe('countMessages', () => {
  it('is the count that the API reported, or up to 3 more, never less', () => {
    const wrong = recorded
      .map((request) => ({ request, over: countMessages(request, vocabularyOf(request.model)) - request.tokens }))
      .filter(({ over }) => over < 0 || over > 3)
    expect(wrong).toEqual([])
  })

  it('is the count that the API reported, for five of six requests', () => {
    const exact = recorded.filter((request) => countMessages(request, vocabularyOf(request.model)) === request.tokens)
    expect(exact.length / recorded.length).toBeGreaterThan(5 / 6)
  })

  it('is never less where the model is not named', () => {
    for (const { model, ...request } of recorded) {
      expect(countMessages(request, vocabularyOf(model)), JSON.stringify(request)).toBeGreaterThanOrEqual(
        request.tokens,
      )
    }
  })

  it('is held to requests of every kind, each from a named source', () => {
    const kinds = {
      name: (request: Recorded) => request.messages?.some((message) => message.name !== undefined),
      tools: (request: Recorded) => request.messages && request.tools,
      'tool result': (request: Recorded) => request.messages?.some((message) => message.role === 'tool'),
      'several calls': (request: Recorded) =>
        request.messages?.some((message) => (message.tool_calls?.length ?? 0) > 1),
      responses: (request: Recorded) => request.input && !request.tools,
      'responses with tools': (request: Recorded) => request.input && request.tools,
      'responses with results': (request: Recorded) =>
        Array.isArray(request.input) && request.input.some((item) => item.type === 'function_call_output'),
    }
    const counts = Object.entries(kinds).map(([kind, is]) => [kind, recorded.filter(is).length >= 4])
    expect(counts).toEqual(Object.keys(kinds).map((kind) => [kind, true]))
    expect(recorded.length).toBeGreaterThanOrEqual(166)
    expect(new Set(recorded.map(({ source }) => source))).toEqual(new Set(Object.keys(file.sources)))
  })

  it("is within 3 of the counts of OpenAI's cookbook, for both vocabularies", () => {
    const rows = [
      [cookbook, cl100kBase(), 129],
      [cookbook, o200kBase(), 124],
      [weather, cl100kBase(), 105],
      [weather, o200kBase(), 101],
    ] as const
    for (const [request, tokenizer, tokens] of rows) {
      const model = tokenizer.id === 'o200k_base' ? 'gpt-4o' : 'gpt-4'
      const over = countMessages({ model, ...request }, tokenizer) - tokens
      expect([tokens, over >= 0, over <= 3]).toEqual([tokens, true, true])
    }
  })

  it('counts the text of a response like that of a chat completion', () => {
    const said = {
      model: 'gpt-4o',
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Hi' },
      ],
    }
    const parts = [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hi' }] }]
    const asked = { model: 'gpt-4o', instructions: 'Be brief.', input: parts }
    expect(countMessages(asked, o200kBase())).toBe(countMessages(said, o200kBase()))
    expect(countMessages({ input: 'hello' }, o200kBase())).toBe(
      countMessages({ messages: [{ role: 'user', content: 'hello' }] }, o200kBase()),
    )
  })

  it('names a result after the call it answers, by id', () => {
    const answered = (id: string) => ({
      model: 'gpt-4o',
      messages: [
        {
          role: 'assistant',
          tool_calls: [
            { id: 'a', function: { name: 'f', arguments: '{}' } },
            { id: 'b', function: { name: 'a_much_longer_name_of_a_function', arguments: '{}' } },
          ],
        },
        { role: 'tool', tool_call_id: id, content: 'done' },
      ],
    })
    const [short, long, unknown] = ['a', 'b', 'c'].map((id) => countMessages(answered(id), o200kBase()))
    expect(long).toBeGreaterThan(short!)
    expect(unknown).toBe(long)
  })

  it('grows with every part', () => {
    const tokenizer = o200kBase()
    const plain = countMessages({ messages: [{ role: 'user', content: 'hi' }] }, tokenizer)
    expect(countMessages({ messages: [{ role: 'user', name: 'ann', content: 'hi' }] }, tokenizer)).toBeGreaterThan(
      plain,
    )
    expect(countMessages({ messages: [] }, tokenizer)).toBe(3)
  })

  it('refuses what is no request, whatever it is', () => {
    const tokenizer = o200kBase()
    const said = (message: unknown) => ({ messages: [message] })
    const offered = (parameters: unknown) => ({ messages: [], tools: [{ type: 'function', name: 'f', parameters }] })
    const values = [null, 7, true, Symbol('s'), () => 1, 1n, [null], {}]
    const requests = [
      ...[null, undefined, 7, 'text', []],
      ...values.map((messages) => ({ messages })),
      ...[null, 7, 'text'].map(said),
      ...values.map((content) => said({ role: 'user', content })).slice(1),
      ...[7, {}, Symbol('s')].map((role) => said({ role, content: 'a' })),
      ...[7, 'text', {}, [null], [{ function: { name: 'f' } }]].map((calls) => said({ tool_calls: calls })),
      ...[7, 'text', {}, [null], ['f'], [{ type: 'web_search' }]].map((tools) => ({ messages: [], tools })),
      ...[7, 'text', { properties: 7 }, { properties: { a: null } }, { required: 'a' }, { description: 7 }].map(
        offered,
      ),
      ...[null, 7, {}].map((toolChoice) => ({ messages: [], toolChoice })),
      ...[7, {}, Symbol('s')].flatMap((value) => [
        { input: 'a', instructions: value },
        { input: 'a', model: value },
      ]),
    ]
    for (const request of requests) {
      expect(() => Reflect.apply(countMessages, undefined, [request, tokenizer])).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
      )
    }
    expect(
      countMessages(
        { messages: [], tools: [{ type: 'function', name: 'f', parameters: { properties: {} } }] },
        tokenizer,
      ),
    ).toBeGreaterThan(3)
  })

  it('refuses what it cannot count', () => {
    const refused = expect.objectContaining({ code: 'INVALID_ARGUMENT' })
    const image = { messages: [{ role: 'user', content: [{ type: 'image_url' }] }] }
    expect(() => countMessages(image, o200kBase())).toThrow(refused)
    expect(() => countMessages({}, o200kBase())).toThrow(refused)
    for (const type of ['reasoning', 'item_reference', 'web_search_call']) {
      expect(() => countMessages({ input: [{ type }] }, o200kBase())).toThrow(refused)
    }
    for (const model of ['o1-mini', 'o3-mini', 'o3-mini-2025-01-31']) {
      expect(() => countMessages({ model, messages: [] }, o200kBase())).toThrow(
        expect.objectContaining({ code: 'UNKNOWN_MODEL', details: { model } }),
      )
    }
    expect(countMessages({ model: 'o3', messages: [] }, o200kBase())).toBe(2)
  })
})

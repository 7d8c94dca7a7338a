import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { cl100kBase } from '../../src/tokenizer/cl100k-base.ts'
import { type CountedRequest, countMessages } from '../../src/tokenizer/count-messages.ts'
import { o200kBase } from '../../src/tokenizer/o200k-base.ts'

type Recorded = CountedRequest & { readonly tokens: number }

const recorded: readonly Recorded[] = JSON.parse(
  readFileSync(new URL('./fixtures/chat/recorded-counts.json', import.meta.url), 'utf8'),
).requests

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
    for (const { tokens, ...request } of recorded) {
      const counted = countMessages(request, o200kBase())
      expect(counted - tokens, JSON.stringify(request)).toBeGreaterThanOrEqual(0)
      expect(counted - tokens, JSON.stringify(request)).toBeLessThanOrEqual(3)
    }
    expect(recorded.length).toBeGreaterThanOrEqual(32)
  })

  it("is within 3 of the counts of OpenAI's cookbook, for both vocabularies", () => {
    const rows = [
      [cookbook, cl100kBase(), 129],
      [cookbook, o200kBase(), 124],
      [weather, cl100kBase(), 105],
      [weather, o200kBase(), 101],
    ] as const
    for (const [request, tokenizer, tokens] of rows) {
      const over = countMessages(request, tokenizer) - tokens
      expect([tokens, over >= 0, over <= 3]).toEqual([tokens, true, true])
    }
  })

  it('counts a response like the chat completion that says the same', () => {
    const tokenizer = o200kBase()
    const chat = countMessages(
      {
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: 'Weather?' },
          { role: 'assistant', tool_calls: [{ function: { name: 'get_weather', arguments: '{"city":"Rome"}' } }] },
          { role: 'tool', content: 'sunny' },
        ],
        tools: [{ type: 'function', function: { name: 'get_weather', description: 'Weather of a city' } }],
      },
      tokenizer,
    )
    const response = countMessages(
      {
        instructions: 'Be brief.',
        input: [
          { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Weather?' }] },
          { type: 'function_call', name: 'get_weather', arguments: '{"city":"Rome"}' },
          { type: 'function_call_output', output: 'sunny' },
        ],
        tools: [{ type: 'function', name: 'get_weather', description: 'Weather of a city' }],
      },
      tokenizer,
    )
    expect(response).toBe(chat)
    expect(countMessages({ input: 'hello' }, tokenizer)).toBe(
      countMessages({ messages: [{ role: 'user', content: 'hello' }] }, tokenizer),
    )
  })

  it('grows with every part', () => {
    const tokenizer = o200kBase()
    const plain = countMessages({ messages: [{ role: 'user', content: 'hi' }] }, tokenizer)
    expect(countMessages({ messages: [{ role: 'user', name: 'ann', content: 'hi' }] }, tokenizer)).toBeGreaterThan(
      plain,
    )
    expect(countMessages({ messages: [] }, tokenizer)).toBe(3)
  })

  it('refuses what it cannot count', () => {
    const refused = expect.objectContaining({ code: 'INVALID_ARGUMENT' })
    const image = { messages: [{ role: 'user', content: [{ type: 'image_url' }] }] }
    expect(() => countMessages(image, o200kBase())).toThrow(refused)
    expect(() => countMessages({}, o200kBase())).toThrow(refused)
  })
})

import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  openaiChatOverhead,
  type PromptMessage,
  promptAssembler,
  type ToolDefinition,
} from '../../src/prompt-assembler/index.ts'
import { byteBoundCounter, type CountedRequest, countMessages, exactCounter } from '../../src/tokenizer/index.ts'
import { o200kBase } from '../../src/tokenizer/o200k-base.ts'

const o200k = exactCounter(o200kBase())
const overhead = openaiChatOverhead()

interface RecordedTool {
  readonly function: {
    readonly name: string
    readonly description?: string
    readonly parameters?: Record<string, unknown>
  }
}
type Recorded = CountedRequest & { readonly tokens: number; readonly tools?: readonly RecordedTool[] }
const recorded: readonly Recorded[] = JSON.parse(
  readFileSync(new URL('../tokenizer/fixtures/chat/recorded-counts.json', import.meta.url), 'utf8'),
).requests

const definition = ({ function: given }: RecordedTool): ToolDefinition => ({
  name: given.name,
  description: given.description ?? '',
  parameters: given.parameters ?? {},
})

const word = fc.constantFrom('key', 'rotate', 'the city, e.g. San Francisco', 'é 鍵 🔑', 'a_b')
const leaf = fc.oneof(
  fc.record({ type: fc.constantFrom('string', 'number', 'boolean'), description: word }),
  fc.record({ type: fc.constant('string'), enum: fc.array(word, { minLength: 1, maxLength: 4 }) }),
  fc.record({ type: fc.constant('array'), items: fc.record({ type: fc.constantFrom('string', 'integer') }) }),
)
const properties = fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), leaf, { maxKeys: 4 })
const schema = fc.record({ type: fc.constant('object'), properties })
const nested = fc.record({
  type: fc.constant('object'),
  properties: fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.oneof(leaf, schema), { maxKeys: 4 }),
})
const tools = fc.uniqueArray(
  fc.record({ name: fc.stringMatching(/^[a-z_]{1,12}$/), description: word, parameters: nested }),
  { selector: ({ name }) => name, minLength: 1, maxLength: 4 },
)

describe('openaiChatOverhead', () => {
  it('counts no fewer tokens for tools and calls than chat completions are recorded to have charged', () => {
    const over: number[] = []
    for (const { tokens, model, messages, toolChoice, tools: given } of recorded) {
      // A prompt forces no function and forbids none.
      if (toolChoice !== undefined && toolChoice !== 'auto') continue
      if (messages === undefined || (given === undefined && !messages.some(({ role }) => role === 'tool'))) continue
      const { fixed, message, tools: toolTokens } = openaiChatOverhead(model === undefined ? {} : { model })
      let total = fixed + toolTokens((given ?? []).map(definition), o200k)
      for (const { role, content, name, ...more } of messages) {
        const text = Array.isArray(content) ? content.map((part) => part.text ?? '').join('') : String(content ?? '')
        const toolCalls = (more.tool_calls ?? []).map((call) => ({ id: '', ...call.function! }))
        const like =
          role === 'assistant'
            ? { role, content: text, toolCalls }
            : role === 'tool'
              ? { role, content: text, toolCallId: '' }
              : { role: 'user' as const, content: text }
        total += message(like as PromptMessage, o200k) + o200k.count(text) + (name ? 1 + o200k.count(name) : 0)
      }
      over.push(total / tokens)
      expect(total, JSON.stringify(given)).toBeGreaterThanOrEqual(tokens)
    }
    expect(over.length).toBeGreaterThanOrEqual(15)
  })

  it.each([
    ['exact', o200k],
    ['bytes', byteBoundCounter()],
  ])('makes prompts with tools and tool calls a bound, never below the observed rule (%s)', (_, counter) => {
    const assembler = promptAssembler({ counter, contextWindow: 40_000, outputReserve: 0, overhead, guarantee: true })
    fc.assert(
      fc.property(tools, fc.boolean(), (given, called) => {
        const prompt = assembler.assemble({
          instructions: 'Be brief.',
          tools: given,
          question: 'What now?',
          history: called
            ? [
                { role: 'user', content: 'Look.' },
                {
                  role: 'assistant',
                  content: '',
                  toolCalls: [{ id: 'call_1', name: given[0]!.name, arguments: '{"a":1}' }],
                },
                { role: 'tool', content: 'Seen.', toolCallId: 'call_1' },
              ]
            : [],
        })
        expect(prompt.guarantee).toBe('bound')
        const counted = countMessages(
          {
            messages: prompt.messages.map((message) => ({
              role: message.role,
              content: message.content,
              ...(message.role === 'assistant' && {
                tool_calls: (message.toolCalls ?? []).map((call) => ({ function: call })),
              }),
            })),
            tools: given.map((tool) => ({ type: 'function', function: tool })),
          },
          o200kBase(),
        )
        expect(prompt.ledger.total).toBeGreaterThanOrEqual(counted)
      }),
      { numRuns: 150, seed: 31 },
    )
  })

  it.each([
    [undefined, 'bound', 3],
    ['gpt-3.5-turbo', 'exact', 3],
    ['gpt-4', 'exact', 3],
    ['gpt-4.1-mini', 'exact', 3],
    ['gpt-5-mini', 'exact', 2],
    ['o3', 'exact', 2],
    ['o4-mini', 'exact', 2],
    ['o3-mini', 'estimate', 2],
    ['o1-mini', 'estimate', 2],
    ['my-model', 'estimate', 3],
  ])('for the model %s is %s', (model, kind, fixed) => {
    const overhead = openaiChatOverhead(model === undefined ? {} : { model })
    expect(overhead).toMatchObject({ kind, fixed, toolsKind: kind === 'estimate' ? 'estimate' : 'bound' })
    const make = () =>
      promptAssembler({ counter: o200k, contextWindow: 400, outputReserve: 0, overhead, guarantee: true })
    if (kind !== 'estimate') expect(make().assemble({ question: 'x' }).guarantee).toBe(kind)
    else
      expect(make).toThrowError(
        expect.objectContaining({ code: 'INVALID_ARGUMENT', details: { ledger: expect.anything() } }),
      )
  })

  it('is refused as a guarantee for tool calls too, where the overhead only estimates them', () => {
    const plain = promptAssembler({ counter: o200k, contextWindow: 4000, outputReserve: 0, guarantee: true })
    expect(() =>
      plain.assemble({
        question: 'x',
        history: [
          { role: 'user', content: 'Look.' },
          { role: 'assistant', content: '', toolCalls: [{ id: 'c', name: 'look', arguments: '{}' }] },
          { role: 'tool', content: 'Seen.', toolCallId: 'c' },
        ],
      }),
    ).toThrowError(/openaiChatOverhead/)
  })
})

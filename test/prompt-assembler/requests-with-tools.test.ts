import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isGroundlineError } from '../../src/errors.ts'
import {
  openaiChatOverhead,
  type PromptMessage,
  promptAssembler,
  renderOpenAIChat,
} from '../../src/prompt-assembler/index.ts'
import { cl100kBase } from '../../src/tokenizer/cl100k-base.ts'
import { type CountedRequest, countMessages, exactCounter } from '../../src/tokenizer/index.ts'
import { o200kBase } from '../../src/tokenizer/o200k-base.ts'
import { passage } from './fixtures.ts'
import { randomText } from './random-text.ts'

const RUNS = process.env.GROUNDLINE_NIGHTLY === '1' ? 10_000 : 250
const MODELS = { 'gpt-4o': o200kBase(), 'gpt-4': cl100kBase(), 'gpt-5': o200kBase() }

const text = randomText(20)
const name = fc.stringMatching(/^[A-Za-z_][\w-]{0,20}$/)
const { schema } = fc.letrec((tie) => ({
  leaf: fc.record(
    {
      type: fc.constantFrom('string', 'number', 'integer', 'boolean', 'null', ['string', 'null']),
      description: text,
      default: fc.oneof(fc.integer(), text),
    },
    { requiredKeys: [] },
  ),
  choice: fc.record({ type: fc.constant('string'), enum: fc.array(text, { maxLength: 4 }) }),
  list: fc.record({ type: fc.constant('array'), items: tie('property') }),
  anyOf: fc.record({ anyOf: fc.array(tie('leaf'), { minLength: 1, maxLength: 3 }), description: text }),
  property: fc.oneof({ maxDepth: 3 }, tie('leaf'), tie('choice'), tie('list'), tie('anyOf'), tie('schema')),
  schema: fc
    .tuple(fc.dictionary(name, tie('property'), { maxKeys: 4 }), fc.boolean(), text)
    .map(([properties, required, description]) => ({
      type: 'object',
      description,
      properties,
      required: required ? Object.keys(properties) : [],
    })),
}))
const tools = fc.uniqueArray(
  fc.record({ name, description: text, parameters: schema as fc.Arbitrary<Record<string, unknown>> }),
  { selector: (tool) => tool.name, maxLength: 4 },
)
const turn = fc.record({
  asked: text,
  said: text,
  calls: fc.array(fc.record({ name, argument: text, id: fc.stringMatching(/^call_\w{0,24}$/), result: text }), {
    maxLength: 3,
  }),
  closing: text,
})
const history = fc.array(turn, { maxLength: 4 }).map((turns) =>
  turns.flatMap(({ asked, said, calls, closing }): PromptMessage[] => {
    const toolCalls = calls.map((call, index) => ({
      id: `${call.id}${index}`,
      name: call.name,
      arguments: JSON.stringify({ a: call.argument }),
    }))
    return [
      { role: 'user', content: asked },
      ...(toolCalls.length > 0 ? [{ role: 'assistant' as const, content: said, toolCalls }] : []),
      ...calls.map(({ result }, index) => ({
        role: 'tool' as const,
        content: result,
        toolCallId: toolCalls[index]!.id,
      })),
      { role: 'assistant', content: closing },
    ]
  }),
)
const parts = fc.record({
  instructions: text,
  question: text.map((words) => `Q${words}`),
  passages: fc
    .array(text, { maxLength: 6 })
    .map((list) => list.map((words, index) => passage(`p${index}`, words, { score: 1 / (index + 1) }))),
  tools,
  history,
})

const isPlain = (message: PromptMessage) =>
  message.role === 'user' || (message.role === 'assistant' && message.toolCalls === undefined)

describe.each(Object.entries(MODELS))('requests to %s', (model, vocabulary) => {
  it(`with tools, calls and results cost no more than the ledger says, and that is within the budget, ${RUNS} times`, () => {
    const counter = exactCounter(vocabulary)
    const overheads = { named: openaiChatOverhead({ model }), unnamed: openaiChatOverhead(), default: undefined }
    const kinds = fc.constantFrom(...(Object.keys(overheads) as (keyof typeof overheads)[]))
    const made = { bound: 0, exact: 0 }
    fc.assert(
      fc.property(parts, kinds, fc.integer({ min: 100, max: 3000 }), (all, kind, contextWindow) => {
        const overhead = overheads[kind]
        const assembler = promptAssembler({
          counter,
          contextWindow,
          outputReserve: 0,
          ...(overhead && { overhead }),
          guarantee: true,
        })
        // The default only estimates tools and calls, and a guarantee refuses that.
        const given = overhead ? all : { ...all, tools: [], history: all.history.filter(isPlain) }
        try {
          const prompt = assembler.assemble(given)
          const request: CountedRequest = { model, ...renderOpenAIChat(prompt) } as CountedRequest
          const cost = countMessages(request, vocabulary)
          expect(cost).toBeLessThanOrEqual(prompt.ledger.total)
          expect(prompt.ledger.total).toBeLessThanOrEqual(contextWindow)
          expect(prompt.ledger.entries.reduce((sum, { tokens }) => sum + tokens, 0)).toBe(prompt.ledger.total)
          expect(prompt.guarantee).not.toBe('estimate')
          if (prompt.guarantee === 'exact') {
            expect(kind).toBe('named')
            expect(prompt.ledger.total).toBe(cost)
          }
          made[prompt.guarantee as 'bound' | 'exact']++
        } catch (error) {
          if (!isGroundlineError(error) || error.code !== 'BUDGET_EXCEEDED') throw error
        }
      }),
      { numRuns: RUNS, seed: 43 },
    )
    expect(made.bound).toBeGreaterThan(RUNS / 4)
    expect(made.exact).toBeGreaterThan(RUNS / 100)
  }, 1_200_000)
})

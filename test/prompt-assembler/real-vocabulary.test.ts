import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isGroundlineError } from '../../src/errors.ts'
import {
  openaiChatOverhead,
  type PromptMessage,
  promptAssembler,
  renderOpenAIChat,
} from '../../src/prompt-assembler/index.ts'
import { byteBoundCounter, exactCounter } from '../../src/tokenizer/index.ts'
import { o200kBase } from '../../src/tokenizer/o200k-base.ts'
import { passage } from './fixtures.ts'
import { randomText } from './random-text.ts'

const RUNS = process.env.GROUNDLINE_NIGHTLY === '1' ? 10_000 : 250
const o200k = exactCounter(o200kBase())
const bound = byteBoundCounter()

/** What a chat request costs, from the rendered request alone: the published rule, written again. */
function countRequest(messages: readonly { role: string; content: unknown }[]): number {
  return messages.reduce((sum, { role, content }) => sum + 3 + o200k.count(role) + o200k.count(content as string), 3)
}

const text = randomText()
const parts = fc.record({
  instructions: text,
  question: text.map((words) => `Q${words}`),
  passages: fc
    .array(fc.record({ text, score: fc.double({ min: 0, max: 1, noNaN: true }) }), { maxLength: 12 })
    .map((list) => list.map((entry, index) => passage(`p${index}`, entry.text, { score: entry.score }))),
  history: fc.array(fc.tuple(text, text), { maxLength: 4 }).map((turns) =>
    turns.flatMap(([user, assistant]): PromptMessage[] => [
      { role: 'user', content: user },
      { role: 'assistant', content: assistant },
    ]),
  ),
})

describe('prompts counted with o200k_base', () => {
  it(`exceed no budget of ${RUNS}, and their ledgers add up to what the request costs`, () => {
    const full: number[] = []
    let joins = 0
    fc.assert(
      fc.property(parts, fc.integer({ min: 60, max: 1200 }), fc.boolean(), (given, budget, exact) => {
        const assembler = promptAssembler({
          counter: exact ? o200k : bound,
          contextWindow: budget,
          outputReserve: 0,
          overhead: openaiChatOverhead({ model: 'gpt-4o' }),
          guarantee: true,
        })
        try {
          const { ledger, omitted, guarantee, ...prompt } = assembler.assemble(given)
          const cost = countRequest(renderOpenAIChat({ ledger, omitted, guarantee, ...prompt }).messages)
          expect(cost).toBeLessThanOrEqual(budget)
          expect(ledger.total).toBeLessThanOrEqual(budget)
          expect(ledger.entries.reduce((sum, { tokens }) => sum + tokens, 0)).toBe(ledger.total)
          expect(guarantee).toBe(exact ? 'exact' : 'bound')
          if (exact) {
            expect(ledger.total).toBe(cost)
            joins += ledger.entries.some((entry) => entry.part === 'joins') ? 1 : 0
            if (omitted.some(({ reason }) => reason === 'budget')) full.push(ledger.total / budget)
          }
        } catch (error) {
          if (!isGroundlineError(error) || error.code !== 'BUDGET_EXCEEDED') throw error
        }
      }),
      { numRuns: RUNS, seed: 41 },
    )
    // Segments are joined where counts add up, so the whole is the sum of its parts.
    expect(joins).toBe(0)
  }, 1_200_000)
})

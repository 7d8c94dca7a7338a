import { describe, expect, it } from 'vitest'
import {
  cachedTokens,
  cacheMinimumOf,
  type Prompt,
  type PromptMessage,
  promptAssembler,
  renderAnthropic,
} from '../../src/prompt-assembler/index.ts'
import { passage, wordCounter } from './fixtures.ts'

const TURNS = 20

/** Twenty turns of one conversation, with other passages each time. */
function converse(contextWindow: number, historyBlock: number): Prompt[] {
  const assembler = promptAssembler({
    counter: wordCounter,
    contextWindow,
    outputReserve: 100,
    historyBlock,
    cacheMinimum: 64,
  })
  const history: PromptMessage[] = []
  return Array.from({ length: TURNS }, (_, turn) => {
    const prompt = assembler.assemble({
      instructions: [
        { id: 'rules', text: 'word '.repeat(200) },
        { id: 'user', text: 'The user is Ann.', stability: 'session' },
        { id: 'now', text: `It is 12:00:${turn}.`, stability: 'turn' },
      ],
      tools: [{ name: 'look', description: 'Looks.', parameters: {} }],
      examples: [
        { role: 'user', content: 'Hello?' },
        { role: 'assistant', content: 'Hello.' },
      ],
      passages: Array.from({ length: 6 }, (_, index) =>
        passage(`t${turn}p${index}`, `turn ${turn} passage ${index} ${'word '.repeat(40)}`),
      ),
      history,
      question: `Question ${turn}?`,
    })
    history.push(
      { role: 'user', content: `Question ${turn}?` },
      { role: 'assistant', content: '', toolCalls: [{ id: `c${turn}`, name: 'look', arguments: '{}' }] },
      { role: 'tool', content: 'Seen.', toolCallId: `c${turn}` },
      { role: 'assistant', content: `Answer ${turn} ${'word '.repeat(30)}` },
    )
    return prompt
  })
}

/** What share of the static and session tokens of each prompt the next one begins with. */
function sharedPrefix(prompts: readonly Prompt[], breakpoints: boolean): number {
  let [shared, stable] = [0, 0]
  for (let turn = 1; turn < prompts.length; turn++) {
    const before = prompts[turn - 1]!
    shared += cachedTokens(before, prompts[turn]!, { breakpoints })
    stable += before.messageTokens.slice(0, -1).reduce((sum, tokens) => sum + tokens, 0)
    stable += before.ledger.entries.find((entry) => entry.part === 'tools')!.tokens
  }
  return shared / stable
}

describe('a session of twenty turns', () => {
  it('begins each prompt with at least 95 % of what was stable in the one before', () => {
    const prompts = converse(8000, 1)
    expect(sharedPrefix(prompts, false)).toBe(1)
    expect(sharedPrefix(prompts, true)).toBeGreaterThanOrEqual(0.95)
    for (const prompt of prompts) expect(prompt.cachePlan.breakpoints.length).toBeLessThanOrEqual(4)
  })

  it('trims whole turns from the oldest when the room ends, in blocks where that keeps the prefix', () => {
    const each = converse(1200, 1)
    const blocks = converse(1200, 5)
    expect(each.at(-1)!.omitted.some(({ id }) => id === 'history:0')).toBe(true)
    for (const { messages } of [...each, ...blocks]) {
      const calls = messages.flatMap((message) =>
        message.role === 'assistant' ? (message.toolCalls ?? []).map(({ id }) => id) : [],
      )
      expect(messages.flatMap((message) => (message.role === 'tool' ? [message.toolCallId] : []))).toEqual(calls)
    }
    expect(sharedPrefix(blocks, false)).toBeGreaterThan(sharedPrefix(each, false))
  })

  it('gives the same prompt from a history that went through JSON', () => {
    const assembler = promptAssembler({ counter: wordCounter, contextWindow: 300, outputReserve: 0 })
    const history: PromptMessage[] = [
      { role: 'user', content: 'Look.' },
      { role: 'assistant', content: '', toolCalls: [{ id: 'c', name: 'look', arguments: '{}' }] },
      { role: 'tool', content: 'Seen.', toolCallId: 'c' },
    ]
    const parts = { history, summary: 'Ann asked about keys.', passages: [passage('a', 'text')], question: 'And now?' }
    expect(JSON.stringify(assembler.assemble(JSON.parse(JSON.stringify(parts))))).toBe(
      JSON.stringify(assembler.assemble(parts)),
    )
  })

  it('shows the summary before the history, escaped', () => {
    const { messages } = promptAssembler({ counter: wordCounter, contextWindow: 300, outputReserve: 0 }).assemble({
      summary: 'Ann said <|im_end|>.',
      history: [{ role: 'user', content: 'q' }],
      question: 'x',
    })
    expect(messages.map(({ content }) => content)).toEqual([
      'Summary of the conversation before:\nAnn said <\\|im_end|>.',
      'q',
      'x',
    ])
  })
})

describe('cache plan', () => {
  it('places breakpoints behind tools, system, examples and history, and none below the minimum', () => {
    const [first] = converse(8000, 1)
    expect(first!.cachePlan.breakpoints).toEqual([0, 2])
    const marked = JSON.stringify(renderAnthropic(first!)).match(/cache_control/g)
    expect(marked).toHaveLength(2)
    const short = promptAssembler({ counter: wordCounter, contextWindow: 8000, outputReserve: 0 }).assemble({
      instructions: 'Be brief.',
      question: 'x',
    })
    expect(short.cachePlan).toEqual({ breakpoints: [], stableTokens: 0 })
  })

  it('foresees nothing cached when the tools change', () => {
    const [one, two] = converse(8000, 1)
    expect(cachedTokens({ ...one!, tools: [] }, two!)).toBe(0)
  })

  it('knows the shortest prefix by model, and says so when it does not', () => {
    expect(
      ['claude-opus-4-6', 'claude-opus-4-1-20250805', 'anthropic/claude-haiku-4-5', 'gpt-5-mini'].map(cacheMinimumOf),
    ).toEqual([4096, 1024, 4096, 1024])
    expect(() => cacheMinimumOf('my-model')).toThrowError(expect.objectContaining({ code: 'UNKNOWN_MODEL' }))
  })
})

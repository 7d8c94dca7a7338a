import { describe, expect, it } from 'vitest'
import {
  cachedTokens,
  cacheMinimumOf,
  type Prompt,
  type PromptMessage,
  promptAssembler,
  promptCaching,
  renderAnthropic,
} from '../../src/prompt-assembler/index.ts'
import { modelRows } from '../../src/tokenizer/models/model-rows.ts'
import { passage, wordCounter } from './fixtures.ts'

const TURNS = 20

/** Twenty turns of one conversation, with other passages each time; `continuing` passes each prompt's cut to the next. */
function converse(contextWindow: number, continuing: boolean): Prompt[] {
  const assembler = promptAssembler({
    counter: wordCounter,
    contextWindow,
    outputReserve: 100,
    cache: promptCaching({ minimum: 64 }),
  })
  let historyFrom = 0
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
      ...(continuing && { historyFrom }),
    })
    historyFrom = prompt.historyFrom
    history.push(
      { role: 'user', content: `Question ${turn}?` },
      { role: 'assistant', content: '', toolCalls: [{ id: `c${turn}`, name: 'look', arguments: '{}' }] },
      { role: 'tool', content: 'Seen.', toolCallId: `c${turn}` },
      { role: 'assistant', content: `Answer ${turn} ${'word '.repeat(30)}` },
    )
    return prompt
  })
}

/**
 * Of the static and session tokens that two prompts in a row both hold, the share with which they begin alike: what a cache
 * could serve.
 */
function sharedPrefix(prompts: readonly Prompt[], breakpoints: boolean): number {
  let [shared, stable] = [0, 0]
  for (const [at, next] of prompts.slice(1).entries()) {
    const before = prompts[at]!
    shared += cachedTokens(before, next, { breakpoints })
    const known = new Set(before.messages.map((message) => JSON.stringify(message)))
    for (const [index, tokens] of next.messageTokens.slice(0, -1).entries())
      if (known.has(JSON.stringify(next.messages[index]))) stable += tokens
    stable += next.ledger.entries.find((entry) => entry.part === 'tools')!.tokens
  }
  return shared / stable
}

describe('a session of twenty turns', () => {
  it('begins each prompt with at least 95 % of what was stable in the one before', () => {
    for (const continuing of [true, false]) {
      const prompts = converse(8000, continuing)
      expect(sharedPrefix(prompts, false)).toBe(1)
      expect(sharedPrefix(prompts, true)).toBeGreaterThanOrEqual(0.95)
      for (const prompt of prompts) expect(prompt.cachePlan.breakpoints.length).toBeLessThanOrEqual(4)
    }
  })

  it.each([1000, 1200, 1400, 1700])('does so too when the room ends, with cuts that last (window %i)', (window) => {
    const prompts = converse(window, true)
    const cuts = prompts.map(({ historyFrom }) => historyFrom)
    expect(cuts).toEqual(cuts.toSorted((a, b) => a - b))
    expect(new Set(cuts).size).toBeGreaterThan(1)
    expect(sharedPrefix(prompts, false)).toBeGreaterThanOrEqual(0.95)
    expect(sharedPrefix(converse(window, false), false)).toBeLessThan(0.95)
    for (const [turn, { omitted, messages, historyFrom }] of prompts.entries()) {
      // Between cuts everything from the cut on is there, byte for byte.
      expect(messages.length - 4).toBe(4 * turn - historyFrom)
      expect(omitted.filter(({ reason }) => reason === 'cut')).toHaveLength(historyFrom / 4)
    }
  })

  it('trims whole turns from the oldest when the room ends', () => {
    const prompts = [...converse(1200, false), ...converse(1200, true)]
    expect(prompts.at(-1)!.omitted.some(({ id }) => id === 'history:0')).toBe(true)
    for (const { messages } of prompts) {
      const calls = messages.flatMap((message) =>
        message.role === 'assistant' ? (message.toolCalls ?? []).map(({ id }) => id) : [],
      )
      expect(messages.flatMap((message) => (message.role === 'tool' ? [message.toolCallId] : []))).toEqual(calls)
    }
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
    const [first] = converse(8000, false)
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
    const [one, two] = converse(8000, false)
    expect(cachedTokens({ ...one!, tools: [] }, two!)).toBe(0)
  })

  it('knows the shortest prefix by model, and says so when it does not', () => {
    expect(
      ['claude-opus-4-6', 'claude-opus-4-1-20250805', 'anthropic/claude-haiku-4-5', 'gpt-5-mini'].map((model) =>
        cacheMinimumOf(model),
      ),
    ).toEqual([4096, 1024, 4096, 1024])
    const rows = modelRows().filter(({ cacheMinimumTokens }) => cacheMinimumTokens !== undefined)
    expect(rows.length).toBeGreaterThan(40)
    expect(rows.map(({ id }) => [id, cacheMinimumOf(id)])).toEqual(
      rows.map(({ id, cacheMinimumTokens }) => [id, cacheMinimumTokens]),
    )
    expect(() => cacheMinimumOf('my-model')).toThrowError(expect.objectContaining({ code: 'UNKNOWN_MODEL' }))
    const caching = promptCaching({ model: 'my-model' })
    const options = { counter: wordCounter, contextWindow: 900, outputReserve: 100 }
    expect(() => promptAssembler({ ...options, cache: caching })).toThrowError(
      expect.objectContaining({
        code: 'UNKNOWN_MODEL',
        details: { model: 'my-model', ledger: expect.objectContaining({ budget: 800 }) as unknown },
      }),
    )
    const parts = { instructions: 'word '.repeat(600), question: 'x' }
    const planned = (model: string) =>
      promptAssembler({ ...options, cache: promptCaching({ model, ...(model === 'own' && { minimum: 1 }) }) }).assemble(
        parts,
      ).cachePlan.breakpoints
    expect([planned('claude-opus-5'), planned('gpt-5'), planned('own')]).toEqual([[0], [], [0]])
    expect(() => promptCaching({ minimum: -1 })).toThrowError(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  })
})

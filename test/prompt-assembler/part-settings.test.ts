import { describe, expect, it } from 'vitest'
import { isGroundlineError } from '../../src/errors.ts'
import {
  bindings,
  type PartSettings,
  type Prompt,
  type PromptMessage,
  type PromptParts,
  promptAssembler,
  promptCaching,
  renditions,
} from '../../src/prompt-assembler/index.ts'
import { passage, wordCounter } from './fixtures.ts'

/** Three turns of 31 words each, the second with a tool call. */
const HISTORY: readonly PromptMessage[] = [
  { role: 'user', content: `one ${'word '.repeat(20)}` },
  { role: 'assistant', content: 'ok' },
  { role: 'user', content: `two ${'word '.repeat(4)}` },
  { role: 'assistant', content: '', toolCalls: [{ id: 'c', name: 'look', arguments: '1' }] },
  { role: 'tool', content: 'Seen.', toolCallId: 'c' },
  { role: 'assistant', content: 'ok' },
  { role: 'user', content: `three ${'word '.repeat(20)}` },
  { role: 'assistant', content: 'ok' },
]

function make(parts: Partial<PromptParts>, contextWindow = 10_000): Prompt {
  const options = { counter: wordCounter, contextWindow, outputReserve: 0, cache: promptCaching() }
  const full = { ...options, bind: bindings(), renditions: renditions() }
  return promptAssembler(full).assemble({ question: 'x', ...parts })
}

const said = (prompt: Prompt) => prompt.messages.map(({ content }) => content.split(' ')[0])

function refusal(parts: Partial<PromptParts>): string {
  try {
    make(parts)
  } catch (error) {
    if (!isGroundlineError(error)) throw error
    expect(error.details).toHaveProperty('ledger.budget')
    return error.message
  }
  throw new Error('was not refused')
}

describe('settings of a turn', () => {
  const withSettings = (settings: Record<string, PartSettings>, window: number, more: Partial<PromptParts> = {}) =>
    make({ history: HISTORY, settings, ...more }, window)

  it('keep a required turn, and only that one, when there is no room for the others', () => {
    const prompt = withSettings({ 'history:0': { required: true } }, 45)
    expect(said(prompt)).toEqual(['one', 'ok', 'x'])
    expect(prompt.omitted.map(({ id }) => id)).toEqual(['history:2', 'history:6'])
    expect(() => withSettings({ 'history:0': { required: true } }, 30)).toThrowError(
      expect.objectContaining({ code: 'BUDGET_EXCEEDED' }),
    )
  })

  it('let a turn win its place by priority or utility, with its tool calls and results', () => {
    const passages = [passage('a', 'word '.repeat(30))]
    const shown = (settings: Record<string, PartSettings>) => said(withSettings(settings, 70, { passages }))
    expect(shown({ 'history:2': { priority: 50 } })).toEqual(['two', '', 'Seen.', 'ok', 'x'])
    expect(shown({ 'history:2': { priority: 1 }, 'history:6': { priority: 1 } })[0]).not.toBe('two')
    const rivals = { 'history:0': { utility: 3 }, 'history:2': {}, 'history:6': {} }
    expect(said(withSettings(rivals, 45))).toEqual(['one', 'ok', 'x'])
  })

  it('shrink a turn to shorter messages, then to a title, before it goes', () => {
    const shorter: PromptMessage[] = [
      { role: 'user', content: 'two in short, please' },
      { role: 'assistant', content: 'ok' },
    ]
    const settings = { 'history:2': { priority: 50, renditions: [shorter, 'Two.'] } }
    expect(said(withSettings(settings, 60))).toEqual(['two', '', 'Seen.', 'ok', 'x'])
    const [middle, least] = [withSettings(settings, 25), withSettings(settings, 14)]
    expect(middle.messages.slice(0, -1)).toEqual(shorter)
    expect(least.messages[0]).toEqual({ role: 'user', content: 'Two.' })
    expect(least.pieces[0]!.origin).toEqual({
      type: 'part',
      part: 'history:2',
      index: 0,
      rendition: 2,
      start: 0,
      end: 4,
      form: 'verbatim',
    })
    expect(said(withSettings(settings, 11))).toEqual(['x'])
  })

  it('bind turns to other parts in groups and by requirements', () => {
    const passages = [passage('a', 'word '.repeat(30))]
    const needs = { 'passage:a': { requires: ['history:2'] } }
    const pair = { 'history:0': { group: 'g' }, 'history:6': { group: 'g' } }
    const seen = new Set<string>()
    for (let window = 12; window < 260; window += 3) {
      const bound = withSettings(needs, window, { passages })
      if (bound.sources.length > 0) expect(said(bound)).toContain('two')
      const words = said(withSettings(pair, window))
      expect(words.includes('one')).toBe(words.includes('three'))
      seen.add(`${bound.sources.length} ${words.length}`)
    }
    expect([...seen]).toEqual(expect.arrayContaining(['0 1', '0 5', '1 9']))
  })

  it('keep a pinned turn from before the cut of a conversation', () => {
    const prompt = withSettings({ 'history:0': { priority: 50 } }, 1000, { historyFrom: 6 })
    expect(said(prompt)).toEqual(['one', 'ok', 'three', 'ok', 'x'])
    expect(prompt.omitted).toEqual([{ id: 'history:2', reason: 'cut' }])
    expect(prompt.historyFrom).toBe(6)
  })
})

describe('renditions and stability of other parts', () => {
  it('shrink tools, examples, summary and question', () => {
    const tool = { name: 'look', description: 'Looks at many things at length.', parameters: { type: 'object' } }
    const parts = {
      tools: [tool],
      examples: [{ role: 'user' as const, content: 'An example of some length' }],
      summary: 'A summary of some length',
      question: 'A question of some length?',
      settings: {
        'tool:look': { renditions: [{ ...tool, description: 'Looks.' }] },
        'example:0': { required: true, renditions: ['Example'] },
        summary: { required: true, renditions: ['Summary'] },
        question: { renditions: ['Why?'] },
      },
    }
    const full = make(parts)
    expect(full.tools).toEqual([tool])
    expect(full.messages.map(({ content }) => content)).toEqual([
      parts.examples[0]!.content,
      `Summary of the conversation before:\n${parts.summary}`,
      parts.question,
    ])
    let fewest = full.ledger.total
    const seen = new Set<string>()
    for (let window = full.ledger.total; ; window--) {
      let prompt: Prompt
      try {
        prompt = make(parts, window)
      } catch {
        break
      }
      expect(prompt.ledger.total).toBeLessThanOrEqual(window)
      fewest = Math.min(fewest, prompt.ledger.total)
      seen.add(JSON.stringify([prompt.tools, prompt.messages.map(({ content }) => content)]))
    }
    const least = make(parts, fewest)
    expect(least.tools[0]!.description).toBe('Looks.')
    expect(least.messages.map(({ content }) => content)).toEqual([
      'Example',
      'Summary of the conversation before:\nSummary',
      'Why?',
    ])
    expect(seen.size).toBeGreaterThan(4)
  })

  it('place examples and the summary by how long they stay the same', () => {
    const parts = {
      examples: ['late', 'session', 'static'].map((content) => ({ role: 'user' as const, content })),
      summary: 'S',
      history: [{ role: 'user' as const, content: 'turn' }],
    }
    const settings = { 'example:0': { stability: 'turn' }, 'example:1': { stability: 'session' } } as const
    expect(said(make({ ...parts, settings }))).toEqual(['static', 'session', 'Summary', 'turn', 'late', 'x'])
    const late = { ...settings, summary: { stability: 'turn' } } as const
    expect(said(make({ ...parts, settings: late }))).toEqual(['static', 'session', 'turn', 'late', 'Summary', 'x'])
  })

  it('warn of a date in a tool or an example that should stay the same', () => {
    const tools = [{ name: 'look', description: 'Made 2026-11-22.', parameters: {} }]
    const examples = [{ role: 'user' as const, content: 'It is 12:00:00.' }]
    expect(make({ tools, examples }).warnings.map(({ id, found }) => [id, found])).toEqual([
      ['tool:look', '2026-11-22'],
      ['example:0', '12:00:00'],
    ])
    const settings = { 'example:0': { stability: 'turn' } } as const
    expect(make({ examples, settings }).warnings).toEqual([])
  })

  it.each<[string, Partial<PromptParts>]>([
    ['stability of passage:a must be turn', { settings: { 'passage:a': { stability: 'static' } } }],
    ['stability of tool:t must be static', { settings: { 'tool:t': { stability: 'turn' } } }],
    ['stability of summary must be session or turn', { settings: { summary: { stability: 'static' } } }],
    ['or shorten for passages', { settings: { 'passage:a': { renditions: ['short'] } } }],
    ['rendition 1 of summary must be', { summary: 's', settings: { summary: { renditions: [[]] } } }],
    ['rendition 1 of history:0 must be', { history: HISTORY, settings: { 'history:0': { renditions: [HISTORY] } } }],
    ['has no result', { history: HISTORY, settings: { 'history:0': { renditions: [HISTORY.slice(2, 4)] } } }],
    ['each must be cheaper', { history: HISTORY, settings: { 'history:2': { renditions: ['word '.repeat(80)] } } }],
    ["historyFrom must be the index of a turn's first message or 8", { history: HISTORY, historyFrom: 1 }],
  ])('are refused with a ledger: %s', (problem, parts) => {
    expect(refusal(parts)).toContain(problem)
  })

  it('need the reader of renditions', () => {
    const plain = promptAssembler({ counter: wordCounter, contextWindow: 1000, outputReserve: 0 })
    expect(() => plain.assemble({ question: 'x', settings: { question: { renditions: ['y'] } } })).toThrowError(
      /renditions: renditions\(\)/,
    )
    expect(() => plain.assemble({ question: 'x' }, { budget: 0 })).toThrowError(
      expect.objectContaining({ details: { ledger: expect.objectContaining({ contextWindow: 1000 }) as unknown } }),
    )
  })
})

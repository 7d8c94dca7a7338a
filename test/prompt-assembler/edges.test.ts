import { describe, expect, it } from 'vitest'
import { isGroundlineError } from '../../src/errors.ts'
import { chooseOptions } from '../../src/prompt-assembler/choose-options.ts'
import { countCache } from '../../src/prompt-assembler/count-cache.ts'
import { escapeLabel, escapeText } from '../../src/prompt-assembler/escape-text.ts'
import {
  bindings,
  cachedTokens,
  documentOrder,
  explainPrompt,
  extracts,
  fitPrompt,
  flagInvisible,
  genericOverhead,
  locateSource,
  type Prompt,
  type PromptAssemblerOptions,
  type PromptMessage,
  type PromptParts,
  passageCaps,
  promptAssembler,
  promptCaching,
  titles,
} from '../../src/prompt-assembler/index.ts'
import { clusterChoices } from '../../src/prompt-assembler/merge-runs.ts'
import { textMemo } from '../../src/prompt-assembler/text-memo.ts'
import { make, passage, wordCounter } from './fixtures.ts'

/** The error that an assembly ends with; its ledger must be there. */
function refusal(parts: PromptParts, more: Partial<PromptAssemblerOptions> = {}): string {
  try {
    make(parts, more)
  } catch (error) {
    if (!isGroundlineError(error)) throw error
    expect(error.details).toHaveProperty('ledger.budget')
    return `${error.code}: ${error.message}`
  }
  throw new Error('was not refused')
}

const TOOL = { name: 'look', description: 'Looks.', parameters: { type: 'object' } }

describe('parts that contradict themselves', () => {
  const a = passage('a', 'One.')
  const blank = passage('blank', '  \n')
  it.each<[string, PromptParts, Partial<PromptAssemblerOptions>?]>([
    ['must be 1–64 letters', { tools: [{ ...TOOL, name: 'no spaces' }], question: 'Q' }],
    ['must be a text that is not empty', { instructions: [{ id: 'x', text: ' ' }], question: 'Q' }],
    [
      'two instructions have the id "x"',
      {
        instructions: [
          { id: 'x', text: 'A' },
          { id: 'x', text: 'B' },
        ],
        question: 'Q',
      },
    ],
    ['two passages have the id', { passages: [a, a], question: 'Q' }],
    [
      'more passages are required than passageCaps permits',
      { passages: [a], settings: { a: { required: true }, 'passage:a': { required: true } }, question: 'Q' },
      { caps: passageCaps({ total: 0 }) },
    ],
    [
      'calls two tools under one id',
      {
        history: [
          {
            role: 'assistant',
            content: '',
            toolCalls: [
              { id: 'c', name: 'look', arguments: '' },
              { id: 'c', name: 'look', arguments: '' },
            ],
          },
        ],
        question: 'Q',
      },
    ],
    [
      'content must be a string',
      { history: [JSON.parse('{"role":"user","content":null}') as PromptMessage], question: 'Q' },
    ],
    [
      'is required, but what it needs, passage:blank, is not there',
      {
        passages: [a, blank],
        settings: { 'passage:a': { required: true, requires: ['passage:blank'] } },
        question: 'Q',
      },
      { bind: bindings() },
    ],
    ['pass overhead: openaiChatOverhead()', { tools: [TOOL], question: 'Q' }, { guarantee: true }],
  ])('are refused with the ledger: %s', (problem, parts, more) => {
    const message = refusal(parts, more)
    expect(message).toContain('INVALID_ARGUMENT')
    expect(message).toContain(problem)
  })

  it('do not include a part that requires itself or the question', () => {
    const settings = { 'passage:a': { requires: ['question', 'passage:a'] } }
    const prompt = make({ passages: [a], settings, question: 'Q' }, { bind: bindings() })
    expect(prompt.sources.map((source) => source.chunkId)).toEqual(['a'])
  })
})

describe('choices under a budget', () => {
  it('leave out instructions that may be left out, and say what they would have cost', () => {
    const instructions = [
      { id: 'short', text: 'Be brief.' },
      { id: 'long', text: 'word '.repeat(500), required: false },
    ]
    const prompt = make({ instructions, question: 'Q' }, { contextWindow: 200 })
    expect(prompt.omitted).toEqual([
      { id: 'instructions:long', reason: 'budget', tokens: expect.any(Number) as number },
    ])
    expect(explainPrompt(prompt)).toMatch(/left out instructions:long: there was no room, \d+ tokens/)
  })

  it('say of a passage without text that it has none', () => {
    const prompt = make({ passages: [passage('blank', ' ')], question: 'Q' })
    expect(prompt.omitted).toEqual([{ id: 'passage:blank', reason: 'duplicate' }])
    expect(explainPrompt(prompt)).toContain('left out passage:blank: it has no text')
  })

  it('name the twin that is shown in place of a passage', () => {
    const prompt = make({ passages: [passage('a', 'One.', { score: 2 }), passage('b', 'One.')], question: 'Q' })
    expect(explainPrompt(prompt)).toContain('left out passage:b: it has the same text as passage:a')
  })

  it('keep the part that others require, however many ways there are to have some of them', () => {
    const passages = Array.from({ length: 13 }, (_, index) =>
      passage(`p${index}`, `w${index} `.repeat(2 ** (index % 9) + index).trim(), { score: 1 + index }),
    )
    const settings = Object.fromEntries(
      passages.slice(1).map(({ id }) => [`passage:${id}`, { requires: ['passage:p0'] }] as const),
    )
    const prompt = make({ passages, settings, question: 'Q' }, { contextWindow: 600, bind: bindings() })
    expect(prompt.ledger.total).toBeLessThanOrEqual(prompt.ledger.budget)
    expect(prompt.sources.length).toBeGreaterThan(1)
    expect(prompt.sources.length).toBeLessThan(13)
    expect(prompt.sources.map((source) => source.chunkId)).toContain('p0')
  })

  it('fill what is left where the whole counts less than its parts, and never go beyond the budget', () => {
    const counter = { id: 'pages', kind: 'exact' as const, count: (text: string) => Math.ceil(text.length / 40) }
    const passages = Array.from({ length: 8 }, (_, index) =>
      passage(`p${index}`, `Word ${index}.`, { score: 9 - index }),
    )
    const history = Array.from(
      { length: 8 },
      (_, index): PromptMessage => ({ role: 'user', content: `Turn ${index}.` }),
    )
    let before = 0
    for (let contextWindow = 60; contextWindow <= 120; contextWindow++) {
      const parts = { instructions: 'Be brief.', passages, history, question: 'Q' }
      const { ledger, sources, omitted } = make(parts, { counter, contextWindow, outputReserve: 0 })
      expect(ledger.total).toBeLessThanOrEqual(contextWindow)
      expect(ledger.entries.reduce((sum, entry) => sum + entry.tokens, 0)).toBe(ledger.total)
      expect(sources.length + omitted.filter(({ id }) => id.startsWith('passage:')).length).toBe(8)
      before = sources.length
    }
    expect(before).toBe(8)
  })

  it('choose nothing where there is no room at all', () => {
    expect(chooseOptions([{ key: 'a', options: [{ cost: 0, utility: 1 }] }], -1)).toEqual([-1])
  })

  it('promise the same with tools where the overhead says so for every prompt', () => {
    const { id, fixed, message, tools } = genericOverhead()
    const overhead = { id, fixed, message, tools, kind: 'bound' as const }
    expect(make({ tools: [TOOL], question: 'Q' }, { overhead }).guarantee).toBe('bound')
  })
})

describe('passages of one document', () => {
  const text = 'Alpha beta. Gamma delta. Epsilon zeta. Eta theta. Iota kappa. Lambda mu. Nu xi.'
  const cut = (id: string, start: number, end: number, score = 1, more = {}) =>
    passage(id, text.slice(start, end), { documentId: 'd', start, score, ...more })

  it('stand in the order of documents and places where that is asked for', () => {
    const passages = [
      cut('late', 39, 50, 9),
      passage('z', 'Last.', { documentId: 'z', score: 8 }),
      cut('early', 0, 11, 1),
      passage('b', 'First.', { documentId: 'b', score: 2 }),
    ]
    const { sources } = make({ passages, question: 'Q' }, { order: documentOrder })
    expect(sources.map((source) => source.chunkId)).toEqual(['b', 'early', 'late', 'z'])
  })

  it('that overlap more than five at a time show every place once, and a covered one not again', () => {
    const passages = [
      ...[0, 2, 4, 6, 8].map((start, index) => cut(`p${index}`, start, 40 + start, 9 - index)),
      cut('tail', 12, 60, 2),
      cut('inside', 14, 38, 1),
      cut('same', 0, 38, 1),
    ]
    const prompt = make({ passages, question: 'Q' })
    const shown = prompt.sources.flatMap((source) => source.shown.map((span) => text.slice(span.start, span.end)))
    expect(shown.join('').replaceAll(' ', '')).toBe(text.slice(0, 60).replaceAll(' ', ''))
    expect(prompt.omitted.filter(({ reason }) => reason === 'overlap').map(({ id }) => id)).toContain('passage:inside')
  })

  it('are trusted as far as the least trusted of those shown together, under the id of the best', () => {
    const passages = [cut('first', 0, 24, 1), cut('second', 12, 38, 5)]
    const shown = (trust: Record<string, 'trusted' | 'suspect'>) =>
      make({ passages, question: 'Q' }, { trustOf: ({ id }) => trust[id]! }).sources
    expect(shown({ first: 'trusted', second: 'trusted' })).toMatchObject([
      { chunkId: 'second', chunkIds: ['first', 'second'], trust: 'trusted', start: 0, end: 38 },
    ])
    expect(shown({ first: 'trusted', second: 'suspect' })).toMatchObject([{ trust: 'suspect' }])
  })

  it('that begin at one place are joined best first', () => {
    const draft = (id: string, end: number, rank: number) => {
      const best = cut(id, 0, end)
      return { best, chunkIds: [id], text: best.text, start: 0, end, trust: 'trusted' as const, rank, document: 'd' }
    }
    const choices = clusterChoices([draft('long', 24, 1), draft('short', 11, 0)], () => 1)
    const both = choices.find(({ runs }) => runs[0]!.chunkIds.length === 2)
    expect(both?.runs).toMatchObject([{ chunkIds: ['short', 'long'], start: 0, end: 24, best: { id: 'short' } }])
    expect(both?.utility).toBeCloseTo(1 + 13 / 24)
  })
})

describe('shorter forms of a source', () => {
  it('are its title where it has a title, an address or headings', () => {
    const form = titles().prepare('q', [])
    const source = { text: 'Text.' }
    for (const label of [{ title: 'T' }, { uri: 'u' }, { headingPath: ['H'] }])
      expect(form({ ...source, ...label })).toEqual([{ form: 'title', shown: [], worth: 0.05 }])
    expect(form(source)).toEqual([])
    expect(form({ ...source, headingPath: [] })).toEqual([])
  })

  it('are not made of a single sentence', () => {
    const source = { text: 'Keys rotate' }
    expect(extracts().prepare('keys', [source])(source)).toEqual([])
  })
})

describe('what is remembered', () => {
  it('is counted anew once more than 8 million units were counted', () => {
    const asked: number[] = []
    const { count } = countCache({ id: 'n', kind: 'exact', count: (text) => asked.push(text.length) && text.length })
    const [a, b] = ['a'.repeat(5_000_000), 'b'.repeat(5_000_000)]
    expect([count(a), count(a), count(b), count(a)]).toEqual([5e6, 5e6, 5e6, 5e6])
    expect(asked).toHaveLength(3)
  })

  it('is worked out anew once texts add up to more than 8 million units', () => {
    const memo = textMemo(escapeText)
    const [a, b] = ['a'.repeat(5_000_000), 'b'.repeat(5_000_000)]
    const known = memo(a)
    expect(memo(a)).toBe(known)
    memo(b)
    expect(memo(a)).not.toBe(known)
    expect(memo(a).plain === a).toBe(true)
  })

  it.each([-1, 1.5, Number.NaN])('is never a count of %s', (tokens) => {
    const counter = { id: 'broken', kind: 'exact' as const, count: () => tokens }
    expect(() => make({ question: 'Q' }, { counter })).toThrowError(
      expect.objectContaining({
        code: 'INVALID_ARGUMENT',
        details: { counter: 'broken', actual: String(tokens) },
      }),
    )
  })
})

describe('fitPrompt', () => {
  const assembler = promptAssembler({ counter: wordCounter, contextWindow: 60, outputReserve: 10 })
  const countBy = (factor: number) => ({
    id: 'remote',
    kind: 'remote-prompt' as const,
    countPrompt: async (prompt: Prompt) => prompt.ledger.total * factor,
  })

  it('does not ask the provider about parts that cannot fit by the local count', async () => {
    await expect(fitPrompt(assembler, { question: 'word '.repeat(99) }, countBy(1))).rejects.toMatchObject({
      code: 'BUDGET_EXCEEDED',
      details: { ledger: { budget: 50 } },
    })
  })

  it("ends with the provider's ledger where what is required does not fit by the provider's count", async () => {
    await expect(fitPrompt(assembler, { question: 'word '.repeat(30) }, countBy(3))).rejects.toMatchObject({
      code: 'BUDGET_EXCEEDED',
      details: { ledger: { budget: 50, margin: 0 } },
    })
  })
})

describe('looking into a prompt', () => {
  it('finds no piece for a span that is not shown', () => {
    const prompt = make({ passages: [passage('a', 'Keys rotate.')], question: 'Q' })
    expect(locateSource(prompt, 'doc-a', { start: 50, end: 60 })).toEqual([])
    expect(locateSource(prompt, 'doc-a', { start: 0, end: 4 })).toHaveLength(1)
  })

  it('predicts nothing from the cache without breakpoints, and no tools where there are none', () => {
    const parts = { instructions: 'Be brief.', question: 'Q' }
    const prompt = make(parts, { cache: promptCaching() })
    expect(cachedTokens(prompt, prompt, { breakpoints: true })).toBe(0)
    expect(cachedTokens(prompt, prompt)).toBe(prompt.messageTokens.reduce((sum, tokens) => sum + tokens, 0))
    expect(cachedTokens(prompt, make({ ...parts, tools: [TOOL] }))).toBe(0)
  })

  it('warns of invisible characters where there are some, and only there', () => {
    const { warnings } = make({ summary: 'Clean, café.', question: 'What\u200b?' }, { invisible: flagInvisible() })
    expect(warnings).toEqual([{ id: 'question', kind: 'invisible', at: 4, found: 'U+200B' }])
  })

  it('shows a long label cut to 200 units without half a character', () => {
    const label = escapeLabel(`${'a'.repeat(198)}🔑🔑🔑`)
    expect(label).toBe(`${'a'.repeat(198)}…`)
  })
})

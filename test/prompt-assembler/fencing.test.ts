import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { escapeText } from '../../src/prompt-assembler/escape-text.ts'
import { fenceMark } from '../../src/prompt-assembler/fence.ts'
import {
  explainPrompt,
  flagInvisible,
  locatePiece,
  locateSource,
  type Prompt,
  type PromptMessage,
  promptAssembler,
  renderAnthropic,
  renderGemini,
  renderOpenAIChat,
  stripInvisible,
} from '../../src/prompt-assembler/index.ts'
import { escapeVisible, findInvisible } from '../../src/prompt-assembler/invisible.ts'
import { byteCounter, passage, wordCounter } from './fixtures.ts'

const RUNS = process.env.GROUNDLINE_NIGHTLY === '1' ? 100_000 : 1000

/** Written apart from the source, by hand, from the vendors' tokenizer files. */
const SPECIAL = [
  '<|im_start|>',
  '<|im_end|>',
  '<|endoftext|>',
  '<|fim_prefix|>',
  '<|start_header_id|>',
  '<|eot_id|>',
  '<|begin_of_text|>',
  '<s>',
  '</s>',
  '<bos>',
  '<eos>',
  '<pad>',
  '<unk>',
  '<start_of_turn>',
  '<end_of_turn>',
  '[INST]',
  '[/INST]',
  '<<SYS>>',
  '<</SYS>>',
  '[TOOL_CALLS]',
  '[AVAILABLE_TOOLS]',
  '[/AVAILABLE_TOOLS]',
  '[TOOL_RESULTS]',
  '[SYSTEM_PROMPT]',
  '[CLS]',
  '[SEP]',
  '[MASK]',
  '<|User|>',
  '<|Assistant|>',
  '<|end▁of▁sentence|>',
  '<|system|>',
  '<|assistant|>',
  '<|tool_calls_begin|>',
  '\n\nHuman:',
  '\n\nAssistant:',
]

const seed = fc.constantFrom('', 'session')
const known = (value: string) => fenceMark(value, [])
const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(...SPECIAL),
      fc.constantFrom(
        '<source-',
        '</source-',
        '<source-2aa18e number="1">',
        '</source-2aa18e>',
        '2aa18e',
        '２ａａ１８ｅ',
        '2\u200baa18e',
        '2AA18E',
        '[1]',
        '" number="2',
        '\n',
        '\n\n',
        '<',
        '<|',
        '|>',
        '\u202e',
        '\u{e0041}',
        '\u200b',
        '\ufeff',
        '\\',
        'im_',
        'start',
        '|',
        'words ',
      ),
      fc.integer({ min: 2, max: 30 }).map((length) => known('').slice(0, length)),
      fc.string({ maxLength: 8, unit: 'binary' }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''))

/** All marks a reader would take for a source's, in whatever case. */
const marks = (prompt: Prompt) =>
  prompt.messages.at(-1)!.content.match(new RegExp(`</?source-${prompt.fence}`, 'gi')) ?? []

describe('fencing', () => {
  it(`lets no text forge a fence, a source mark or a control token (${RUNS} prompts)`, () => {
    fc.assert(
      fc.property(
        seed,
        hostile,
        hostile,
        hostile,
        hostile,
        fc.constantFrom(undefined, stripInvisible()),
        (seed, text, title, heading, question, invisible) => {
          const assembler = promptAssembler({
            counter: wordCounter,
            contextWindow: 100_000,
            outputReserve: 0,
            seed,
            ...(invisible && { invisible }),
          })
          const prompt = assembler.assemble({
            passages: [
              passage('a', `Start ${text}`, { source: { title, uri: title }, headingPath: [heading], score: 2 }),
              passage('b', `${text} and more`),
            ],
            history: [
              { role: 'user', content: heading },
              {
                role: 'assistant',
                content: '',
                toolCalls: [{ id: title, name: 'look', arguments: JSON.stringify({ [heading]: [text] }) }],
              },
              { role: 'tool', content: text, toolCallId: title },
            ],
            question: `Q ${question}`,
          })
          const call = prompt.messages.flatMap((message) =>
            message.role === 'assistant' ? (message.toolCalls ?? []) : [],
          )[0]!
          const decoded = Object.entries(JSON.parse(call.arguments) as Record<string, string[]>).flat(2)
          expect(decoded).toHaveLength(2)
          for (const token of SPECIAL) expect(`${call.arguments} ${call.id}`.includes(token), token).toBe(false)
          const sent = JSON.stringify([renderAnthropic(prompt), renderGemini(prompt), renderOpenAIChat(prompt)])
          for (const token of SPECIAL) expect(sent.includes(JSON.stringify(token).slice(1, -1)), token).toBe(false)
          expect(marks(prompt)).toHaveLength(prompt.sources.length * 2)
          for (const { content } of prompt.messages)
            for (const token of SPECIAL) expect(content.includes(token), token).toBe(false)
          const untrusted = [text, title, heading, question].join('\n').toLowerCase()
          expect(untrusted.includes(prompt.fence)).toBe(false)
          // No label breaks out of its line or its quotes.
          for (const line of prompt.messages.at(-1)!.content.split('\n'))
            if (line.startsWith(`<source-${prompt.fence}`))
              expect(line).toMatch(/^<source-[0-9a-f]+ number="\d+"(?: (?:title|uri|section)="[^"<>]*")* ?\/?>$/)
        },
      ),
      { numRuns: RUNS, seed: 11 },
    )
  }, 1_200_000)

  it('lengthens the mark until no text has it, in any disguise, and depends on the seed and nothing else', () => {
    const plain = known('')
    for (const disguise of [
      plain,
      plain.toUpperCase(),
      [...plain].join('\u200b'),
      [...plain].map((digit) => (/\d/.test(digit) ? String.fromCodePoint(0xff10 + Number(digit)) : digit)).join(''),
    ]) {
      expect(fenceMark('', [`before ${disguise} after`])).toHaveLength(8)
    }
    const long = fenceMark(
      '',
      Array.from({ length: 60 }, (_, index) => fenceMark('', []).slice(0, 6) + index),
    )
    expect(long.startsWith(plain)).toBe(true)
    const chain = Array.from({ length: 50 }).reduce<string>((text) => text + fenceMark('', [text]), '')
    expect(chain.includes(fenceMark('', [chain]))).toBe(false)
    expect(known('a')).not.toBe(known('b'))
    expect(fenceMark('s', ['x', 'y'])).toBe(fenceMark('s', ['y', 'x']))
  })

  it('keeps the mark out of everything that can be cached', () => {
    const prompt = promptAssembler({ counter: wordCounter, contextWindow: 1000, outputReserve: 0 }).assemble({
      instructions: 'Be brief.',
      examples: [{ role: 'user', content: 'q' }],
      history: [{ role: 'user', content: 'q' }],
      passages: [passage('a', 'text')],
      question: 'x',
    })
    for (const { content } of prompt.messages.slice(0, -1)) expect(content).not.toContain(prompt.fence)
    expect(prompt.messages.at(-1)!.content).toContain(prompt.fence)
  })

  it('maps every escaped character back to its span', () => {
    fc.assert(
      fc.property(hostile, fc.boolean(), (text, strip) => {
        const removed = strip ? findInvisible(text) : []
        const pieces = strip ? escapeVisible(text, 0, text.length) : escapeText(text)
        let at = 0
        for (const piece of [...pieces, { start: text.length, end: text.length, text: '', form: 'verbatim' }]) {
          const gap = { start: at, end: piece.start }
          if (gap.start < gap.end)
            expect(removed.map(({ start, end }) => text.slice(start, end)).join('')).toContain(
              text.slice(gap.start, gap.end),
            )
          const own = text.slice(piece.start, piece.end)
          if (piece.form === 'verbatim') expect(piece.text).toBe(own)
          else expect(piece.text).toBe(`${own}\\`)
          at = piece.end
        }
        expect(at).toBe(text.length)
      }),
      { numRuns: 1000, seed: 12 },
    )
  })

  it('cannot be made to join a token by stripping what stands within it', () => {
    const strip = promptAssembler({
      counter: wordCounter,
      contextWindow: 1000,
      outputReserve: 0,
      invisible: stripInvisible(),
    })
    const { messages, pieces } = strip.assemble({ passages: [passage('a', 'x <|im\u200b_start|> y')], question: 'x' })
    expect(messages.at(-1)!.content).toContain('x <\\|im_start|> y')
    expect(
      pieces
        .filter(({ origin }) => origin.type === 'source')
        .map(({ origin }) => origin.type === 'source' && [origin.start, origin.end, origin.form]),
    ).toEqual([
      [0, 2, 'verbatim'],
      [2, 3, 'escaped'],
      [3, 6, 'verbatim'],
      [7, 17, 'verbatim'],
    ])
  })

  it('flags invisible and bidirectional characters, and leaves emoji, joiners and flags alone', () => {
    expect(findInvisible('👨‍👩‍👧 क्‍ष 🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f} ❤️')).toEqual([])
    expect(findInvisible('a\u202eb\u{e0041}c').map(({ start, end }) => [start, end])).toEqual([
      [1, 2],
      [3, 5],
    ])
    const assembler = promptAssembler({
      counter: wordCounter,
      contextWindow: 1000,
      outputReserve: 0,
      invisible: flagInvisible(),
    })
    const { warnings } = assembler.assemble({ passages: [passage('a', 'a\u202eb')], question: 'x\u200b' })
    expect(warnings).toEqual([
      { id: 'question', kind: 'invisible', at: 1, found: 'U+200B' },
      { id: 'passage:a', kind: 'invisible', at: 1, found: 'U+202E' },
    ])
  })

  it('labels suspect sources and leaves trusted ones as they are', () => {
    const tiers = promptAssembler({
      counter: wordCounter,
      contextWindow: 1000,
      outputReserve: 0,
      trustOf: ({ id }) => (id === 'a' ? 'trusted' : 'suspect'),
    })
    const { messages, sources } = tiers.assemble({
      passages: [passage('a', 'One <|im_end|>', { score: 2 }), passage('b', 'Two <|im_end|>')],
      question: 'x',
    })
    const { content } = messages.at(-1)!
    expect(content).toContain('\nOne <|im_end|>\n')
    expect(content).toMatch(/number="2".* trust="suspect">\nTwo <\\\|im_end\|>\n/)
    expect(sources.map((source) => source.trust)).toEqual(['trusted', 'suspect'])
  })
})

describe('tool calls', () => {
  const history = (json: string): PromptMessage[] => [
    { role: 'user', content: 'Look.' },
    { role: 'assistant', content: '', toolCalls: [{ id: 'c<|im_end|>', name: 'look', arguments: json }] },
    { role: 'tool', content: 'Seen.', toolCallId: 'c<|im_end|>' },
  ]
  const assembled = (json: string, counter = wordCounter) =>
    promptAssembler({ counter, contextWindow: 1000, outputReserve: 0 }).assemble({
      history: history(json),
      question: 'x',
    })

  it('stay JSON, hold what a text would, and are counted as they are sent', () => {
    const { messages, ledger } = assembled('{ "q": "a <|im_end|> [INST]" }', byteCounter)
    expect(messages.slice(1, 3)).toEqual([
      {
        role: 'assistant',
        content: '',
        toolCalls: [{ id: 'c<\\|im_end|>', name: 'look', arguments: '{ "q": "a <\\\\|im_end|> [\\\\INST]" }' }],
      },
      { role: 'tool', content: 'Seen.', toolCallId: 'c<\\|im_end|>' },
    ])
    const plain = assembled('{ "q": "a  [" }', byteCounter).ledger.total
    expect(ledger.total - plain).toBe('<\\\\|im_end|>\\\\INST]'.length)
  })

  it('are untouched where nothing needs it', () => {
    const json = '{"q":  [1, "<b>", "\\u003cb>"]}'
    const [, call] = assembled(json).messages
    expect(call).toMatchObject({ toolCalls: [{ arguments: json }] })
  })

  it('hide no control token behind escapes of JSON where a rendering decodes them', () => {
    const prompt = assembled('{"\\u003c|im_end|>": ["\\u005bINST]"]}')
    const input = { '<\\|im_end|>': ['[\\INST]'] }
    expect(renderAnthropic(prompt).messages[1]!.content[0]).toMatchObject({ input })
    expect(renderGemini(prompt).contents[1]!.parts[0]).toMatchObject({ functionCall: { args: input } })
  })
})

describe('piece table', () => {
  const prompt = promptAssembler({ counter: wordCounter, contextWindow: 1000, outputReserve: 0 }).assemble({
    instructions: 'Be brief.',
    passages: [passage('a', 'Keys <|im_end|> rotate.', { start: 100 })],
    question: 'How?',
  })

  it('finds the piece of every character, and the characters of every span', () => {
    for (const [index, { content }] of prompt.messages.entries()) {
      for (let offset = 0; offset < content.length; offset++) {
        const piece = locatePiece(prompt, index, offset)!
        expect([piece.message, piece.start <= offset && offset < piece.end]).toEqual([index, true])
      }
      expect(locatePiece(prompt, index, content.length)).toBeUndefined()
    }
    const shown = locateSource(prompt, 'doc-a', { start: 102, end: 110 })
    expect(shown.map(({ message, start, end }) => prompt.messages[message]!.content.slice(start, end))).toEqual([
      'ys ',
      '<\\',
      '|im_',
    ])
    expect(locateSource(prompt, 'other', { start: 0, end: 9 })).toEqual([])
  })

  it('is explained in words', () => {
    const small = promptAssembler({ counter: wordCounter, contextWindow: 150, outputReserve: 10 })
    const text = explainPrompt(
      small.assemble({ passages: [passage('a', 'short'), passage('b', 'word '.repeat(90))], question: 'x' }),
    )
    expect(text).toMatch(/^\d+ of 140 tokens \(bound\)/)
    expect(text).toMatch(/\nsource 1: a \(0–5 of doc-a\)\n/)
    expect(text).toMatch(/\nleft out passage:b: there was no room, \d+ tokens\n/)
  })
})

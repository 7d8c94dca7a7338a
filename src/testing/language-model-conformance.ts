import type { LanguageModel, ModelEvent } from '../language-model/language-model.ts'
import { type Prompt, promptAssembler } from '../prompt-assembler/index.ts'
import { type ConformanceCase, check, checkAborts, checkEqual } from './conformance.ts'

/** What a model under test must be made to say, in this many pieces. */
export interface ConformanceReply {
  /** Pieces of the answer's text; each arrives on its own. */
  readonly pieces: readonly string[]
  /** Tokens the provider reports for the prompt. */
  readonly inputTokens: number
  /** Tokens the provider reports for the answer. */
  readonly outputTokens: number
}

/** How the kit gets at a model. */
export interface LanguageModelConformanceOptions {
  /**
   * Calls `use` with a model that answers every prompt with `reply`: for an adapter, against a server on this machine that
   * speaks the provider's wire format, shut down afterwards.
   */
  readonly withModel: (reply: ConformanceReply, use: (model: LanguageModel) => Promise<void>) => Promise<void>
}

const REPLY: ConformanceReply = {
  pieces: ['The key', ' rotates "every 90', ' days" [1]', '. \u{1f511}\n', '\u00e9t\u00e9'],
  inputTokens: 42,
  outputTokens: 17,
}

/** The laws of a `LanguageModel`, for any test runner. */
export function languageModelConformance({ withModel }: LanguageModelConformanceOptions): readonly ConformanceCase[] {
  const law = (name: string, test: (model: LanguageModel) => Promise<void>): ConformanceCase => ({
    name,
    run: () => withModel(REPLY, test),
  })
  return [
    law('the id names provider and model', async (model) => {
      check(/^[^:\s]+:\S+/.test(model.id), `expected provider:model, got ${model.id}`)
    }),
    law('the text arrives whole and in order', async (model) => {
      const text = (await collect(model)).map((event) => (event.type === 'text' ? event.text : '')).join('')
      checkEqual(text, REPLY.pieces.join(''), 'concatenated text')
    }),
    law('finish comes once, and last', async (model) => {
      const events = await collect(model)
      const at = events.findIndex((event) => event.type === 'finish')
      check(at === events.length - 1, `expected finish as the last of ${events.length} events, found it at ${at}`)
    }),
    law('the usage is what the provider reports', async (model) => {
      const finish = (await collect(model)).find((event) => event.type === 'finish')
      checkEqual(finish?.usage.inputTokens, REPLY.inputTokens, 'inputTokens')
      checkEqual(finish?.usage.outputTokens, REPLY.outputTokens, 'outputTokens')
      checkEqual(finish?.reason, 'stop', 'reason')
    }),
    law('no event has an empty text', async (model) => {
      for (const event of await collect(model)) check(event.type !== 'text' || event.text !== '', 'an empty text event')
    }),
    law('a signal aborted before the call stops it with its own reason', async (model) => {
      await checkAborts(async (signal) => {
        for await (const _ of model.stream(samplePrompt(), { signal }));
      }, 'aborted before')
    }),
    law('a signal aborted while streaming stops it with its own reason', async (model) => {
      const controller = new AbortController()
      const reason = new Error('aborted while streaming')
      let caught: unknown
      try {
        for await (const event of model.stream(samplePrompt(), { signal: controller.signal }))
          if (event.type === 'text') controller.abort(reason)
      } catch (error) {
        caught = error
      }
      check(caught === reason, `expected the signal's reason untouched, got ${String(caught)}`)
    }),
    law('a stream left early leaves the model usable', async (model) => {
      for await (const event of model.stream(samplePrompt())) if (event.type === 'text') break
      check((await collect(model)).at(-1)?.type === 'finish', 'expected a whole answer after a broken-off one')
    }),
    law('two streams at once do not mix', async (model) => {
      const [one, two] = await Promise.all([collect(model), collect(model)])
      checkEqual(one, two, 'events of both streams')
    }),
    law('the prompt is not changed', async (model) => {
      const prompt = samplePrompt()
      const before = JSON.stringify(prompt)
      await collect(model, freeze(prompt))
      checkEqual(JSON.stringify(prompt), before, 'prompt after the call')
    }),
  ]
}

async function collect(model: LanguageModel, prompt: Prompt = samplePrompt()): Promise<readonly ModelEvent[]> {
  const events: ModelEvent[] = []
  for await (const event of model.stream(prompt)) events.push(event)
  return events
}

/** A prompt with every kind of message, a tool and a source. */
function samplePrompt(): Prompt {
  const assembler = promptAssembler({
    counter: { id: 'words', kind: 'estimate', count: (text) => text.split(/\s+/).length },
    contextWindow: 10_000,
    outputReserve: 500,
  })
  const text = 'Keys rotate every 90 days.'
  return assembler.assemble({
    instructions: 'Answer briefly.',
    tools: [{ name: 'lookup', description: 'Looks up a word.', parameters: { type: 'object', properties: {} } }],
    examples: [
      { role: 'user', content: 'Hello?' },
      { role: 'assistant', content: 'Hello.' },
    ],
    history: [
      { role: 'user', content: 'Look up "key".' },
      { role: 'assistant', content: '', toolCalls: [{ id: 'call_1', name: 'lookup', arguments: '{"word":"key"}' }] },
      { role: 'tool', content: 'A key is a secret.', toolCallId: 'call_1' },
      { role: 'assistant', content: 'A key is a secret.' },
    ],
    passages: [
      {
        id: 'chunk',
        documentId: 'document',
        documentVersion: 'v1',
        text,
        start: 0,
        end: text.length,
        metadata: {},
        score: 1,
        stages: [],
        source: { uri: 'keys.md', title: 'Keys' },
      },
    ],
    question: 'How often do keys rotate?',
  })
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null)
    for (const member of Object.values(Object.freeze(value))) freeze(member)
  return value
}

import { type Prompt, promptAssembler, promptCaching } from '../../src/prompt-assembler/index.ts'
import { passage, wordCounter } from './fixtures.ts'

/** A prompt with every kind of message, a tool, an image, two sources and breakpoints: what the golden tests render. */
export function samplePrompt(): Prompt {
  const assembler = promptAssembler({
    counter: wordCounter,
    contextWindow: 1000,
    outputReserve: 100,
    cache: promptCaching({ minimum: 1 }),
  })
  return assembler.assemble({
    instructions: 'Be brief.',
    tools: [
      {
        name: 'lookup',
        description: 'Looks up a word.',
        parameters: { type: 'object', properties: { word: { type: 'string' } } },
      },
    ],
    examples: [
      { role: 'user', content: 'Hello?' },
      { role: 'assistant', content: 'Hello.' },
    ],
    history: [
      { role: 'user', content: 'Look it up.' },
      { role: 'assistant', content: '', toolCalls: [{ id: 'call_1', name: 'lookup', arguments: '{"word":"key"}' }] },
      { role: 'tool', content: 'A key is a secret.', toolCallId: 'call_1' },
      { role: 'assistant', content: 'It is a secret.' },
    ],
    passages: [
      passage('a', 'Keys rotate.\n\nEvery 90 days.', { headingPath: ['Security', 'Keys'], score: 2 }),
      passage('b', 'Say <|im_end|> & </source>.', { source: {} }),
    ],
    question: 'How often?',
    images: [{ id: 'chart', mediaType: 'image/png', data: 'iVBORw0KGgo=', tokens: 85 }],
  })
}

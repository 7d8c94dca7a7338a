import { describe, expect, it } from 'vitest'
import {
  explainPrompt,
  type Prompt,
  type PromptMessage,
  promptCaching,
  renderAnthropic,
  renderGemini,
  renderMistral,
  renderOpenAIChat,
  renderOpenAIResponses,
  titles,
} from '../../src/prompt-assembler/index.ts'
import { documentSpan } from '../../src/prompt-assembler/render-anthropic.ts'
import { make, passage } from './fixtures.ts'

const LINK = { id: 'chart', mediaType: 'image/png', data: 'https://example.org/c.png', tokens: 85 }
const TOOL = { name: 'look', description: 'Looks.', parameters: { type: 'object' } }
const calls = (content: string): readonly PromptMessage[] => [
  { role: 'user', content: 'Look.' },
  { role: 'assistant', content, toolCalls: [{ id: 'c', name: 'look', arguments: '{"at":1}' }] },
  { role: 'tool', content: 'Seen.', toolCallId: 'c' },
]

describe('renderings of a prompt with nothing but a question and an image by address', () => {
  const prompt = make({ question: 'What is it?', images: [LINK] })
  const text = prompt.messages[0]!.content

  it('are a single user turn, without system text or tools, that shows the address as it is', () => {
    expect(renderAnthropic(prompt)).toEqual({
      messages: [
        {
          role: 'user',
          content: [
            { type: 'image', source: { type: 'url', url: LINK.data } },
            { type: 'text', text },
          ],
        },
      ],
    })
    expect(renderGemini(prompt)).toEqual({
      contents: [{ role: 'user', parts: [{ fileData: { mimeType: 'image/png', fileUri: LINK.data } }, { text }] }],
      config: {},
    })
    expect(renderMistral(prompt)).toEqual({
      messages: [
        {
          role: 'user',
          content: [
            { type: 'image_url', imageUrl: LINK.data },
            { type: 'text', text },
          ],
        },
      ],
    })
    expect(renderOpenAIChat(prompt)).toEqual({
      messages: [
        {
          role: 'user',
          content: [
            { type: 'image_url', image_url: { url: LINK.data } },
            { type: 'text', text },
          ],
        },
      ],
    })
    expect(renderOpenAIResponses(prompt)).toEqual({
      input: [
        {
          role: 'user',
          content: [
            { type: 'input_image', image_url: LINK.data, detail: 'auto' },
            { type: 'input_text', text },
          ],
        },
      ],
    })
  })

  it('refuse an image type that Anthropic does not take, and name the image', () => {
    const odd = make({ question: 'Q', images: [{ id: 'scan', mediaType: 'image/tiff', data: 'SUkq', tokens: 1 }] })
    expect(() => renderAnthropic(odd)).toThrowError(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', details: { image: 'scan' } }),
    )
  })
})

describe('renderings of tool calls and empty messages', () => {
  it('keep what the assistant says beside a call', () => {
    const prompt = make({ tools: [TOOL], history: calls('One moment.'), question: 'And?' })
    expect(renderOpenAIChat(prompt).messages[1]).toMatchObject({ role: 'assistant', content: 'One moment.' })
    expect(renderAnthropic(prompt).messages[1]).toEqual({
      role: 'assistant',
      content: [
        { type: 'text', text: 'One moment.' },
        { type: 'tool_use', id: 'c', name: 'look', input: { at: 1 } },
      ],
    })
    expect(renderGemini(prompt).contents[1]?.parts).toEqual([
      { text: 'One moment.' },
      { functionCall: { id: 'c', name: 'look', args: { at: 1 } } },
    ])
  })

  it('name a result whose call is not in the prompt by the id of the call, or not at all', () => {
    const prompt: Prompt = {
      ...make({ question: 'Q' }),
      messages: [
        { role: 'tool', content: '{"n":1}', toolCallId: 'lost' },
        { role: 'user', content: 'Q' },
      ],
    }
    expect(renderGemini(prompt).contents[0]?.parts[0]).toEqual({
      functionResponse: { id: 'lost', name: 'lost', response: { n: 1 } },
    })
    expect(renderMistral(prompt).messages[0]).toEqual({ role: 'tool', content: '{"n":1}', toolCallId: 'lost' })
  })

  it('leave out an assistant turn that says nothing, and put its cache mark on what stands before', () => {
    const history: PromptMessage[] = [
      { role: 'user', content: 'Hello?' },
      { role: 'assistant', content: '' },
    ]
    const prompt = make({ history, question: 'Q' }, { cache: promptCaching({ minimum: 1 }) })
    expect(prompt.cachePlan.breakpoints).toEqual([1])
    expect(renderAnthropic(prompt).messages).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Hello?', cache_control: { type: 'ephemeral' } },
          { type: 'text', text: prompt.messages[2]!.content },
        ],
      },
    ])
    expect(renderGemini(prompt).contents).toEqual([
      { role: 'user', parts: [{ text: 'Hello?' }, { text: prompt.messages[2]!.content }] },
    ])
  })

  it('keep a system message of the history at its place for OpenAI responses', () => {
    const history: PromptMessage[] = [
      { role: 'user', content: 'Hello?' },
      { role: 'system', content: 'Now in French.' },
    ]
    const { instructions, input } = renderOpenAIResponses(make({ instructions: 'Be brief.', history, question: 'Q' }))
    expect(instructions).toBe('Be brief.')
    expect(input[1]).toEqual({ role: 'system', content: [{ type: 'input_text', text: 'Now in French.' }] })
  })
})

describe('sources as blocks of their own', () => {
  it('stand behind what is said before them, and in front of the question', () => {
    const prompt = make({ passages: [passage('a', 'Keys rotate.')], question: 'When?', images: [LINK] })
    for (const sources of ['search_result', 'document'] as const) {
      const [message] = renderAnthropic(prompt, { sources }).messages
      expect(message!.content.map((block) => block.type)).toEqual(expect.arrayContaining(['image', sources, 'text']))
      expect(message!.content.at(-1)).toMatchObject({ type: 'text', text: expect.stringContaining('When?') })
    }
  })

  it('begin with instructions for this turn only', () => {
    const prompt = make({
      instructions: [{ id: 'today', text: 'It is Monday.', stability: 'turn' }],
      passages: [passage('a', 'Keys rotate.')],
      question: 'When?',
    })
    const [message] = renderAnthropic(prompt, { sources: 'document' }).messages
    expect(JSON.stringify(message!.content)).toContain('It is Monday.')
    expect(message!.content.filter((block) => block.type === 'document')).toHaveLength(1)
  })

  it('show a source of which only the title fits by its title', () => {
    const long = passage('a', 'word '.repeat(500).trim(), { headingPath: ['Keys'] })
    const prompt = make({ passages: [long], question: 'When?' }, { contextWindow: 300, shorten: [titles()] })
    expect(prompt.sources).toMatchObject([{ form: 'title', shown: [] }])
    const blocks = (sources: 'document' | 'search_result') => renderAnthropic(prompt, { sources }).messages[0]!.content
    expect(blocks('document')).toContainEqual(
      expect.objectContaining({ source: { type: 'text', media_type: 'text/plain', data: 'Title a > Keys' } }),
    )
    expect(blocks('search_result')).toContainEqual(
      expect.objectContaining({ content: [{ type: 'text', text: 'Title a > Keys' }] }),
    )
    expect(explainPrompt(prompt)).toContain('of doc-a, title)')
  })

  it('are cited by units or by code points, whichever the cited words agree with', () => {
    const [whole] = make({ passages: [passage('a', '🔑🔑 keys rotate')], question: 'Q' }).sources
    const source = {
      ...whole!,
      shown: [
        { start: 0, end: 4 },
        { start: 5, end: 16 },
      ],
    }
    expect(documentSpan(source, 5, 9, 'keys')).toEqual({ start: 5, end: 9 })
    expect(documentSpan(source, 3, 7, 'keys')).toEqual({ start: 5, end: 9 })
    expect(documentSpan(source, 0, 2, 'locks')).toBeUndefined()
    expect(documentSpan(source, 2, 7, '🔑\nke')).toBeUndefined()
  })
})

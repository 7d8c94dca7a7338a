import type { MessageCreateParamsNonStreaming } from '@anthropic-ai/sdk/resources/messages/messages'
import type { ChatCompletionCreateParamsNonStreaming } from 'openai/resources/chat/completions/completions'
import type { ResponseCreateParamsNonStreaming } from 'openai/resources/responses/responses'
import { describe, expect, it } from 'vitest'
import {
  renderAnthropic,
  renderGemini,
  renderMistral,
  renderOpenAIChat,
  renderOpenAIResponses,
  renderXml,
} from '../../src/prompt-assembler/index.ts'
import { samplePrompt } from './sample-prompt.ts'

// The golden files were read through once against the types of the SDKs named in the assertions of type below.
const golden = (name: string, value: unknown) =>
  expect(`${JSON.stringify(value, null, 2)}\n`).toMatchFileSnapshot(`fixtures/${name}.json`)

describe('renderings', () => {
  it('gives OpenAI chat completions', async () => {
    const payload = renderOpenAIChat(samplePrompt())
    const request: ChatCompletionCreateParamsNonStreaming = { ...payload, model: 'm' }
    await golden('openai-chat', request)
  })

  it.each(['text', 'search_result', 'document'] as const)(
    'gives Anthropic messages with sources as %s',
    async (sources) => {
      const payload = renderAnthropic(samplePrompt(), { sources })
      const request: MessageCreateParamsNonStreaming = { ...payload, model: 'm', max_tokens: 100 }
      await golden(`anthropic-${sources}`, request)
    },
  )

  it('gives OpenAI responses', async () => {
    const request: ResponseCreateParamsNonStreaming = { ...renderOpenAIResponses(samplePrompt()), model: 'm' }
    await golden('openai-responses', request)
  })

  it('gives Gemini contents', () => golden('gemini', renderGemini(samplePrompt())))

  it('gives Mistral messages', () => golden('mistral', renderMistral(samplePrompt())))

  it('gives one tagged text, but not with images', async () => {
    const prompt = samplePrompt()
    expect(() => renderXml(prompt)).toThrowError(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
    const messages = prompt.messages.map(({ ...message }) => {
      if (message.role === 'user') delete message.images
      return message
    })
    await expect(renderXml({ ...prompt, messages })).toMatchFileSnapshot('fixtures/tagged.txt')
  })

  it.each([renderAnthropic, renderGemini])('%o refuses tool arguments that are no JSON object', (render) => {
    const call = (json: string) => ({
      ...samplePrompt(),
      messages: [
        { role: 'assistant' as const, content: '', toolCalls: [{ id: 'c', name: 'n', arguments: json }] },
        { role: 'tool' as const, content: 'r', toolCallId: 'c' },
        { role: 'user' as const, content: 'q' },
      ],
    })
    for (const json of ['{', '[1]', '"text"'])
      expect(() => render(call(json))).toThrowError(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
    expect(JSON.stringify(render(call('')))).toContain('{}')
  })
})

import type { MessageCreateParamsNonStreaming } from '@anthropic-ai/sdk/resources/messages/messages'
import type { ChatCompletionCreateParamsNonStreaming } from 'openai/resources/chat/completions/completions'
import { describe, expect, it } from 'vitest'
import { renderAnthropic, renderOpenAIChat } from '../../src/prompt-assembler/index.ts'
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
})

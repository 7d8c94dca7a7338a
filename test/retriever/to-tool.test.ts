import { generateText, stepCountIs } from 'ai'
import { MockLanguageModelV3 } from 'ai/test'
import { describe, expect, it } from 'vitest'
import type { Passage } from '../../src/document.ts'
import { type RetrieveOptions, type Retriever, toTool } from '../../src/retriever/index.ts'

const passage: Passage = {
  id: 'c1',
  documentId: 'keys.md',
  documentVersion: 'v',
  text: 'Keys are rotated every ninety days.',
  start: 0,
  end: 35,
  headingPath: ['Security', 'Keys'],
  metadata: {},
  score: 1,
  stages: [],
  source: { title: 'Handbook' },
}
const asked: { query: string; options: RetrieveOptions | undefined }[] = []
const retriever: Retriever = {
  retrieve: async (query, options) => {
    asked.push({ query, options })
    return { passages: [passage], explanation: { stages: [] } }
  },
}

describe('toTool', () => {
  it('gives numbered passages with their place', async () => {
    const { text, passages } = await toTool(retriever).call('{"query":"rotate keys"}')
    expect(text).toBe('[1] Handbook › Security › Keys\nKeys are rotated every ninety days.')
    expect(passages).toEqual([passage])
  })

  it('holds its filter and topK for every call, whatever the model sends', async () => {
    const filter = { op: 'eq', path: ['team'], value: 'a' } as const
    await toTool(retriever, { filter, topK: 3 }).call({ query: 'keys', topK: 1000, filter: null })
    expect(asked.at(-1)).toMatchObject({ query: 'keys', options: { filter, topK: 3 } })
  })

  it.each([
    ['not JSON', '{'],
    ['no query', {}],
    ['an empty query', { query: ' ' }],
    ['a wrong type', { query: 1 }],
    ['an inherited query', Object.create({ query: 'x' })],
    ['null', null],
  ])('refuses %s', async (_, args) => {
    await expect(toTool(retriever).call(args)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })

  it('refuses a name no provider takes', () => {
    expect(() => toTool(retriever, { name: 'search documents' })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    )
  })

  it('carries one schema in the shapes of OpenAI chat, OpenAI responses and Anthropic', () => {
    const tool = toTool(retriever)
    expect(tool.openaiChat.function.parameters).toEqual(tool.parameters)
    expect(tool.openaiResponses.parameters).toEqual(tool.parameters)
    expect(tool.anthropic.input_schema).toEqual(tool.parameters)
  })

  it('is called by the AI SDK, which shows the model its schema and result', async () => {
    const tool = toTool(retriever)
    const usage = {
      inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
      outputTokens: { total: 1, text: 1, reasoning: 0 },
    }
    let turn = 0
    const model = new MockLanguageModelV3({
      doGenerate: async () =>
        turn++ === 0
          ? {
              content: [{ type: 'tool-call', toolCallId: '1', toolName: tool.name, input: '{"query":"rotate keys"}' }],
              finishReason: { unified: 'tool-calls', raw: undefined },
              usage,
              warnings: [],
            }
          : {
              content: [{ type: 'text', text: 'Every ninety days.' }],
              finishReason: { unified: 'stop', raw: undefined },
              usage,
              warnings: [],
            },
    })
    const { text } = await generateText({
      model,
      prompt: 'How often?',
      tools: { [tool.name]: tool.aiSdk },
      stopWhen: stepCountIs(2),
    })
    expect(text).toBe('Every ninety days.')
    const shown = model.doGenerateCalls[0]?.tools?.[0]
    expect(shown).toMatchObject({ type: 'function', name: tool.name, inputSchema: { ...tool.parameters } })
    expect(JSON.stringify(model.doGenerateCalls[1]?.prompt)).toContain('Keys are rotated every ninety days.')
  })
})

import type { LocalTokenCounter } from '../tokenizer/tokenizer.ts'
import type { PromptOverhead } from './prompt-assembler.ts'

/**
 * What OpenAI's chat format adds: 3 tokens a message, its role, and 3 that prime the reply (OpenAI's cookbook, "How to
 * count tokens"). Exact for text messages with the model's own vocabulary; tool definitions and tool calls are an estimate,
 * since the form in which the model reads them is not published: their JSON and 8 tokens each.
 */
export function openaiChatOverhead(): PromptOverhead {
  return {
    id: 'openai-chat',
    kind: 'exact',
    toolsKind: 'estimate',
    fixed: 3,
    message: (message, counter) => {
      let tokens = 3 + counter.count(message.role)
      if (message.role === 'assistant' && message.toolCalls !== undefined)
        for (const call of message.toolCalls)
          tokens += 8 + counter.count(call.id) + counter.count(call.name) + counter.count(call.arguments)
      if (message.role === 'tool') tokens += 3 + counter.count(message.toolCallId)
      return tokens
    },
    tools: (tools, counter) => {
      if (tools.length === 0) return 0
      let tokens = 12
      for (const tool of tools) tokens += 8 + countTool(tool, counter)
      return tokens
    },
  }
}

/** What a format adds at the most, for models whose format is not published: an estimate of 8 tokens a message and 16 a prompt. */
export function genericOverhead(): PromptOverhead {
  const openai = openaiChatOverhead()
  return {
    id: 'generic',
    kind: 'estimate',
    fixed: 16,
    message: (message, counter) => 5 + openai.message(message, counter),
    tools: openai.tools,
  }
}

function countTool(
  tool: { name: string; description: string; parameters: unknown },
  counter: LocalTokenCounter,
): number {
  return counter.count(tool.name) + counter.count(tool.description) + counter.count(JSON.stringify(tool.parameters))
}

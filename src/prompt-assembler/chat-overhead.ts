import type { LocalTokenCounter } from '../tokenizer/tokenizer.ts'
import type { PromptOverhead, ToolDefinition } from './prompt-assembler.ts'

/**
 * What OpenAI's chat format adds to texts: 3 tokens a message, its role, and 3 that prime the reply (OpenAI's cookbook,
 * "How to count tokens"). Reasoning models are recorded to charge 2 more for a message of the assistant, so with `assistant`
 * 2 it is a bound for all models whose requests are on record. Tools are an estimate: their JSON.
 */
export function textOverhead(assistant = 2, each = 3): PromptOverhead {
  return {
    id: 'openai-chat',
    kind: 'bound',
    toolsKind: 'estimate',
    fixed: 3,
    message: (message, { count }) => {
      let tokens = each + count(message.role)
      if (message.role === 'assistant') {
        tokens += assistant
        for (const call of message.toolCalls ?? [])
          tokens += 8 + count(call.id) + count(call.name) + count(call.arguments)
      }
      if (message.role === 'tool') tokens += 3 + count(message.toolCallId)
      return tokens
    },
    tools: jsonTools,
  }
}

/** What a format adds at the most, for models whose format is not published: an estimate of 8 tokens a message and 16 a prompt. */
export function genericOverhead(): PromptOverhead {
  return { ...textOverhead(0, 8), id: 'generic', kind: 'estimate', fixed: 16 }
}

/** The default: OpenAI's chat format for counters of OpenAI's vocabularies, by their ids; no other vendor's overhead is known. */
export function defaultOverhead({ id }: LocalTokenCounter): PromptOverhead {
  return /^(o200k|cl100k)_(?!h)/.test(id) ? textOverhead() : genericOverhead()
}

/** Tokens of tools shown as their JSON; 0 for none. */
export function jsonTools(tools: readonly ToolDefinition[], { count }: LocalTokenCounter): number {
  let tokens = tools.length && 12
  for (const { name, description, parameters } of tools)
    tokens += 8 + count(name) + count(description) + count(JSON.stringify(parameters))
  return tokens
}

import { describe } from '../internal/argument.ts'
import type { PromptMessage } from './prompt-assembler.ts'

/** Messages that stay together: a user message and all that follows up to the next, tool calls with their results. */
export interface Turn {
  /** Index of its first message. */
  readonly first: number
  /** Its messages, in order. */
  readonly messages: readonly PromptMessage[]
}

/**
 * Cuts messages into turns. Every user message starts one, so calls and results are never parted. `fail` is called, and must
 * throw, for a result without a call before it, a call without a result, and an id called twice.
 */
export function groupTurns(
  messages: readonly PromptMessage[],
  where: string,
  fail: (problem: string) => never,
): readonly Turn[] {
  const turns: { first: number; messages: PromptMessage[] }[] = []
  let open = new Set<string>()
  const settle = (index: number) => {
    if (open.size > 0) fail(`${where}: tool call ${describe([...open][0])} has no result before message ${index}`)
  }
  for (const [index, message] of messages.entries()) {
    if (typeof message.content !== 'string')
      fail(`${where}[${index}].content must be a string, got ${describe(message.content)}`)
    if (message.role !== 'tool') settle(index)
    if (message.role === 'user' || turns.length === 0) turns.push({ first: index, messages: [] })
    turns.at(-1)!.messages.push(message)
    if (message.role === 'assistant' && message.toolCalls !== undefined) {
      open = new Set(message.toolCalls.map((call) => call.id))
      if (open.size < message.toolCalls.length) fail(`${where}[${index}] calls two tools under one id`)
    } else if (message.role === 'tool' && !open.delete(message.toolCallId))
      fail(`${where}[${index}] answers tool call ${describe(message.toolCallId)}, which was not made`)
  }
  settle(messages.length)
  return turns
}

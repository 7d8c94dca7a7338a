import type { Prompt, PromptImage } from './prompt-assembler.ts'

/** A part of a user message in OpenAI's chat format. */
export type OpenAIChatPart = { type: 'text'; text: string } | { type: 'image_url'; image_url: { url: string } }

/** A message in OpenAI's chat format. */
export type OpenAIChatMessage =
  | { role: 'system'; content: string }
  | { role: 'user'; content: string | OpenAIChatPart[] }
  | {
      role: 'assistant'
      content: string | null
      tool_calls?: { id: string; type: 'function'; function: { name: string; arguments: string } }[]
    }
  | { role: 'tool'; tool_call_id: string; content: string }

/** What goes into a request to OpenAI's chat completions. */
export interface OpenAIChatPayload {
  /** The messages. */
  messages: OpenAIChatMessage[]
  /** The tools; absent for none. */
  tools?: { type: 'function'; function: { name: string; description: string; parameters: Record<string, unknown> } }[]
}

/** A prompt as OpenAI's chat completions and servers compatible with them take it. Pure; every text is the prompt's own. */
export function renderOpenAIChat(prompt: Prompt): OpenAIChatPayload {
  const messages = prompt.messages.map((message): OpenAIChatMessage => {
    if (message.role === 'tool') return { role: 'tool', tool_call_id: message.toolCallId, content: message.content }
    if (message.role === 'assistant') {
      const calls = message.toolCalls ?? []
      if (calls.length === 0) return { role: 'assistant', content: message.content }
      return {
        role: 'assistant',
        content: message.content === '' ? null : message.content,
        tool_calls: calls.map((call) => ({
          id: call.id,
          type: 'function',
          function: { name: call.name, arguments: call.arguments },
        })),
      }
    }
    if (message.role === 'system' || message.images === undefined)
      return { role: message.role, content: message.content }
    const images = message.images.map((image) => ({ type: 'image_url' as const, image_url: { url: imageUrl(image) } }))
    return { role: 'user', content: [...images, { type: 'text', text: message.content }] }
  })
  if (prompt.tools.length === 0) return { messages }
  const tools = prompt.tools.map(({ name, description, parameters }) => ({
    type: 'function' as const,
    function: { name, description, parameters: { ...parameters } },
  }))
  return { messages, tools }
}

function imageUrl(image: PromptImage): string {
  return image.data.startsWith('https:') ? image.data : `data:${image.mediaType};base64,${image.data}`
}

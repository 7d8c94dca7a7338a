import type { Prompt } from './prompt-assembler.ts'

/** A message as the `@mistralai/mistralai` package takes it; it writes the names with underscores on the wire. */
export type MistralMessage =
  | { role: 'system'; content: string }
  | { role: 'user'; content: string | ({ type: 'text'; text: string } | { type: 'image_url'; imageUrl: string })[] }
  | {
      role: 'assistant'
      content: string
      toolCalls?: { id: string; type: 'function'; function: { name: string; arguments: string } }[]
    }
  | { role: 'tool'; content: string; toolCallId: string; name?: string }

/** What goes into a request to Mistral's chat completions. */
export interface MistralPayload {
  /** The messages. */
  messages: MistralMessage[]
  /** The tools; absent for none. */
  tools?: { type: 'function'; function: { name: string; description: string; parameters: Record<string, unknown> } }[]
}

/** A prompt as Mistral's chat completions take it, in the SDK's names. Results carry the name of their tool. Pure. */
export function renderMistral(prompt: Prompt): MistralPayload {
  const names = new Map<string, string>()
  const messages = prompt.messages.map((message): MistralMessage => {
    if (message.role === 'tool') {
      const name = names.get(message.toolCallId)
      return {
        role: 'tool',
        content: message.content,
        toolCallId: message.toolCallId,
        ...(name !== undefined && { name }),
      }
    }
    if (message.role === 'assistant') {
      const toolCalls = (message.toolCalls ?? []).map((call) => {
        names.set(call.id, call.name)
        return { id: call.id, type: 'function' as const, function: { name: call.name, arguments: call.arguments } }
      })
      return { role: 'assistant', content: message.content, ...(toolCalls.length > 0 && { toolCalls }) }
    }
    if (message.role === 'system' || message.images === undefined)
      return { role: message.role, content: message.content }
    const images = message.images.map(({ data, mediaType }) => ({
      type: 'image_url' as const,
      imageUrl: data.startsWith('https:') ? data : `data:${mediaType};base64,${data}`,
    }))
    return { role: 'user', content: [...images, { type: 'text', text: message.content }] }
  })
  if (prompt.tools.length === 0) return { messages }
  const tools = prompt.tools.map(({ name, description, parameters }) => ({
    type: 'function' as const,
    function: { name, description, parameters: { ...parameters } },
  }))
  return { messages, tools }
}

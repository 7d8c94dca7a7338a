import type { Prompt, PromptImage } from './prompt-assembler.ts'

/** An item of the input in OpenAI's responses format. */
export type OpenAIResponsesItem =
  | {
      role: 'system' | 'user'
      content: ({ type: 'input_text'; text: string } | { type: 'input_image'; image_url: string; detail: 'auto' })[]
    }
  | { role: 'assistant'; content: string }
  | { type: 'function_call'; call_id: string; name: string; arguments: string }
  | { type: 'function_call_output'; call_id: string; output: string }

/** What goes into a request to OpenAI's responses. */
export interface OpenAIResponsesPayload {
  /** The system text; absent for none. */
  instructions?: string
  /** Messages, calls and results, in order. */
  input: OpenAIResponsesItem[]
  /** The tools; absent for none. */
  tools?: { type: 'function'; name: string; description: string; parameters: Record<string, unknown>; strict: false }[]
}

/** A prompt as OpenAI's responses take it. A first system message becomes the instructions. Pure. */
export function renderOpenAIResponses(prompt: Prompt): OpenAIResponsesPayload {
  const payload: OpenAIResponsesPayload = { input: [] }
  for (const [index, message] of prompt.messages.entries()) {
    if (message.role === 'tool')
      payload.input.push({ type: 'function_call_output', call_id: message.toolCallId, output: message.content })
    else if (message.role === 'assistant') {
      if (message.content !== '') payload.input.push({ role: 'assistant', content: message.content })
      for (const { id, name, arguments: json } of message.toolCalls ?? [])
        payload.input.push({ type: 'function_call', call_id: id, name, arguments: json })
    } else if (message.role === 'system' && index === 0) payload.instructions = message.content
    else {
      const images = message.role === 'user' ? (message.images ?? []) : []
      payload.input.push({
        role: message.role,
        content: [
          ...images.map((image) => ({
            type: 'input_image' as const,
            image_url: imageUrl(image),
            detail: 'auto' as const,
          })),
          { type: 'input_text', text: message.content },
        ],
      })
    }
  }
  if (prompt.tools.length > 0)
    payload.tools = prompt.tools.map(({ name, description, parameters }) => ({
      type: 'function',
      name,
      description,
      parameters: { ...parameters },
      strict: false,
    }))
  return payload
}

function imageUrl(image: PromptImage): string {
  return image.data.startsWith('https:') ? image.data : `data:${image.mediaType};base64,${image.data}`
}

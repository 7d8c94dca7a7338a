import { GroundlineError } from '../errors.ts'
import { parseSafely } from './escape-text.ts'
import type { Prompt, PromptImage } from './prompt-assembler.ts'

/** A part of a content in Gemini's format. */
export type GeminiPart =
  | { text: string }
  | { inlineData: { mimeType: string; data: string } }
  | { fileData: { mimeType: string; fileUri: string } }
  | { functionCall: { id: string; name: string; args: Record<string, unknown> } }
  | { functionResponse: { id: string; name: string; response: Record<string, unknown> } }

/** What goes into a request to Gemini's `generateContent`. */
export interface GeminiPayload {
  /** The turns; user and model alternate, results of tools are the user's. */
  contents: { role: 'user' | 'model'; parts: GeminiPart[] }[]
  /** System text and tools; absent members for none. */
  config: {
    systemInstruction?: { parts: { text: string }[] }
    tools?: {
      functionDeclarations: { name: string; description: string; parametersJsonSchema: Record<string, unknown> }[]
    }[]
  }
}

/**
 * A prompt as Gemini's `generateContent` takes it. A tool's result that is a JSON object goes as it is, any other text as
 * `{ result }`. Pure. Throws `INVALID_ARGUMENT` for tool arguments that are no JSON object.
 */
export function renderGemini(prompt: Prompt): GeminiPayload {
  const payload: GeminiPayload = { contents: [], config: {} }
  const names = new Map<string, string>()
  const say = (role: 'user' | 'model', parts: GeminiPart[]) => {
    const last = payload.contents.at(-1)
    if (last?.role === role) last.parts.push(...parts)
    else if (parts.length > 0) payload.contents.push({ role, parts })
  }
  for (const message of prompt.messages) {
    if (message.role === 'system') {
      const parts = payload.config.systemInstruction?.parts ?? []
      payload.config.systemInstruction = { parts: [...parts, { text: message.content }] }
    } else if (message.role === 'user')
      say('user', [...(message.images ?? []).map(imagePart), { text: message.content }])
    else if (message.role === 'tool') {
      const { toolCallId: id, content } = message
      say('user', [
        {
          functionResponse: { id, name: names.get(id) ?? id, response: jsonObject(content) ?? { result: content } },
        },
      ])
    } else {
      const calls = (message.toolCalls ?? []).map(({ id, name, arguments: json }) => {
        names.set(id, name)
        const args = jsonObject(json === '' ? '{}' : json)
        if (args === undefined)
          throw new GroundlineError('INVALID_ARGUMENT', `arguments of tool call ${id} must be a JSON object`, {
            details: { id },
          })
        return { functionCall: { id, name, args } }
      })
      say('model', [...(message.content === '' ? [] : [{ text: message.content }]), ...calls])
    }
  }
  if (prompt.tools.length > 0)
    payload.config.tools = [
      {
        functionDeclarations: prompt.tools.map(({ name, description, parameters }) => ({
          name,
          description,
          parametersJsonSchema: { ...parameters },
        })),
      },
    ]
  return payload
}

function imagePart({ data, mediaType }: PromptImage): GeminiPart {
  return data.startsWith('https:')
    ? { fileData: { mimeType: mediaType, fileUri: data } }
    : { inlineData: { mimeType: mediaType, data } }
}

function jsonObject(text: string): Record<string, unknown> | undefined {
  try {
    const value = parseSafely(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined
  } catch {
    return undefined
  }
}

import { GroundlineError } from '../errors.ts'
import type { Prompt } from './prompt-assembler.ts'

/**
 * A prompt as one text for models without roles: each message between tags whose names carry the prompt's fence, which occurs
 * in no text of the prompt, so none can close a tag or open one. Ends with the open tag of the answer. Pure. Throws
 * `INVALID_ARGUMENT` for images, which a text cannot show.
 */
export function renderXml(prompt: Prompt): string {
  const { fence } = prompt
  const lines: string[] = []
  const put = (tag: string, content: string, attributes = '') =>
    lines.push(`<${tag}-${fence}${attributes}>`, content, `</${tag}-${fence}>`)
  for (const { name, description, parameters } of prompt.tools)
    put('tool', JSON.stringify({ name, description, parameters }))
  for (const message of prompt.messages) {
    if (message.role === 'user' && message.images !== undefined && message.images.length > 0)
      throw new GroundlineError('INVALID_ARGUMENT', 'a prompt as one text cannot show images; leave them out', {
        details: { images: message.images.map((image) => image.id) },
      })
    if (message.role === 'tool') put('result', message.content, ` call=${JSON.stringify(message.toolCallId)}`)
    else {
      if (message.content !== '') put(message.role, message.content)
      if (message.role === 'assistant')
        for (const call of message.toolCalls ?? [])
          put('call', call.arguments, ` id=${JSON.stringify(call.id)} name=${JSON.stringify(call.name)}`)
    }
  }
  lines.push(`<assistant-${fence}>`, '')
  return lines.join('\n')
}

import { GroundlineError } from '../errors.ts'
import { describe } from '../internal/argument.ts'
import type { Tokenizer } from './tokenizer.ts'
import { toolDeclarations } from './tool-declarations.ts'

/** A function that a request offers, in the shape of chat completions or of responses. */
export type CountedTool =
  | { readonly type: 'function'; readonly function: CountedFunction }
  | ({ readonly type: 'function' } & CountedFunction)

/** A function's name, description and JSON Schema. */
export interface CountedFunction {
  /** The name the model calls it by. */
  readonly name: string
  /** What it does. */
  readonly description?: string | null | undefined
  /** JSON Schema of its arguments. */
  readonly parameters?: object | null | undefined
}

/** A message's content: text, or parts of which the text counts. */
export type CountedContent = string | null | undefined | readonly { readonly type: string; readonly text?: string }[]

/** A message of chat completions, or an input item of responses. Ids are not counted: the model does not see them. */
export interface CountedMessage {
  /** `message` (default), `function_call` or `function_call_output`. */
  readonly type?: string
  /** Who speaks. */
  readonly role?: string
  /** What is said. */
  readonly content?: CountedContent
  /** Whose name it carries, or the function that is called. */
  readonly name?: string
  /** Calls of an assistant. */
  readonly tool_calls?: readonly {
    readonly function?: { readonly name: string; readonly arguments: string }
  }[]
  /** The call of an assistant, in the older form. */
  readonly function_call?: { readonly name: string; readonly arguments: string } | null
  /** Arguments of a `function_call`. */
  readonly arguments?: string
  /** Result of a `function_call_output`. */
  readonly output?: CountedContent
}

/** What {@link countMessages} counts: a request to chat completions (`messages`) or responses (`input`, `instructions`). */
export interface CountedRequest {
  /** Messages of a chat completion. */
  readonly messages?: readonly CountedMessage[]
  /** Input of a response. */
  readonly input?: string | readonly CountedMessage[]
  /** Instructions of a response. */
  readonly instructions?: string | null | undefined
  /** Functions offered. */
  readonly tools?: readonly CountedTool[]
  /** A function that must be called. */
  readonly toolChoice?: { readonly name: string } | 'auto' | 'none' | 'required' | undefined
}

const MESSAGE = 3
const NAME = 1
const CALL = 3
const REPLY = 3
const DECLARATIONS = 9
/** Tools join the first system message, whose frame is then not paid twice. */
const SHARED_FRAME = 4

/**
 * Input tokens of a request to OpenAI's chat models: contents, roles, names, calls, tool definitions as the model sees them,
 * and the priming of the reply. The rules are those observed of the API (openai-cookbook; hmarr/openai-chat-tokens). On
 * the published recorded counts the result is the recorded one or up to 3 more, never less; of what no record covers
 * (images, files, built-in tools, several tool calls at once) nothing is proven. A part that is not text is refused with
 * `INVALID_ARGUMENT`, because it is not counted in text tokens.
 *
 * @example
 * ```ts
 * import { countMessages } from 'groundline/tokenizer'
 * import { o200kBase } from 'groundline/tokenizer/o200k-base'
 *
 * console.log(countMessages({ messages: [{ role: 'user', content: 'hello' }] }, o200kBase())) // 8
 * ```
 */
export function countMessages(request: CountedRequest, tokenizer: Pick<Tokenizer, 'count'>): number {
  const count = (text: string) => tokenizer.count(text)
  const messages = messagesOf(request)
  const functions = (request.tools ?? []).map(functionOf)
  const system = messages.findIndex((message) => message.role === 'system' || message.role === 'developer')
  let total = REPLY
  messages.forEach((message, index) => {
    let content = textOf(message.content ?? message.output)
    // The definitions follow the first system message on a line of their own.
    if (index === system && functions.length > 0 && content !== '' && !content.endsWith('\n')) content += '\n'
    total += MESSAGE + (content === '' ? 0 : count(content)) + frameOf(message, count)
  })
  if (functions.length > 0) {
    total += DECLARATIONS + count(toolDeclarations(functions)) - (system >= 0 ? SHARED_FRAME : 0)
  }
  const choice = request.toolChoice
  if (choice === 'none') total += 1
  else if (typeof choice === 'object') total += count(choice.name) + 4
  return total
}

/** What a message costs beyond its content: role, name, calls. */
function frameOf(message: CountedMessage, count: (text: string) => number): number {
  if (message.type === 'function_call')
    return callCost(message.name ?? '', message.arguments ?? '', count) + count('assistant')
  let total = count(message.type === 'function_call_output' ? 'tool' : (message.role ?? 'user'))
  if (message.name) total += count(message.name) + NAME
  const calls = message.tool_calls?.flatMap((call) => call.function ?? []) ?? []
  for (const call of message.function_call ? [message.function_call, ...calls] : calls) {
    total += callCost(call.name, call.arguments, count)
  }
  return message.role === 'function' ? total - 2 : total
}

function callCost(name: string, argumentsText: string, count: (text: string) => number): number {
  return CALL + count(name) + count(argumentsText)
}

function messagesOf(request: CountedRequest): readonly CountedMessage[] {
  const { messages, input, instructions } = request
  const said = typeof input === 'string' ? [{ role: 'user', content: input }] : input
  const list = messages ?? said
  if (!Array.isArray(list)) {
    throw new GroundlineError(
      'INVALID_ARGUMENT',
      `A request needs messages or input as an array, got ${describe(list)}`,
    )
  }
  return instructions ? [{ role: 'system', content: instructions }, ...list] : list
}

function functionOf(tool: CountedTool): CountedFunction {
  const found = 'function' in tool ? tool.function : tool
  if (tool.type === 'function' && typeof found.name === 'string') return found
  throw new GroundlineError('INVALID_ARGUMENT', `Only function tools are counted, got type ${describe(tool.type)}`)
}

function textOf(content: CountedContent): string {
  if (content === undefined || content === null) return ''
  if (typeof content === 'string') return content
  return content
    .map((part) => {
      if (typeof part.text === 'string') return part.text
      throw new GroundlineError(
        'INVALID_ARGUMENT',
        `A content part of type ${describe(part.type)} has no text to count`,
      )
    })
    .join('')
}

import { GroundlineError } from '../errors.ts'
import { describe } from '../internal/argument.ts'
import { familiesOf, type MessageFamily, type ToolCharges } from './message-family.ts'
import type { Tokenizer } from './tokenizer.ts'
import { type ToolSchema, toolDeclarations } from './tool-declarations.ts'

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
    readonly id?: string
    readonly function?: { readonly name: string; readonly arguments: string }
  }[]
  /** The call of an assistant, in the older form. */
  readonly function_call?: { readonly name: string; readonly arguments: string } | null
  /** The call that a message of the role `tool` answers; it says which function's name the result carries. */
  readonly tool_call_id?: string
  /** Names a `function_call`, or the one that a `function_call_output` answers. */
  readonly call_id?: string
  /** Arguments of a `function_call`. */
  readonly arguments?: string
  /** Result of a `function_call_output`. */
  readonly output?: CountedContent
}

/** What {@link countMessages} counts: a request to chat completions (`messages`) or responses (`input`, `instructions`). */
export interface CountedRequest {
  /** The model, whose family decides what frames and tools cost. Absent or unknown: the largest count of all families. */
  readonly model?: string | undefined
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

/** Frame of a message, beside its role. */
const MESSAGE = 3
const NAME = 1
/** A call in the older form, beside the message it stands in. */
const OLDER_CALL = 3
/** Each of several calls of one message costs so many tokens and its name twice more than a call alone. */
const PARALLEL = 3

/**
 * Input tokens of a request to OpenAI's chat models: contents, roles, names, calls and results, tool definitions as the model
 * sees them, and the priming of the reply. The rules are those that recorded requests show (docs/decisions/0017): on all of the
 * recorded requests of the tests, with the model named, the result is the recorded one or up to 3 more, never less. Beyond what they cover
 * it is an estimate. Refused with `INVALID_ARGUMENT`, because their tokens are not those of a text: parts and items of
 * other types (images, files, reasoning, built-in tools). Not counted: response formats with a schema, and what a `previous_response_id` brings.
 *
 * @example
 * ```ts
 * import { countMessages } from 'groundline/tokenizer'
 * import { o200kBase } from 'groundline/tokenizer/o200k-base'
 *
 * const request = { model: 'gpt-4o', messages: [{ role: 'user', content: 'hello' }] }
 * console.log(countMessages(request, o200kBase())) // 8
 * ```
 */
export function countMessages(request: CountedRequest, tokenizer: Pick<Tokenizer, 'count'>): number {
  const count = (text: string) => (text === '' ? 0 : tokenizer.count(text))
  const messages = messagesOf(request)
  const functions = (request.tools ?? []).map(functionOf)
  const nameOf = calledNames(messages)
  const countFor = (family: MessageFamily): number => {
    const charges = request.messages ? family.chat : family.responses
    const system = messages.findIndex(({ role }) => role === 'system' || role === 'developer')
    let total = family.reply
    messages.forEach((message, index) => {
      const text = textOf(message.content ?? message.output)
      if (message.type === 'function_call_output' || message.role === 'tool') {
        total += charges.result + count(nameOf(message)) + count(text)
      } else if (message.type === 'function_call') {
        total += charges.call + count(message.name ?? '') + count(message.arguments ?? '')
      } else {
        // In chat completions, the definitions follow the first system message on a line of their own.
        const joined = charges.shared > 0 && index === system && functions.length > 0 && text !== ''
        total += countSaid(message, joined && !text.endsWith('\n') ? `${text}\n` : text, family, count)
        total += countCalls(message, charges, count)
      }
    })
    if (functions.length > 0) {
      const declarations = toolDeclarations(functions, { nestedDescriptions: family.nestedDescriptions })
      total += charges.tools + count(declarations) - functions.filter(hasBareFirst).length
      if (system >= 0) total -= charges.shared
    }
    const choice = request.toolChoice
    if (choice === 'none') return total + 1
    return typeof choice === 'object' ? total + count(choice.name) + family.namedChoice : total
  }
  return Math.max(...familiesOf(request.model).map(countFor))
}

/** A message without its calls; nothing for one that only calls. */
function countSaid(
  message: CountedMessage,
  text: string,
  family: MessageFamily,
  count: (text: string) => number,
): number {
  if (text === '' && (message.tool_calls?.length ?? 0) > 0) return 0
  const role = message.role ?? 'user'
  let total = MESSAGE + count(role) + count(text) + (role === 'assistant' ? family.assistant : 0)
  if (message.name) total += count(message.name) + NAME
  const older = message.function_call
  if (older) total += OLDER_CALL + count(older.name) + count(older.arguments)
  return role === 'function' ? total - 2 : total
}

function countCalls(message: CountedMessage, charges: ToolCharges, count: (text: string) => number): number {
  const calls = message.tool_calls?.flatMap((call) => call.function ?? []) ?? []
  const several = calls.length > 1
  return calls.reduce((total, call) => {
    const name = count(call.name)
    return total + charges.call + name + count(call.arguments) + (several ? PARALLEL + 2 * name : 0)
  }, 0)
}

/** The name of the function whose result a message is; the longest one called where no id tells. */
function calledNames(messages: readonly CountedMessage[]): (message: CountedMessage) => string {
  const names = new Map<string | undefined, string>()
  let longest = ''
  const called = (id: string | undefined, name: string): void => {
    if (id !== undefined) names.set(id, name)
    if (name.length > longest.length) longest = name
  }
  for (const message of messages) {
    if (message.type === 'function_call') called(message.call_id, message.name ?? '')
    for (const call of message.tool_calls ?? []) called(call.id, call.function?.name ?? '')
  }
  return (message) => names.get(message.tool_call_id ?? message.call_id) ?? message.name ?? longest
}

/** Whether the first argument is required, plain and without a description: recorded to cost one token less than it says. */
function hasBareFirst({ parameters }: CountedFunction): boolean {
  const { properties, required }: ToolSchema = parameters ?? {}
  const [first] = Object.entries(properties ?? {})
  if (!first || !required?.includes(first[0])) return false
  const { description, type, enum: values } = first[1]
  return !description && values === undefined && (type === 'string' || type === 'number' || type === 'integer')
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
  for (const { type } of list as readonly CountedMessage[]) {
    if (type === undefined || type === 'message' || type === 'function_call' || type === 'function_call_output')
      continue
    throw new GroundlineError('INVALID_ARGUMENT', `An item of type ${describe(type)} has no text to count`)
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

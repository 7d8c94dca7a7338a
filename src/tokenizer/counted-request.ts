import { GroundlineError } from '../errors.ts'
import { describe } from '../internal/argument.ts'

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

/** What the calls and messages of a request are read into. */
export interface ReadRequest {
  /** Messages or items; instructions lead them as a system message. */
  readonly messages: readonly CountedMessage[]
  /** Functions offered. */
  readonly functions: readonly CountedFunction[]
}

/** Checks a request and reads it. Throws `INVALID_ARGUMENT` for what is no request or holds what is no text. */
export function readRequest(request: CountedRequest): ReadRequest {
  if (!isRecord(request)) throw invalid('A request must be an object', request)
  const { messages, input, instructions, tools, toolChoice, model } = request
  for (const [name, value] of Object.entries({ instructions, model })) {
    if (value !== undefined && value !== null && typeof value !== 'string')
      throw invalid(`${name} must be a string`, value)
  }
  const said = typeof input === 'string' ? [{ role: 'user', content: input }] : input
  const list: unknown = messages ?? said
  if (!Array.isArray(list)) throw invalid('A request needs messages or input as an array', list)
  list.forEach(checkMessage)
  if (tools !== undefined && tools !== null && !Array.isArray(tools)) throw invalid('tools must be an array', tools)
  const forced =
    toolChoice === undefined ||
    typeof toolChoice === 'string' ||
    (isRecord(toolChoice) && typeof toolChoice.name === 'string')
  if (!forced) throw invalid('toolChoice must be a word or name a function', toolChoice)
  return {
    messages: instructions ? [{ role: 'system', content: instructions }, ...list] : list,
    functions: (tools ?? []).map(functionOf),
  }
}

/** The text of a content, its parts joined. */
export function textOf(content: CountedContent): string {
  if (content === undefined || content === null) return ''
  return typeof content === 'string' ? content : content.map((part) => part.text ?? '').join('')
}

function checkMessage(message: unknown): void {
  if (!isRecord(message)) throw invalid('A message must be an object', message)
  const { type, tool_calls: calls, function_call: older } = message
  if (!['undefined', 'message', 'function_call', 'function_call_output'].includes(String(type))) {
    throw invalid('An item needs a text to count; it has the type', type)
  }
  for (const name of ['role', 'name', 'arguments'] as const) {
    const value = message[name]
    if (value !== undefined && value !== null && typeof value !== 'string')
      throw invalid(`${name} must be a string`, value)
  }
  checkContent(message.content)
  checkContent(message.output)
  if (calls !== undefined && calls !== null && !Array.isArray(calls))
    throw invalid('tool_calls must be an array', calls)
  for (const call of calls ?? []) checkCall(isRecord(call) ? call.function : call)
  if (older !== undefined && older !== null) checkCall(older)
}

function checkContent(content: unknown): void {
  if (content === undefined || content === null || typeof content === 'string') return
  if (!Array.isArray(content)) throw invalid('content must be a string or parts', content)
  for (const part of content) {
    if (!isRecord(part)) throw invalid('A content part must be an object', part)
    if (typeof part.text !== 'string') throw invalid('A content part needs a text to count; it has the type', part.type)
  }
}

function checkCall(call: unknown): void {
  if (!isRecord(call) || typeof call.name !== 'string' || typeof call.arguments !== 'string') {
    throw invalid('A call needs a name and arguments, both strings', call)
  }
}

function functionOf(tool: CountedTool): CountedFunction {
  const found = isRecord(tool) && tool.type === 'function' ? ('function' in tool ? tool.function : tool) : undefined
  if (isRecord(found) && typeof found.name === 'string') {
    checkSchema(found.parameters)
    return found
  }
  throw invalid('Only function tools are counted, got the type', isRecord(tool) ? tool.type : tool)
}

/** The parts of a JSON Schema that are read must be what they are read as. */
function checkSchema(schema: unknown): void {
  if (schema === undefined || schema === null || typeof schema === 'boolean') return
  if (!isRecord(schema)) throw invalid('A JSON Schema must be an object', schema)
  const { properties, items, anyOf, required, description } = schema
  if (description !== undefined && typeof description !== 'string')
    throw invalid('A description must be a string', description)
  for (const list of [required, anyOf, schema.enum]) {
    if (list !== undefined && !Array.isArray(list)) throw invalid('required, anyOf and enum must be arrays', list)
  }
  if (properties !== undefined && !isRecord(properties)) throw invalid('properties must be an object', properties)
  for (const property of Object.values(properties ?? {})) {
    if (property === null || property === undefined) throw invalid('A property needs a JSON Schema', property)
    checkSchema(property)
  }
  checkSchema(items)
  if (Array.isArray(anyOf)) anyOf.forEach(checkSchema)
}

function isRecord(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function invalid(expected: string, actual: unknown): GroundlineError {
  return new GroundlineError('INVALID_ARGUMENT', `${expected}: ${describe(actual)}`)
}

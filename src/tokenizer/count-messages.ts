import {
  type CountedFunction,
  type CountedMessage,
  type CountedRequest,
  readRequest,
  textOf,
} from './counted-request.ts'
import { familiesOf, type MessageFamily, type ToolCharges } from './message-family.ts'
import type { Tokenizer } from './tokenizer.ts'
import { type ToolSchema, toolDeclarations } from './tool-declarations.ts'

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
 * it is an estimate. Throws `UNKNOWN_MODEL` for o1-mini and o3-mini, whose recorded requests no rule fits. Refused with `INVALID_ARGUMENT`, because their tokens are not those of a text: parts and items of
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
  const { messages, functions } = readRequest(request)
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

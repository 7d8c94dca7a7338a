import { GroundlineError } from '../errors.ts'
import { describe } from '../internal/argument.ts'

/**
 * What a family of OpenAI's models charges beside the text itself. None of it is documented: the numbers are those that
 * fit recorded requests (docs/decisions/0017), and where no record speaks, the largest of the other families.
 */
export interface MessageFamily {
  /** Priming of the reply. */
  readonly reply: number
  /** A message of the assistant, beyond the frame that every message has. */
  readonly assistant: number
  /** Whether properties of nested objects show their descriptions. */
  readonly nestedDescriptions: boolean
  /** A function that must be called, beyond its name. */
  readonly namedChoice: number
  /** Requests to chat completions. */
  readonly chat: ToolCharges
  /** Requests to responses. */
  readonly responses: ToolCharges
}

/** What tools cost beside names, declarations, arguments and results. */
export interface ToolCharges {
  /** Once a request, if there are tools. */
  readonly tools: number
  /** Less than that if a system message comes first, which they then join. */
  readonly shared: number
  /** A call, frame of the message included. */
  readonly call: number
  /** A result, frame of the message included. */
  readonly result: number
}

/**
 * The families that may read a request: the one of that model, or all of them where it is not known. Throws
 * `UNKNOWN_MODEL` for models whose recorded requests no rule fits.
 */
export function familiesOf(model: string | undefined): readonly MessageFamily[] {
  if (model !== undefined && /^o[13]-mini/.test(model)) {
    throw new GroundlineError(
      'UNKNOWN_MODEL',
      `requests to ${describe(model)} cannot be counted here: recorded ones were charged up to 59 tokens more than their text; count remotely`,
      { details: { model } },
    )
  }
  const chat = { tools: 9, shared: 4, call: 8, result: 5 }
  const responses = { tools: 3, shared: 0, call: 6, result: 5 }
  const classic = { reply: 3, assistant: 0, nestedDescriptions: true, namedChoice: 7, chat, responses }
  const omni = { reply: 3, assistant: 0, nestedDescriptions: false, namedChoice: 4, chat, responses }
  const reasoning = {
    reply: 2,
    assistant: 2,
    nestedDescriptions: true,
    namedChoice: 7,
    chat: { tools: 9, shared: 0, call: 19, result: 5 },
    responses: { tools: 8, shared: 0, call: 19, result: 5 },
  }
  if (model === undefined) return [classic, omni, reasoning]
  if (/^(?:gpt-4o|gpt-4\.|chatgpt-4o)/.test(model)) return [omni]
  if (/^(?:gpt-4|gpt-3\.5|gpt-35)/.test(model)) return [classic]
  return /^(?:gpt-5|o[1-9])/.test(model) ? [reasoning] : [classic, omni, reasoning]
}

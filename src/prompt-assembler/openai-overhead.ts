import type { LocalTokenCounter } from '../tokenizer/tokenizer.ts'
import { toolDeclarations } from '../tokenizer/tool-declarations.ts'
import { jsonTools, textOverhead } from './chat-overhead.ts'
import type { PromptOverhead, ToolDefinition } from './prompt-assembler.ts'

/** Options of {@link openaiChatOverhead}. */
export interface OpenAIChatOverheadOptions {
  /**
   * The model's name. With it, prompts without tools are `exact`: reasoning models (`gpt-5…`, `o3`, …) are recorded to charge 2
   * tokens more for a message of the assistant and 1 less for the reply. Without it, they are a `bound` that holds for either kind. For
   * o1-mini and o3-mini, whose recorded requests no rule fits, and for models not on record, all numbers are an estimate.
   */
  readonly model?: string
}

/**
 * What OpenAI's chat format adds, tools included: texts are exact where the model is named, tools and tool calls are a bound,
 * so that prompts with tools can have a guarantee. OpenAI does not publish the form in which a model reads tools; three are known, and the
 * dearest of them counts: the TypeScript declarations that models repeat (openai-chat-tokens), the rule of OpenAI's cookbook, and
 * the definitions' own JSON. A request that forces a function costs its name and up to 7 tokens more, which are not in the prompt. It is not less than any count of chat completions that the API is recorded to have reported.
 *
 * @example
 * ```ts
 * const assembler = promptAssembler({ counter, contextWindow, outputReserve, overhead: openaiChatOverhead({ model: 'gpt-4o' }), guarantee: true })
 * ```
 */
export function openaiChatOverhead(options: OpenAIChatOverheadOptions = {}): PromptOverhead {
  const { model } = options
  const reasons = model === undefined || /^(?:gpt-5|o[1-9])/.test(model)
  const text = textOverhead(reasons ? 2 : 0)
  const known = model === undefined || /^(?:(?:chatgpt-4o|gpt-(?:3\.5|35|4|5))|o[1-9](?!-mini)|o4-mini)/.test(model)
  return {
    ...text,
    fixed: model !== undefined && reasons ? 2 : 3,
    kind: !known ? 'estimate' : model === undefined ? 'bound' : 'exact',
    toolsKind: known ? 'bound' : 'estimate',
    message: (message, counter) => {
      let tokens = text.message(message, counter)
      if (message.role !== 'assistant') return tokens
      // The dearest call on record costs 22 tokens and its name three times; its result names the function once more.
      for (const { name } of message.toolCalls ?? []) tokens += 14 + 3 * counter.count(name)
      return tokens
    },
    tools: (tools, counter) =>
      tools.length === 0
        ? 0
        : Math.max(declaredTools(tools, counter), listedTools(tools, counter), jsonTools(tools, counter)),
  }
}

/** Declarations on lines of their own behind the system text, which may cost a line feed more. */
function declaredTools(tools: readonly ToolDefinition[], { count }: LocalTokenCounter): number {
  return 10 + count(toolDeclarations(tools, { nestedDescriptions: true }))
}

/** A property of a JSON Schema, as far as the cookbook's rule looks at it. */
interface Property {
  readonly type?: unknown
  readonly description?: unknown
  readonly enum?: unknown
}

/** The cookbook's `num_tokens_for_tools`, with the numbers of the models for which they are higher. */
function listedTools(tools: readonly ToolDefinition[], { count }: LocalTokenCounter): number {
  let tokens = 12
  for (const { name, description, parameters } of tools) {
    tokens += 10 + count(`${name}:${description}`)
    const properties = Object.entries((parameters.properties ?? {}) as Readonly<Record<string, Property | undefined>>)
    if (properties.length > 0) tokens += 3
    for (const [key, property] of properties) {
      tokens += 3 + count(`${key}:${String(property?.type ?? '')}:${String(property?.description ?? '')}`)
      if (Array.isArray(property?.enum)) for (const item of property.enum) tokens += 3 + count(String(item))
    }
  }
  return tokens
}

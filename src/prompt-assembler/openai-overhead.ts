import type { LocalTokenCounter } from '../tokenizer/tokenizer.ts'
import { toolDeclarations } from '../tokenizer/tool-declarations.ts'
import { jsonTools, textOverhead } from './chat-overhead.ts'
import type { PromptOverhead, ToolDefinition } from './prompt-assembler.ts'

/**
 * What OpenAI's chat format adds, tools included: texts are exact, tools and tool calls are a bound, so that prompts with
 * tools can have a guarantee. OpenAI does not publish the form in which a model reads tools; three are known, and the
 * dearest of them counts: the TypeScript declarations that models repeat (openai-chat-tokens), the rule of OpenAI's cookbook, and
 * the definitions' own JSON. It is not less than any count the API is recorded to have reported.
 *
 * @example
 * ```ts
 * const assembler = promptAssembler({ counter, contextWindow, outputReserve, overhead: openaiChatOverhead(), guarantee: true })
 * ```
 */
export function openaiChatOverhead(): PromptOverhead {
  return {
    ...textOverhead(),
    toolsKind: 'bound',
    tools: (tools, counter) =>
      tools.length === 0
        ? 0
        : Math.max(declaredTools(tools, counter), listedTools(tools, counter), jsonTools(tools, counter)),
  }
}

/** Declarations on lines of their own behind the system text, which may cost a line feed more. */
function declaredTools(tools: readonly ToolDefinition[], { count }: LocalTokenCounter): number {
  return 10 + count(toolDeclarations(tools))
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

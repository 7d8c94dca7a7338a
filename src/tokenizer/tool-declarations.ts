import type { CountedFunction } from './counted-request.ts'

/** The parts of a JSON Schema that models are shown. */
export interface ToolSchema {
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly default?: unknown
  readonly enum?: readonly unknown[]
  readonly items?: ToolSchema
  readonly properties?: Readonly<Record<string, ToolSchema>>
  readonly required?: readonly string[]
  readonly anyOf?: readonly ToolSchema[]
}

/** How {@link toolDeclarations} shows nested objects. */
export interface DeclarationOptions {
  /** Whether the properties of nested objects show their descriptions. */
  readonly nestedDescriptions: boolean
}

/**
 * Function definitions as OpenAI's models see them: TypeScript declarations in a namespace. Found by hmarr/openai-chat-tokens
 * from what models repeat and what requests are charged; the rest fits recorded requests (docs/decisions/0017).
 */
export function toolDeclarations(functions: readonly CountedFunction[], options: DeclarationOptions): string {
  const lines = ['namespace functions {', '']
  for (const { name, description, parameters } of functions) {
    if (description) lines.push(comment(description))
    const schema: ToolSchema = parameters ?? {}
    if (Object.keys(schema.properties ?? {}).length === 0) lines.push(`type ${name} = () => any;`)
    else lines.push(`type ${name} = (_: {`, ...propertyLines(schema, 0, options), '}) => any;')
    lines.push('')
  }
  lines.push('} // namespace functions')
  return lines.join('\n')
}

/** Lines of a description lose their indentation. */
function comment(description: string): string {
  return `// ${description.trim().replace(/\n[ \t]+/g, '\n')}`
}

function propertyLines(schema: ToolSchema, indent: number, options: DeclarationOptions): string[] {
  const required = new Set(schema.required ?? [])
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const isShown = indent < 2 || options.nestedDescriptions
    const lines = isShown && property.description ? [comment(property.description)] : []
    const preset = property.default === undefined ? '' : `  // default: ${JSON.stringify(property.default)}`
    lines.push(`${name}${required.has(name) ? '' : '?'}: ${typeOf(property, indent, options)},${preset}`)
    return lines.map((line) => ' '.repeat(indent) + line)
  })
}

function typeOf(schema: ToolSchema, indent: number, options: DeclarationOptions): string {
  if (Array.isArray(schema.type)) {
    return schema.type.map((type) => typeOf({ ...schema, type }, indent, options)).join(' | ')
  }
  if (schema.anyOf) return schema.anyOf.map((choice) => typeOf(choice, indent, options)).join(' | ')
  switch (schema.type) {
    case 'string':
      return schema.enum?.map((value) => JSON.stringify(value)).join(' | ') ?? 'string'
    case 'integer':
    case 'number':
      return schema.enum?.map(String).join(' | ') ?? 'number'
    case 'boolean':
    case 'null':
      return schema.type
    case 'array':
      return schema.items ? `${typeOf(schema.items, indent, options)}[]` : 'any[]'
    case 'object':
      return ['{', ...propertyLines(schema, indent + 2, options), `${' '.repeat(indent)}}`].join('\n')
    default:
      return 'any'
  }
}

import type { CountedFunction } from './count-messages.ts'

/** The parts of a JSON Schema that models are shown. */
interface Schema {
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly enum?: readonly unknown[]
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly anyOf?: readonly Schema[]
}

/**
 * Function definitions as OpenAI's models see them: TypeScript declarations in a namespace. Found by hmarr/openai-chat-tokens
 * from what models repeat and what requests are charged.
 */
export function toolDeclarations(functions: readonly CountedFunction[]): string {
  const lines = ['namespace functions {', '']
  for (const { name, description, parameters } of functions) {
    if (description) lines.push(`// ${description}`)
    const schema: Schema = parameters ?? {}
    if (Object.keys(schema.properties ?? {}).length === 0) lines.push(`type ${name} = () => any;`)
    else lines.push(`type ${name} = (_: {`, ...propertyLines(schema, 0), '}) => any;')
    lines.push('')
  }
  lines.push('} // namespace functions')
  return lines.join('\n')
}

function propertyLines(schema: Schema, indent: number): string[] {
  const required = new Set(schema.required ?? [])
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const lines = property.description && indent < 2 ? [`// ${property.description}`] : []
    lines.push(`${name}${required.has(name) ? '' : '?'}: ${typeOf(property, indent)},`)
    return lines.map((line) => ' '.repeat(indent) + line)
  })
}

function typeOf(schema: Schema, indent: number): string {
  if (Array.isArray(schema.type)) return schema.type.map((type) => typeOf({ ...schema, type }, indent)).join(' | ')
  if (schema.anyOf) return schema.anyOf.map((choice) => typeOf(choice, indent)).join(' | ')
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
      return schema.items ? `${typeOf(schema.items, indent)}[]` : 'any[]'
    case 'object':
      return ['{', ...propertyLines(schema, indent + 2), `${' '.repeat(indent)}}`].join('\n')
    default:
      return 'any'
  }
}

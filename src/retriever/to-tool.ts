import type { AbortOptions, Metadata, Passage } from '../document.ts'
import { GroundlineError } from '../errors.ts'
import { type Filter, parseFilter } from '../filter.ts'
import { describe, invalidArgument, requireInteger, requireObject, requireString } from '../internal/argument.ts'
import { requireRetriever } from './collaborators.ts'
import type { Retriever } from './retriever.ts'

/** What the tool is called and how far it may look. */
export interface ToToolOptions<M extends Metadata = Metadata> {
  /** 1–64 letters, digits, `_` or `-`. Default `search_documents`. */
  readonly name?: string
  /** What the model is told the tool does. */
  readonly description?: string
  /** How many passages a call returns: an integer from 1 to 100. Default 5. */
  readonly topK?: number
  /** Holds for every call; the model can neither see nor widen it. */
  readonly filter?: Filter<M>
}

/** JSON Schema of the tool's arguments. */
export interface ToolParameters {
  /** Always an object. */
  readonly type: 'object'
  /** The one argument. */
  readonly properties: { readonly query: { readonly type: 'string'; readonly description: string } }
  /** The query is required. */
  readonly required: readonly ['query']
  /** Nothing else is taken. */
  readonly additionalProperties: false
}

/** What a call of the tool gives back. */
export interface ToolResult<M extends Metadata = Metadata> {
  /** The passages as text for the model, numbered, each with its source. */
  readonly text: string
  /** The passages themselves. */
  readonly passages: readonly Passage<M>[]
}

/** The tool's arguments. */
export interface ToolArguments {
  /** What to look for. */
  query: string
}

/** The tool's arguments as a Standard Schema (https://standardschema.dev) that also gives its JSON Schema. */
export interface ToolSchema {
  /** Version of the specification. */
  readonly version: 1
  /** Who made the schema. */
  readonly vendor: 'groundline'
  /** Checks arguments. */
  validate(
    value: unknown,
  ): { readonly value: ToolArguments } | { readonly issues: readonly { readonly message: string }[] }
  /** The same as JSON Schema. */
  readonly jsonSchema: ToolJsonSchema
  /** For type inference only. */
  readonly types?: { readonly input: ToolArguments; readonly output: ToolArguments }
}

/** The two sides of a Standard JSON Schema; they are alike. */
export interface ToolJsonSchema {
  /** What is accepted. */
  input(): Record<string, unknown>
  /** What comes out. */
  output(): Record<string, unknown>
}

/** The tool in the AI SDK's shape: pass it in `tools` of `generateText` or `streamText`. */
export interface AiSdkTool {
  /** What the model is told the tool does. */
  readonly description: string
  /** The arguments, as the AI SDK takes them. */
  readonly inputSchema: { readonly '~standard': ToolSchema }
  /** Runs the retrieval and gives the text for the model. */
  execute(input: ToolArguments, options?: { abortSignal?: AbortSignal }): Promise<string>
}

/** Retrieval as a tool, in the shape of each provider. */
export interface RetrievalTool<M extends Metadata = Metadata> {
  /** The tool's name. */
  readonly name: string
  /** What the model is told the tool does. */
  readonly description: string
  /** JSON Schema of the arguments. */
  readonly parameters: ToolParameters
  /** For `tools` of OpenAI chat completions. */
  readonly openaiChat: {
    readonly type: 'function'
    readonly function: {
      readonly name: string
      readonly description: string
      readonly parameters: Record<string, unknown>
      readonly strict: true
    }
  }
  /** For `tools` of OpenAI responses. */
  readonly openaiResponses: {
    readonly type: 'function'
    readonly name: string
    readonly description: string
    readonly parameters: Record<string, unknown>
    readonly strict: true
  }
  /** For `tools` of Anthropic messages. */
  readonly anthropic: {
    readonly name: string
    readonly description: string
    readonly input_schema: { readonly type: 'object' } & Record<string, unknown>
  }
  /** For the AI SDK: `tools: { [tool.name]: tool.aiSdk }`. */
  readonly aiSdk: AiSdkTool
  /** Runs a call. Arguments are an object or its JSON text, as models send it; others throw `INVALID_ARGUMENT`. */
  call(args: unknown, options?: AbortOptions): Promise<ToolResult<M>>
}

/**
 * Offers a retriever to a model as a tool. The filter stays with the tool, so that a model cannot reach what its user
 * may not.
 *
 * @example
 * ```ts
 * const tool = toTool(retriever, { topK: 3 })
 * const { text } = await tool.call('{"query":"rotate keys"}')
 * ```
 */
export function toTool<M extends Metadata = Metadata>(
  retriever: Retriever<M>,
  options: ToToolOptions<M> = {},
): RetrievalTool<M> {
  requireRetriever('retriever', retriever)
  requireObject('options', options)
  const { name = 'search_documents', topK = 5 } = options
  const { description = 'Searches the documents and returns the most relevant passages with their sources.' } = options
  requireString('description', description)
  if (typeof name !== 'string' || !/^[a-zA-Z0-9_-]{1,64}$/.test(name))
    throw invalidArgument('name', '1–64 letters, digits, "_" or "-"', name)
  // A copy: what the caller does to the filter later does not widen what the tool reaches.
  const filter = options.filter === undefined ? undefined : (parseFilter(options.filter) as Filter<M>)
  requireInteger('topK', topK, 1, 100)
  const parameters: ToolParameters = {
    type: 'object',
    properties: { query: { type: 'string', description: 'What to look for, in words the documents may use.' } },
    required: ['query'],
    additionalProperties: false,
  }
  const schema = () => structuredClone({ ...parameters })
  const call = async (args: unknown, { signal }: AbortOptions = {}): Promise<ToolResult<M>> => {
    signal?.throwIfAborted()
    const { passages } = await retriever.retrieve(readQuery(args), { topK, filter, signal })
    return { text: passages.map(passageText).join('\n\n') || 'No passage was found.', passages }
  }
  return {
    name,
    description,
    parameters,
    openaiChat: { type: 'function', function: { name, description, parameters: schema(), strict: true } },
    openaiResponses: { type: 'function', name, description, parameters: schema(), strict: true },
    anthropic: { name, description, input_schema: schema() },
    aiSdk: {
      description,
      inputSchema: {
        '~standard': { version: 1, vendor: 'groundline', validate, jsonSchema: { input: schema, output: schema } },
      },
      execute: async (input, { abortSignal } = {}) => (await call(input, { signal: abortSignal })).text,
    },
    call,
  }
}

function validate(value: unknown): { value: { query: string } } | { issues: { message: string }[] } {
  try {
    return { value: { query: readQuery(value) } }
  } catch (error) {
    return { issues: [{ message: (error as Error).message }] }
  }
}

function readQuery(args: unknown): string {
  let value = args
  if (typeof args === 'string') {
    try {
      value = JSON.parse(args)
    } catch (cause) {
      throw new GroundlineError('INVALID_ARGUMENT', `tool arguments must be JSON, got ${describe(args)}`, { cause })
    }
  }
  const query =
    typeof value === 'object' && value !== null && Object.hasOwn(value, 'query')
      ? (value as { query: unknown }).query
      : undefined
  if (typeof query !== 'string' || query.trim() === '') {
    throw new GroundlineError(
      'INVALID_ARGUMENT',
      `tool arguments must be {"query": non-empty string}, got ${describe(value)}`,
    )
  }
  return query
}

function passageText(passage: Passage, index: number): string {
  const place = [passage.source.title ?? passage.source.uri ?? passage.documentId, ...(passage.headingPath ?? [])]
  return `[${index + 1}] ${place.join(' › ')}\n${passage.text}`
}

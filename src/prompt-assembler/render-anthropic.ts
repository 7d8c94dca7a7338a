import type { Span } from '../document.ts'
import { GroundlineError } from '../errors.ts'
import { parseSafely } from './escape-text.ts'
import type { Prompt, PromptImage, PromptMessage, PromptSource } from './prompt-assembler.ts'

/** Asks the provider to cache the prefix that ends with the block. */
export interface AnthropicCacheControl {
  /** The only kind there is; it lasts five minutes. */
  cache_control?: { type: 'ephemeral' }
}

/** A text block. */
export interface AnthropicText extends AnthropicCacheControl {
  /** Always `text`. */
  type: 'text'
  /** The text. */
  text: string
}

/** A block of a message in Anthropic's messages format. */
export type AnthropicBlock =
  | AnthropicText
  | ({
      type: 'image'
      source:
        | { type: 'base64'; media_type: 'image/png' | 'image/jpeg' | 'image/gif' | 'image/webp'; data: string }
        | { type: 'url'; url: string }
    } & AnthropicCacheControl)
  | ({ type: 'tool_use'; id: string; name: string; input: Record<string, unknown> } & AnthropicCacheControl)
  | ({ type: 'tool_result'; tool_use_id: string; content: string } & AnthropicCacheControl)
  | ({
      type: 'search_result'
      source: string
      title: string
      content: { type: 'text'; text: string }[]
      citations: { enabled: true }
    } & AnthropicCacheControl)
  | ({
      type: 'document'
      title: string
      context?: string
      source: { type: 'text'; media_type: 'text/plain'; data: string }
      citations: { enabled: true }
    } & AnthropicCacheControl)

/** A message in Anthropic's format. Tool results are the user's. */
export interface AnthropicMessage {
  /** Who speaks. */
  role: 'user' | 'assistant'
  /** What is said. */
  content: AnthropicBlock[]
}

/** What goes into a request to Anthropic's messages. */
export interface AnthropicPayload {
  /** The system text; absent for none. */
  system?: AnthropicText[]
  /** The messages; user and assistant take turns. */
  messages: AnthropicMessage[]
  /** The tools; absent for none. */
  tools?: ({
    name: string
    description: string
    input_schema: { type: 'object'; [key: string]: unknown }
  } & AnthropicCacheControl)[]
}

/** How sources are shown. */
export interface RenderAnthropicOptions {
  /** As tagged text, as the prompt has it (default), or as blocks with the provider's own citations on. */
  readonly sources?: 'text' | 'search_result' | 'document'
}

/**
 * A prompt as Anthropic's messages take it, with cache marks at the prompt's breakpoints. Blocks carry the sources' own
 * text, unescaped, since the block is their fence; they count differently from the prompt's text, so fit such a prompt
 * with the provider's own counter. Pure. Throws `INVALID_ARGUMENT` for tool arguments that are no JSON object.
 */
export function renderAnthropic(prompt: Prompt, options: RenderAnthropicOptions = {}): AnthropicPayload {
  const marked = new Set(prompt.cachePlan.breakpoints)
  const payload: AnthropicPayload = { messages: [] }
  const mark = (block: AnthropicCacheControl, index: number) => {
    if (marked.has(index)) block.cache_control = { type: 'ephemeral' }
  }
  if (prompt.tools.length > 0) {
    payload.tools = prompt.tools.map(({ name, description, parameters }) => ({
      name,
      description,
      input_schema: { ...parameters, type: 'object' },
    }))
    mark(payload.tools.at(-1)!, -1)
  }
  for (const [index, message] of prompt.messages.entries()) {
    if (message.role === 'system') {
      const block: AnthropicText = { type: 'text', text: message.content }
      mark(block, index)
      payload.system = [...(payload.system ?? []), block]
      continue
    }
    const last = index === prompt.messages.length - 1
    const blocks = last ? lastBlocks(prompt, message, options.sources ?? 'text') : messageBlocks(message)
    const role = message.role === 'assistant' ? 'assistant' : 'user'
    const before = payload.messages.at(-1)
    if (before?.role === role) before.content.push(...blocks)
    else if (blocks.length > 0) payload.messages.push({ role, content: blocks })
    const end = payload.messages.at(-1)?.content.at(-1)
    if (end !== undefined) mark(end, index)
  }
  return payload
}

/** The paragraphs of what is shown of a source, as spans of its document: the blocks that a search result can be cited by. */
export function searchResultSpans(source: PromptSource): readonly Span[] {
  const spans: Span[] = []
  for (const shown of source.shown) {
    const text = source.text.slice(shown.start - source.start, shown.end - source.start)
    for (const match of text.matchAll(/\S(?:(?!\n\s*\n)[\s\S])*/g)) {
      const paragraph = match[0].trimEnd()
      spans.push({ start: shown.start + match.index, end: shown.start + match.index + paragraph.length })
    }
  }
  return spans
}

/**
 * The span of the document that characters `start`–`end` of a `document` block are. Whether the provider counts UTF-16 units
 * or code points is not documented, so the reading under which the characters are `cited` is taken; undefined for neither.
 */
export function documentSpan(source: PromptSource, start: number, end: number, cited: string): Span | undefined {
  const textOf = (span: Span) => source.text.slice(span.start - source.start, span.end - source.start)
  const data = source.shown.map(textOf).join('\n')
  const points = [...data]
  const unitsBefore = (count: number) => points.slice(0, count).join('').length
  for (const [from, to] of [[start, end] as const, [unitsBefore(start), unitsBefore(end)] as const]) {
    if (data.slice(from, to) !== cited) continue
    let before = 0
    for (const shown of source.shown) {
      const length = shown.end - shown.start
      if (from >= before && to <= before + length)
        return { start: shown.start + from - before, end: shown.start + to - before }
      before += length + 1
    }
  }
  return undefined
}

function messageBlocks(message: PromptMessage): AnthropicBlock[] {
  if (message.role === 'tool')
    return [{ type: 'tool_result', tool_use_id: message.toolCallId, content: message.content }]
  const blocks: AnthropicBlock[] = message.role === 'user' ? (message.images ?? []).map(imageBlock) : []
  if (message.content !== '') blocks.push({ type: 'text', text: message.content })
  if (message.role === 'assistant')
    for (const call of message.toolCalls ?? [])
      blocks.push({ type: 'tool_use', id: call.id, name: call.name, input: toolInput(call.arguments, call.id) })
  return blocks
}

function lastBlocks(
  prompt: Prompt,
  message: PromptMessage,
  form: 'text' | 'search_result' | 'document',
): AnthropicBlock[] {
  const span = prompt.sourcesSpan
  if (form === 'text' || span === undefined) return messageBlocks(message)
  const before = message.content.slice(0, span.start).trimEnd()
  const blocks: AnthropicBlock[] = message.role === 'user' ? (message.images ?? []).map(imageBlock) : []
  if (before !== '') blocks.push({ type: 'text', text: before })
  for (const source of prompt.sources) {
    const title = [source.title ?? source.uri ?? source.documentId, ...(source.headingPath ?? [])].join(' > ')
    const textOf = ({ start, end }: Span) => source.text.slice(start - source.start, end - source.start)
    const shown = source.shown.length === 0 ? [title] : source.shown.map(textOf)
    const citable = source.shown.length === 0 ? [title] : searchResultSpans(source).map(textOf)
    blocks.push(
      form === 'search_result'
        ? {
            type: 'search_result',
            source: source.uri ?? source.documentId,
            title,
            content: citable.map((text) => ({ type: 'text', text })),
            citations: { enabled: true },
          }
        : {
            type: 'document',
            title,
            ...(source.uri === undefined ? {} : { context: source.uri }),
            source: { type: 'text', media_type: 'text/plain', data: shown.join('\n') },
            citations: { enabled: true },
          },
    )
  }
  blocks.push({ type: 'text', text: message.content.slice(span.end) })
  return blocks
}

const MEDIA = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'] as const

function imageBlock(image: PromptImage): AnthropicBlock {
  if (image.data.startsWith('https:')) return { type: 'image', source: { type: 'url', url: image.data } }
  const media = MEDIA.find((type) => type === image.mediaType)
  if (media === undefined)
    throw new GroundlineError(
      'INVALID_ARGUMENT',
      `image ${image.id} is ${image.mediaType}; expected ${MEDIA.join(', ')}`,
      {
        details: { image: image.id },
      },
    )
  return { type: 'image', source: { type: 'base64', media_type: media, data: image.data } }
}

function toolInput(json: string, id: string): Record<string, unknown> {
  let input: unknown
  try {
    input = parseSafely(json === '' ? '{}' : json)
  } catch (cause) {
    throw new GroundlineError('INVALID_ARGUMENT', `arguments of tool call ${id} are no JSON`, {
      cause,
      details: { id },
    })
  }
  if (typeof input === 'object' && input !== null && !Array.isArray(input)) return { ...input }
  throw new GroundlineError('INVALID_ARGUMENT', `arguments of tool call ${id} must be a JSON object`, {
    details: { id },
  })
}

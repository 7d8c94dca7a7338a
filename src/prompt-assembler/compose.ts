import type { AssemblerSettings } from './assembler-settings.ts'
import { escapeText } from './escape-text.ts'
import type { Turn } from './group-turns.ts'
import type { PreparedParts } from './prepare-parts.ts'
import type {
  LedgerPart,
  PieceOrigin,
  PromptMessage,
  PromptPiece,
  PromptSource,
  ToolDefinition,
} from './prompt-assembler.ts'
import { type Segment, segmentTokens, segmentWriter } from './segment.ts'
import { promptSource, type SourceDraft, type SourceForm, sourceSegments } from './source-block.ts'
import type { TextMemo } from './text-memo.ts'

/** What was chosen to go into a prompt. */
export interface Draft {
  /** Which form of each instruction, by id. */
  readonly instructions: ReadonlyMap<string, number>
  /** Names of the tools. */
  readonly tools: ReadonlySet<string>
  /** First message of each example. */
  readonly examples: ReadonlySet<number>
  /** Whether the summary is shown. */
  readonly summary: boolean
  /** Position of the first turn of history shown; the number of turns for none. */
  readonly historyFrom: number
  /** The sources, in no order. */
  readonly sources: readonly { readonly draft: SourceDraft; readonly form: SourceForm }[]
}

/** A prompt's messages with their account. */
export interface Composition {
  readonly messages: readonly PromptMessage[]
  readonly pieces: readonly PromptPiece[]
  readonly tools: readonly ToolDefinition[]
  readonly sources: readonly PromptSource[]
  readonly sourcesSpan: { readonly start: number; readonly end: number } | undefined
  /** Tokens by what they are spent on; their sum is `total`. */
  readonly spent: ReadonlyMap<LedgerPart, number>
  /** Tokens of each message, overhead included. */
  readonly messageTokens: readonly number[]
  /** Tokens of the tool definitions. */
  readonly toolTokens: number
  readonly total: number
  /** Index of the last example and the last history message; −1 for none. */
  readonly lastExample: number
  readonly lastHistory: number
}

/** Lays a draft out: tools, system, examples, summary, history, then sources and question. Counts segment by segment. */
export function compose(
  draft: Draft,
  parts: PreparedParts,
  settings: AssemblerSettings,
  count: (text: string) => number,
  memo: TextMemo,
): Composition {
  const messages: PromptMessage[] = []
  const pieces: PromptPiece[] = []
  const messageTokens: number[] = []
  const spent = new Map<LedgerPart, number>()
  const counter = { id: settings.counter.id, kind: settings.counter.kind, count }
  const spend = (part: LedgerPart, tokens: number) => {
    if (tokens !== 0) spent.set(part, (spent.get(part) ?? 0) + tokens)
    return tokens
  }
  const add = (segments: readonly Segment[], message: (content: string) => PromptMessage) => {
    let content = ''
    let tokens = 0
    for (const segment of segments) {
      for (const piece of segment.pieces)
        pieces.push({
          message: messages.length,
          start: content.length + piece.start,
          end: content.length + piece.end,
          origin: piece.origin,
        })
      content += segment.text
      tokens += spend(segment.part, segmentTokens(segment, count))
    }
    const made = message(content)
    messages.push(made)
    messageTokens.push(tokens + spend('overhead', settings.overhead.message(made, counter)))
  }

  const system = instructionSegments(draft, parts, false)
  if (system.length > 0) add(system, (content) => ({ role: 'system', content }))
  const addTurns = (turns: readonly Turn[], part: 'examples' | 'history', prefix: string) => {
    for (const turn of turns)
      for (const [index, message] of turn.messages.entries()) {
        const id = `${prefix}:${turn.first}`
        add([textSegment(message.content, part, id, parts, turn.first + index)], (content) => ({ ...message, content }))
        if (message.role === 'user')
          for (const image of message.images ?? [])
            messageTokens[messageTokens.length - 1]! += spend('images', image.tokens)
      }
    return turns.length === 0 ? -1 : messages.length - 1
  }
  const lastExample = addTurns(
    parts.examples.filter((turn) => draft.examples.has(turn.first)),
    'examples',
    'example',
  )
  if (draft.summary && parts.summary !== undefined)
    add([textSegment(parts.summary, 'summary', 'summary', parts, undefined, SUMMARY_LEAD)], (content) => ({
      role: 'user',
      content,
    }))
  const turns = parts.history.slice(draft.historyFrom)
  const lastHistory = addTurns(turns, 'history', 'history')

  const sources: PromptSource[] = []
  const late = instructionSegments(draft, parts, true)
  const shown: Segment[] = []
  for (const [index, { draft: source, form }] of orderSources(draft.sources, settings.order).entries()) {
    if (index === 0) shown.push(introSegment(settings))
    sources.push(promptSource(source, form, index + 1))
    shown.push(...sourceSegments(source, form, index + 1, parts.fence, memo))
  }
  const length = (segments: readonly Segment[]) => segments.reduce((sum, segment) => sum + segment.text.length, 0)
  const sourcesSpan = shown.length === 0 ? undefined : { start: length(late), end: length(late) + length(shown) }
  const lead = late.length + shown.length > 0 ? 'Question:\n' : ''
  add([...late, ...shown, textSegment(parts.question, 'question', 'question', parts, undefined, lead)], (content) => ({
    role: 'user',
    content,
    ...(parts.images.length === 0 ? {} : { images: parts.images }),
  }))
  for (const image of parts.images) messageTokens[messageTokens.length - 1]! += spend('images', image.tokens)

  const tools = parts.tools.filter((tool) => draft.tools.has(tool.name))
  const toolTokens = spend('tools', settings.overhead.tools(tools, counter))
  spend('overhead', settings.overhead.fixed)
  let total = 0
  for (const tokens of spent.values()) total += tokens
  return {
    messages,
    pieces,
    tools,
    sources,
    sourcesSpan,
    spent,
    messageTokens,
    toolTokens,
    total,
    lastExample,
    lastHistory,
  }
}

/** What stands before a summary. */
export const SUMMARY_LEAD = 'Summary of the conversation before:\n'

/** What stands before the first source. */
export function introSegment(settings: AssemblerSettings): Segment {
  const writer = segmentWriter()
  writer.write(`${settings.sourcesIntro.trim()}\n\n`)
  return writer.finish('sources')
}

/** A text of the caller's, escaped, after a lead of the assembler's own. */
export function textSegment(
  text: string,
  part: LedgerPart,
  id: string,
  parts: PreparedParts,
  index?: number,
  lead = '',
): Segment {
  const writer = segmentWriter()
  writer.write(lead)
  for (const piece of escapeText(text, parts.removedFrom(text))) {
    const origin: PieceOrigin = {
      type: 'part',
      part: id,
      ...(index === undefined ? {} : { index }),
      start: piece.start,
      end: piece.end,
      form: piece.form,
    }
    writer.write(piece.text, origin)
  }
  return writer.finish(part)
}

function instructionSegments(draft: Draft, parts: PreparedParts, late: boolean): readonly Segment[] {
  const chosen = parts.instructions.filter(
    (text) => draft.instructions.has(text.id) && (text.stability === 'turn') === late,
  )
  return chosen.map((text, index) => {
    const form = text.forms[draft.instructions.get(text.id)!]!
    const start = form.length - form.trimStart().length
    const end = form.trimEnd().length
    const writer = segmentWriter()
    writer.write(form.slice(start, end), { type: 'part', part: text.id, start, end, form: 'verbatim' })
    if (late || index < chosen.length - 1) writer.write('\n\n')
    return writer.finish('instructions')
  })
}

function orderSources(sources: Draft['sources'], order: AssemblerSettings['order']): Draft['sources'] {
  const ranked = [...sources].sort((a, b) => a.draft.rank - b.draft.rank)
  if (order === 'relevance') return ranked
  if (order === 'document') {
    const place = (source: Draft['sources'][number]) => source.draft.best.documentId
    return ranked.sort((a, b) =>
      place(a) < place(b) ? -1 : place(a) > place(b) ? 1 : a.draft.start - b.draft.start || a.draft.rank - b.draft.rank,
    )
  }
  // Best first, second best last, third best second, …: the worst stand in the middle.
  const front = ranked.filter((_, index) => index % 2 === 0)
  const back = ranked.filter((_, index) => index % 2 === 1)
  return [...front, ...back.reverse()]
}

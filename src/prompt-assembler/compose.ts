import type { AssemblerSettings } from './assembler-settings.ts'
import type { Escaper } from './escape-text.ts'
import type { PreparedParts, TurnPart } from './prepare-parts.ts'
import type {
  LedgerPart,
  PromptMessage,
  PromptPiece,
  PromptSource,
  Stability,
  ToolDefinition,
} from './prompt-assembler.ts'
import { type Segment, segmentTokens, segmentWriter } from './segment.ts'
import { promptSource, type SourceDraft, type SourceForm, sourceSegments } from './source-block.ts'
import type { TextMemo } from './text-memo.ts'

/** What was chosen to go into a prompt. */
export interface Draft {
  /** Which form of each part, by id; parts that are not in it are not shown. Sources are apart. */
  readonly forms: ReadonlyMap<string, number>
  /** Position of the first turn of the history's sequence shown; the number of turns for none. */
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
  readonly total: number
  /** Whether segments meet only where lines add up: a line feed before, neither white space nor a slash after. */
  readonly additive: boolean
  /** Index of the last message of the examples that stay, and of the history; −1 for none. */
  readonly lastExample: number
  readonly lastHistory: number
}

/** Lays a draft out: tools, system, examples, summary, history, then sources and question. Counts segment by segment. */
export function compose(draft: Draft, parts: PreparedParts, settings: AssemblerSettings): Composition {
  const messages: PromptMessage[] = []
  const pieces: PromptPiece[] = []
  const messageTokens: number[] = []
  let additive = true
  const spent = new Map<LedgerPart, number>()
  const { counter, memo, overhead } = settings
  const spend = (part: LedgerPart, tokens: number) => {
    if (tokens !== 0) spent.set(part, (spent.get(part) ?? 0) + tokens)
    return tokens
  }
  const add = (segments: readonly Segment[], message: (content: string) => PromptMessage) => {
    let [content, before] = ['', '']
    let tokens = 0
    for (const segment of segments) {
      // The segment before, not the content: that is a rope, which asking for its end would flatten every time.
      if (before !== '' && !(before.endsWith('\n') && /^[^\s\u0085/]/.test(segment.text))) additive = false
      before = segment.text
      for (const piece of segment.pieces)
        pieces.push({
          message: messages.length,
          start: content.length + piece.start,
          end: content.length + piece.end,
          origin: piece.origin,
        })
      content += segment.text
      tokens += spend(segment.part, segmentTokens(segment, counter.count))
    }
    const made = message(content)
    messages.push(made)
    if (made.role === 'user') for (const image of made.images ?? []) tokens += spend('images', image.tokens)
    messageTokens.push(tokens + spend('overhead', overhead.message(made, counter)))
  }

  const system = instructionSegments(draft, parts, false)
  if (system.length > 0) add(system, (content) => ({ role: 'system', content }))
  const addTurns = (turns: readonly TurnPart[], part: 'examples' | 'history') => {
    let last = -1
    for (const turn of turns) {
      const form = draft.forms.get(turn.id)
      if (form === undefined) continue
      for (const [at, message] of turn.forms[form]!.entries()) {
        const place = { index: form === 0 ? turn.first + at : at, form }
        add([textSegment(message.content, part, turn.id, memo, place)], (content) => ({ ...message, content }))
        last = messages.length - 1
      }
    }
    return last
  }
  const addSummary = (stability: Stability) => {
    const form = parts.summary?.stability === stability ? draft.forms.get('summary') : undefined
    if (form === undefined) return
    const text = parts.summary!.forms[form]!
    add([textSegment(text, 'summary', 'summary', memo, { form }, SUMMARY_LEAD)], (content) => ({
      role: 'user',
      content,
    }))
  }
  const lateExamples = parts.examples.filter(({ stability }) => stability === 'turn')
  const lastExample = addTurns(parts.examples.slice(0, parts.examples.length - lateExamples.length), 'examples')
  addSummary('session')
  const lastHistory = addTurns(parts.history, 'history')
  addTurns(lateExamples, 'examples')
  addSummary('turn')

  const sources: PromptSource[] = []
  const late = instructionSegments(draft, parts, true)
  const shown: Segment[] = []
  const ranked = draft.sources.toSorted((a, b) => a.draft.rank - b.draft.rank)
  for (const [index, { draft: source, form }] of settings.order(ranked).entries()) {
    if (index === 0) shown.push(introSegment(settings))
    sources.push(promptSource(source, form, index + 1))
    shown.push(...sourceSegments(source, form, index + 1, parts.fence, memo))
  }
  const length = (segments: readonly Segment[]) => segments.reduce((sum, segment) => sum + segment.text.length, 0)
  const sourcesSpan = shown.length === 0 ? undefined : { start: length(late), end: length(late) + length(shown) }
  const lead = late.length + shown.length > 0 ? 'Question:\n' : ''
  const asked = draft.forms.get('question') ?? 0
  const question = textSegment(parts.question.forms[asked]!, 'question', 'question', memo, { form: asked }, lead)
  add([...late, ...shown, question], (content) => ({
    role: 'user',
    content,
    ...(parts.images.length > 0 && { images: parts.images }),
  }))

  const tools = parts.tools.flatMap(({ id, forms }) => forms[draft.forms.get(id) ?? -1] ?? [])
  spend('tools', overhead.tools(tools, counter))
  spend('overhead', overhead.fixed)
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
    total,
    additive,
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

/** A text of the caller's, escaped, between a lead and an end of the assembler's own. */
export function textSegment(
  text: string,
  part: LedgerPart,
  id: string,
  { escape: escaper }: Pick<TextMemo, 'escape'>,
  place: { readonly index?: number; readonly form?: number } = {},
  lead = '',
  end = '',
): Segment {
  const { form = 0, index } = place
  const writer = segmentWriter()
  writer.write(lead)
  for (const { text: shown, ...piece } of escaper(text, 0, text.length))
    writer.write(shown, {
      type: 'part',
      part: id,
      ...(index !== undefined && { index }),
      ...(form > 0 && { rendition: form }),
      ...piece,
    })
  writer.write(end)
  return writer.finish(part)
}

function instructionSegments(draft: Draft, parts: PreparedParts, late: boolean): readonly Segment[] {
  const chosen = parts.instructions.filter(
    ({ id, stability }) => draft.forms.has(id) && (stability === 'turn') === late,
  )
  return chosen.map(({ id, forms }, index) => {
    const form = draft.forms.get(id)!
    const verbatim: Escaper = (text) => {
      const start = text.length - text.trimStart().length
      return [{ text: text.trim(), start, end: text.trimEnd().length, form: 'verbatim' }]
    }
    // Behind the last of the system text comes nothing.
    const gap = late || index < chosen.length - 1 ? '\n\n' : ''
    return textSegment(forms[form]!, 'instructions', id, { escape: verbatim }, { form }, '', gap)
  })
}

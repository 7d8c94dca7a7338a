import type { Metadata, Passage, Span } from '../document.ts'
import { describe } from '../internal/argument.ts'
import type { AssemblerSettings } from './assembler-settings.ts'
import { fenceMark } from './fence.ts'
import { groupTurns, type Turn } from './group-turns.ts'
import { mergePassages } from './merge-passages.ts'
import type {
  Omission,
  PartSettings,
  PromptImage,
  PromptParts,
  PromptWarning,
  Stability,
  ToolDefinition,
} from './prompt-assembler.ts'
import type { SourceDraft } from './source-block.ts'
import type { TextMemo } from './text-memo.ts'

/** One of the instructions, checked. */
export interface InstructionText {
  /** Part id. */
  readonly id: string
  /** Full text and shorter forms, longest first. */
  readonly forms: readonly string[]
  /** How long it stays the same. */
  readonly stability: Stability
}

/** The parts of a prompt, checked and in canonical order. */
export interface PreparedParts {
  readonly instructions: readonly InstructionText[]
  readonly tools: readonly ToolDefinition[]
  readonly examples: readonly Turn[]
  readonly history: readonly Turn[]
  readonly summary: string | undefined
  readonly question: string
  readonly images: readonly PromptImage[]
  /** Groups of overlapping passages; a group of one is a passage by itself. By best score, ties by id. */
  readonly clusters: readonly (readonly SourceDraft[])[]
  readonly fence: string
  readonly warnings: readonly PromptWarning[]
  readonly omitted: readonly Omission[]
  /** The settings of a part, where the caller gave some. */
  readonly settingsOf: (id: string) => PartSettings
  /** Invisible characters to leave out of a text that is not an instruction. */
  readonly removedFrom: (text: string) => readonly Span[]
}

/** Dates, times, UUIDs and long numbers: what changes from call to call. */
const VOLATILE =
  /\b\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2})?|\b\d{1,2}:\d{2}:\d{2}\b|\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b|\b\d{10,13}\b/i

/** Checks the parts and puts them into canonical order. `fail` must throw. */
export function prepareParts<M extends Metadata>(
  parts: PromptParts<M>,
  settings: AssemblerSettings,
  memo: TextMemo,
  fail: (problem: string) => never,
): PreparedParts {
  if (typeof parts.question !== 'string' || parts.question.trim() === '')
    fail(`question must be a text that is not empty, got ${describe(parts.question)}`)
  const own = new Map<string, PartSettings>(Object.entries(parts.settings ?? {}))
  const instructions = prepareInstructions(parts, own, fail)
  const tools = [...(parts.tools ?? [])].sort((a, b) => compare(a.name, b.name))
  for (const [index, tool] of tools.entries()) {
    if (!/^[\w-]{1,64}$/.test(tool.name)) fail(`tool name ${describe(tool.name)} must be 1–64 letters, digits, _ or -`)
    if (index > 0 && tools[index - 1]!.name === tool.name) fail(`two tools are named ${describe(tool.name)}`)
  }
  for (const image of parts.images ?? [])
    if (!Number.isInteger(image.tokens) || image.tokens < 0)
      fail(`image ${describe(image.id)} has no counted size: tokens is ${describe(image.tokens)}`)
  const examples = groupTurns(parts.examples ?? [], 'examples', fail)
  const history = groupTurns(parts.history ?? [], 'history', fail)
  for (const [id, part] of own) {
    checkSettings(id, part, fail)
    if (settings.bind === undefined && (part.group !== undefined || part.requires !== undefined))
      fail(`${id} has a group or requires other parts: give promptAssembler bind: bindings()`)
  }

  const removedFrom = (text: string) => settings.invisible?.removedFrom(text) ?? []
  const passages: readonly Passage[] = parts.passages ?? []
  const { clusters, omitted } = mergePassages(
    passages,
    settings,
    removedFrom,
    memo,
    (id) => own.get(`passage:${id}`) ?? {},
    fail,
  )
  const drafts = clusters.flat()
  const warnings: PromptWarning[] = []
  for (const { id, stability, forms } of instructions) {
    const match = stability === 'static' ? VOLATILE.exec(forms[0]!) : null
    if (match) warnings.push({ id, kind: 'volatile', at: match.index, found: match[0] })
  }
  const given: [id: string, text: string][] = [['question', parts.question]]
  if (parts.summary !== undefined) given.push(['summary', parts.summary])
  for (const [index, message] of (parts.examples ?? []).entries()) given.push([`example:${index}`, message.content])
  for (const [index, message] of (parts.history ?? []).entries()) given.push([`history:${index}`, message.content])
  for (const { best, text } of drafts) given.push([`passage:${best.id}`, text])
  if (settings.invisible) for (const [id, text] of given) warnings.push(...settings.invisible.warnOf(id, text))
  // Every text of the prompt but the assembler's own: the fence must occur in none of them.
  const texts = [...given.map(([, text]) => text), ...instructions.flatMap((text) => text.forms)]
  for (const { best } of drafts) texts.push(best.source.title ?? '', best.source.uri ?? '', ...(best.headingPath ?? []))
  for (const tool of tools) texts.push(JSON.stringify(tool))
  for (const message of [...(parts.examples ?? []), ...(parts.history ?? [])])
    if (message.role === 'assistant')
      for (const call of message.toolCalls ?? []) texts.push(call.id, call.name, call.arguments)
  return {
    instructions,
    tools,
    examples,
    history,
    summary: parts.summary,
    question: parts.question,
    images: parts.images ?? [],
    clusters,
    fence: fenceMark(settings.seed, texts),
    warnings,
    omitted,
    settingsOf: (id) => own.get(id) ?? {},
    removedFrom,
  }
}

function prepareInstructions<M extends Metadata>(
  parts: PromptParts<M>,
  own: Map<string, PartSettings>,
  fail: (problem: string) => never,
): readonly InstructionText[] {
  const given = parts.instructions ?? []
  if (typeof given === 'string')
    return given.trim() === '' ? [] : [{ id: 'instructions', forms: [given], stability: 'static' }]
  const rank = { static: 0, session: 1, turn: 2 }
  const texts = given.map((part) => {
    const id = `instructions:${part.id}`
    own.set(id, { ...part, ...own.get(id) })
    if (typeof part.text !== 'string' || part.text.trim() === '') fail(`${id} must be a text that is not empty`)
    return { id, forms: [part.text, ...(part.renditions ?? [])], stability: part.stability ?? 'static' }
  })
  if (new Set(texts.map((text) => text.id)).size < texts.length) fail('two instructions have one id')
  return texts.sort((a, b) => rank[a.stability] - rank[b.stability])
}

function checkSettings(id: string, part: PartSettings, fail: (problem: string) => never): void {
  if (part.priority !== undefined && !Number.isFinite(part.priority))
    fail(`priority of ${id} must be a finite number, got ${describe(part.priority)}`)
  if (part.utility !== undefined && !(Number.isFinite(part.utility) && part.utility > 0))
    fail(`utility of ${id} must be a finite number above 0, got ${describe(part.utility)}`)
}

/** Code-unit order. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

import type { Metadata, Passage } from '../document.ts'
import { describe } from '../internal/argument.ts'
import type { AssemblerSettings } from './assembler-settings.ts'
import { safeCalls } from './escape-text.ts'
import { fenceMark } from './fence.ts'
import { groupTurns, type Turn } from './group-turns.ts'
import { mergePassages } from './merge-passages.ts'
import type {
  Omission,
  PartSettings,
  PromptImage,
  PromptMessage,
  PromptParts,
  Stability,
  ToolDefinition,
} from './prompt-assembler.ts'
import type { PartContent } from './renditions.ts'
import type { SourceDraft } from './source-block.ts'

/** A part with its full form and its shorter ones, longest first. */
export interface FormedPart<F> {
  /** Part id. */
  readonly id: string
  /** The forms. */
  readonly forms: readonly F[]
  /** How long it stays the same. */
  readonly stability: Stability
}

/** An example or a turn of the history. */
export interface TurnPart extends FormedPart<Turn['messages']> {
  /** Index of its first message. */
  readonly first: number
}

/** The parts of a prompt, checked and in canonical order. */
export interface PreparedParts {
  readonly instructions: readonly FormedPart<string>[]
  readonly tools: readonly FormedPart<ToolDefinition>[]
  /** Whether there are tools, calls or results. */
  readonly toolsUsed: boolean
  readonly examples: readonly TurnPart[]
  readonly history: readonly TurnPart[]
  /** Position of the first turn that may be shown as one of the sequence. */
  readonly historyStart: number
  /** Whether the history goes on from the cut of the prompt before. */
  readonly continued: boolean
  /** Messages of the history. */
  readonly historyLength: number
  readonly summary: FormedPart<string> | undefined
  readonly question: FormedPart<string>
  readonly images: readonly PromptImage[]
  /** Groups of overlapping passages; a group of one is a passage by itself. By best score, ties by id. */
  readonly clusters: readonly (readonly SourceDraft[])[]
  /** Passages of the same text: from part id to the id of the one that stands for all of them. */
  readonly twins: ReadonlyMap<string, string>
  readonly fence: string
  readonly omitted: readonly Omission[]
  /** The settings of a part, where the caller gave some. */
  readonly settingsOf: (id: string) => PartSettings
  /** Whether a part has settings or is required by another: such a turn competes by itself. */
  readonly alone: (id: string) => boolean
}

const ORDER: readonly Stability[] = ['static', 'session', 'turn']
/** Stabilities that parts of a kind may have, `turn` alone for others; the first is the default. */
const STABILITIES: Readonly<Record<string, readonly Stability[]>> = {
  instructions: ORDER,
  example: ORDER,
  tool: ['static'],
  history: ['session'],
  summary: ['session', 'turn'],
}

/** Checks the parts and puts them into canonical order. `fail` must throw. */
export function prepareParts<M extends Metadata>(
  parts: PromptParts<M>,
  settings: AssemblerSettings,
  fail: (problem: string) => never,
): PreparedParts {
  const written = (id: string, text: unknown) =>
    typeof text === 'string' && text.trim() !== ''
      ? text
      : fail(`${id} must be a text that is not empty, got ${describe(text)}`)
  written('question', parts.question)
  const own = new Map<string, PartSettings>(Object.entries(parts.settings ?? {}))
  /** A part with the renditions of its settings. */
  const formed = <F extends PartContent>(id: string, full: F): FormedPart<F> => {
    const { renditions, stability = stabilitiesOf(id)[0]! } = own.get(id) ?? {}
    const shorter = renditions && settings.renditions?.read(id, full, renditions, fail)
    return { id, forms: [full, ...(shorter ?? [])], stability }
  }
  const { instructions: told = '' } = parts
  const instructions: FormedPart<string>[] = []
  if (typeof told !== 'string')
    for (const part of told) {
      const id = `instructions:${part.id}`
      if (instructions.some((other) => other.id === id)) fail(`two instructions have the id ${describe(part.id)}`)
      own.set(id, { ...part, ...own.get(id) })
      instructions.push(formed(id, written(id, part.text)))
    }
  else if (told.trim() !== '') instructions.push(formed('instructions', told))
  const tools = (parts.tools ?? [])
    .map((tool) => formed(`tool:${tool.name}`, tool))
    .sort((a, b) => (a.id < b.id ? -1 : 1))
  for (const [index, { id }] of tools.entries()) {
    if (!/^tool:[\w-]{1,64}$/.test(id)) fail(`the name of ${describe(id)} must be 1–64 letters, digits, _ or -`)
    if (tools[index - 1]?.id === id) fail(`two tools are named ${describe(id)}`)
  }
  for (const image of parts.images ?? [])
    if (!Number.isInteger(image.tokens) || image.tokens < 0)
      fail(`image ${describe(image.id)} has no counted size: tokens is ${describe(image.tokens)}`)
  const turnsOf = (messages: readonly PromptMessage[], where: string, kind: string) =>
    groupTurns(messages, where, fail).map(({ first, messages }): TurnPart => {
      const { forms, ...part } = formed(`${kind}:${first}`, messages)
      return {
        ...part,
        forms: forms.map((form) => form.map((message) => safeCalls(message, settings.memo.escape))),
        first,
      }
    })
  const examples = turnsOf(parts.examples ?? [], 'examples', 'example').sort(byStability)
  const history = turnsOf(parts.history ?? [], 'history', 'history')
  const historyLength = parts.history?.length ?? 0
  const { historyFrom = 0 } = parts
  const start = history.findIndex(({ first }) => first === historyFrom)
  const historyStart = start < 0 ? history.length : start
  if (start < 0 && historyFrom !== historyLength)
    fail(`historyFrom must be the index of a turn's first message or ${historyLength}, got ${describe(historyFrom)}`)
  const summary = parts.summary === undefined ? undefined : formed('summary', parts.summary)
  const question = formed('question', parts.question)
  for (const [id, part] of own) {
    checkSettings(id, part, fail)
    if (settings.bind === undefined && (part.group !== undefined || part.requires !== undefined))
      fail(`${id} has a group or requires other parts: give promptAssembler bind: bindings()`)
    if (part.renditions !== undefined && (settings.renditions === undefined || id.startsWith('passage:')))
      fail(`${id} has renditions: give promptAssembler renditions: renditions(), or shorten for passages`)
  }

  const passages: readonly Passage[] = parts.passages ?? []
  const needed = new Set([...own.values()].flatMap(({ requires = [] }) => requires))
  const bound = (id: string) => {
    const { group, requires, required } = own.get(id) ?? {}
    return (group ?? requires ?? required) !== undefined
  }
  const { clusters, twins, omitted: gone } = mergePassages(passages, settings, bound, needed, fail)
  const omitted = [...gone]
  const alone = (id: string) => own.has(id) || needed.has(id)
  for (const { id } of history.slice(0, historyStart)) if (!alone(id)) omitted.push({ id, reason: 'cut' })
  // Every text of the prompt but the assembler's own: the fence must occur in none of them.
  const texts = [JSON.stringify({ ...parts, passages: 0, images: 0 })]
  for (const { best, text } of clusters.flat()) texts.push(text, JSON.stringify([best.source, best.headingPath]))
  return {
    instructions: instructions.sort(byStability),
    tools,
    toolsUsed:
      tools.length > 0 ||
      [...examples, ...history].some(({ forms }) => forms.flat().some(({ role }) => role === 'tool')),
    examples,
    history,
    historyStart,
    continued: parts.historyFrom !== undefined,
    historyLength,
    summary,
    question,
    images: parts.images ?? [],
    clusters,
    twins,
    fence: fenceMark(settings.seed, texts),
    omitted,
    settingsOf: (id) => own.get(id) ?? {},
    alone,
  }
}

function stabilitiesOf(id: string): readonly Stability[] {
  return STABILITIES[id.split(':', 1)[0]!] ?? ['turn']
}

/** Static before session before turn; parts of one stability keep their order. */
function byStability(a: FormedPart<unknown>, b: FormedPart<unknown>): number {
  return ORDER.indexOf(a.stability) - ORDER.indexOf(b.stability)
}

function checkSettings(id: string, part: PartSettings, fail: (problem: string) => never): void {
  const { priority = 0, utility = 1 } = part
  if (!Number.isFinite(priority)) fail(`priority of ${id} must be a finite number, got ${describe(priority)}`)
  if (!Number.isFinite(utility) || utility <= 0)
    fail(`utility of ${id} must be a finite number above 0, got ${describe(utility)}`)
  if (part.stability !== undefined && !stabilitiesOf(id).includes(part.stability))
    fail(`stability of ${id} must be ${stabilitiesOf(id).join(' or ')}, got ${describe(part.stability)}`)
}

import type { AssemblerSettings } from './assembler-settings.ts'
import { type Draft, introSegment, textSegment } from './compose.ts'
import type { Turn } from './group-turns.ts'
import type { PreparedParts } from './prepare-parts.ts'
import { fullForm, type SourceDraft, type SourceForm, sourceSegments } from './source-block.ts'

/** What choosing an option changes in the draft. */
export type Effect =
  | { readonly type: 'instruction'; readonly id: string; readonly form: number }
  | { readonly type: 'tool'; readonly name: string }
  | { readonly type: 'example'; readonly first: number }
  | { readonly type: 'summary' }
  | { readonly type: 'history'; readonly from: number }
  | { readonly type: 'source'; readonly draft: SourceDraft; readonly form: SourceForm }

/** One way to have a candidate in the prompt. */
export interface CandidateOption {
  /** Tokens, when joined to what is there. */
  readonly cost: number
  /** What it is worth within its band. */
  readonly utility: number
  /** What choosing it does. */
  readonly effects: readonly Effect[]
}

/** Something that may go into the prompt, in one of several ways or not at all. */
export interface Candidate {
  /** Canonical name, for ties. */
  readonly key: string
  /** Ids of the parts it stands for. */
  readonly ids: readonly string[]
  /** Bands are filled from the highest down. */
  readonly priority: number
  /** In the order of rising cost. */
  readonly options: readonly CandidateOption[]
  /** Whether it is a source, which needs the words before the sources. */
  readonly source: boolean
  /** Whether it must be there. */
  readonly required: boolean
}

/** The draft that the effects of the chosen options make. */
export function draftOf(effects: Iterable<Effect>, parts: PreparedParts): Draft {
  const instructions = new Map<string, number>()
  const tools = new Set<string>()
  const examples = new Set<number>()
  const sources: { draft: SourceDraft; form: SourceForm }[] = []
  let summary = false
  let historyFrom = parts.history.length
  for (const effect of effects) {
    if (effect.type === 'instruction') instructions.set(effect.id, effect.form)
    else if (effect.type === 'tool') tools.add(effect.name)
    else if (effect.type === 'example') examples.add(effect.first)
    else if (effect.type === 'summary') summary = true
    else if (effect.type === 'history') historyFrom = Math.min(historyFrom, effect.from)
    else sources.push({ draft: effect.draft, form: effect.form })
  }
  return { instructions, tools, examples, summary, historyFrom, sources }
}

/** What the words before the sources and before the question cost once there is a source. */
export function introCost(parts: PreparedParts, settings: AssemblerSettings, count: (text: string) => number): number {
  const bare = textSegment(parts.question, 'question', 'question', parts).text
  const led = parts.instructions.some((text) => text.stability === 'turn')
    ? 0
    : count(`Question:\n${bare}`) - count(bare)
  return count(introSegment(settings).text) + led
}

/** Everything that competes for the budget, with the cost of each of its forms. */
export function makeCandidates(
  parts: PreparedParts,
  settings: AssemblerSettings,
  count: (text: string) => number,
  budget: number,
): readonly Candidate[] {
  const counter = { id: settings.counter.id, kind: settings.counter.kind, count }
  const candidates: Candidate[] = []
  const add = (
    id: string,
    priority: number,
    required: boolean,
    utility: number,
    options: readonly CandidateOption[],
  ) => {
    const own = parts.settingsOf(id)
    const factor = (own.utility ?? utility) / utility
    candidates.push({
      key: id,
      ids: [id],
      priority: own.priority ?? priority,
      required: own.required ?? required,
      source: options[0]!.effects[0]!.type === 'source',
      options: options.map((option) => ({ ...option, utility: option.utility * factor })),
    })
  }
  const turnCost = (turn: Turn, part: 'history' | 'examples') => {
    let tokens = 0
    for (const message of turn.messages) {
      tokens += settings.overhead.message(message, counter) + count(textSegment(message.content, part, '', parts).text)
      if (message.role === 'user') for (const image of message.images ?? []) tokens += image.tokens
    }
    return tokens
  }

  for (const text of parts.instructions) {
    const costs = text.forms.map((form) => count(`${form.trim()}\n\n`))
    const options = costs.map((cost, form) => ({
      cost,
      utility: Math.sqrt(cost / Math.max(costs[0]!, 1)),
      effects: [{ type: 'instruction', id: text.id, form } as const],
    }))
    add(text.id, 40, true, 1, options.reverse())
  }
  for (const tool of parts.tools) {
    const cost = settings.overhead.tools([tool], counter)
    add(`tool:${tool.name}`, 40, true, 1, [{ cost, utility: 1, effects: [{ type: 'tool', name: tool.name }] }])
  }
  for (const turn of parts.examples) {
    const cost = turnCost(turn, 'examples')
    add(`example:${turn.first}`, 30, false, 1, [
      { cost, utility: 1, effects: [{ type: 'example', first: turn.first }] },
    ])
  }
  if (parts.summary !== undefined) {
    const segment = textSegment(
      parts.summary,
      'summary',
      'summary',
      parts,
      undefined,
      'Summary of the conversation before:\n',
    )
    const cost = count(segment.text) + settings.overhead.message({ role: 'user', content: segment.text }, counter)
    add('summary', 25, false, 1, [{ cost, utility: 1, effects: [{ type: 'summary' }] }])
  }
  candidates.push(...historyCandidates(parts, settings, budget, (turn) => turnCost(turn, 'history')))

  const drafts = parts.clusters.flat()
  const scores = drafts.map((draft) => draft.best.score)
  const [low, high] = scores.reduce(([min, max], score) => [Math.min(min, score), Math.max(max, score)], [0, 0])
  for (const draft of drafts) {
    const form = fullForm(draft)
    let cost = 0
    for (const segment of sourceSegments(draft, form, 1, parts.fence)) cost += count(segment.text)
    const utility = high > low ? Math.max((draft.best.score - low) / (high - low), 0.001) : 1
    add(`passage:${draft.best.id}`, 10, false, utility, [{ cost, utility, effects: [{ type: 'source', draft, form }] }])
  }
  return candidates
}

/** The newest turns up to their share of the budget, and all older ones: two candidates, each with an option a cut. */
function historyCandidates(
  parts: PreparedParts,
  settings: AssemblerSettings,
  budget: number,
  costOf: (turn: Turn) => number,
): readonly Candidate[] {
  const recent: CandidateOption[] = []
  const older: CandidateOption[] = []
  const share = Math.floor(budget * settings.historyShare)
  let [cost, taken] = [0, 0]
  for (let from = parts.history.length - 1; from >= 0; from--) {
    cost += costOf(parts.history[from]!)
    if (from % settings.historyBlock !== 0) continue
    const utility = parts.history.length - from
    const effects = [{ type: 'history', from } as const]
    if (cost <= share) {
      recent.push({ cost, utility, effects })
      taken = cost
    } else older.push({ cost: cost - taken, utility, effects })
  }
  const made: Candidate[] = []
  const ids = parts.history.map((turn) => `history:${turn.first}`)
  const base = { source: false, required: false, ids }
  if (recent.length > 0) made.push({ ...base, key: 'history', priority: 20, options: recent })
  if (older.length > 0) made.push({ ...base, key: 'history older', priority: 5, options: older })
  return made
}

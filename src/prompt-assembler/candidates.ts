import type { AssemblerSettings } from './assembler-settings.ts'
import { type Draft, introSegment, SUMMARY_LEAD, textSegment } from './compose.ts'
import type { Turn } from './group-turns.ts'
import { clusterChoices } from './merge-runs.ts'
import type { PreparedParts } from './prepare-parts.ts'
import { fullForm, type SourceDraft, type SourceForm, sourceCost } from './source-block.ts'
import type { TextMemo } from './text-memo.ts'

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

/** Everything that competes for the budget, with the cost of each of its forms. `fail` must throw. */
export function makeCandidates(
  parts: PreparedParts,
  settings: AssemblerSettings,
  count: (text: string) => number,
  budget: number,
  memo: TextMemo,
  fail: (problem: string) => never,
): readonly Candidate[] {
  const counter = { id: settings.counter.id, kind: settings.counter.kind, count }
  const candidates: Candidate[] = []
  const add = (id: string, priority: number, required: boolean, options: readonly CandidateOption[]) => {
    const own = parts.settingsOf(id)
    candidates.push({
      key: id,
      ids: [id],
      priority: own.priority ?? priority,
      required: own.required ?? required,
      source: false,
      options: options.map((option) => ({ ...option, utility: option.utility * (own.utility ?? 1) })),
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
    for (const [form, cost] of costs.entries())
      if (form > 0 && cost >= costs[form - 1]!)
        fail(
          `rendition ${form} of ${text.id} costs ${cost} tokens, the longer one before it ${costs[form - 1]}; each must be cheaper`,
        )
    const options = costs.map((cost, form) => ({
      cost,
      utility: Math.sqrt(cost / Math.max(costs[0]!, 1)),
      effects: [{ type: 'instruction', id: text.id, form } as const],
    }))
    add(text.id, 40, true, options.reverse())
  }
  for (const tool of parts.tools) {
    const cost = settings.overhead.tools([tool], counter)
    add(`tool:${tool.name}`, 40, true, [{ cost, utility: 1, effects: [{ type: 'tool', name: tool.name }] }])
  }
  for (const turn of parts.examples) {
    const cost = turnCost(turn, 'examples')
    add(`example:${turn.first}`, 30, false, [{ cost, utility: 1, effects: [{ type: 'example', first: turn.first }] }])
  }
  if (parts.summary !== undefined) {
    const segment = textSegment(parts.summary, 'summary', 'summary', parts, undefined, SUMMARY_LEAD)
    const cost = count(segment.text) + settings.overhead.message({ role: 'user', content: segment.text }, counter)
    add('summary', 25, false, [{ cost, utility: 1, effects: [{ type: 'summary' }] }])
  }
  candidates.push(...historyCandidates(parts, settings, budget, (turn) => turnCost(turn, 'history')))
  candidates.push(...sourceCandidates(parts, settings, count, memo))
  return candidates
}

/**
 * The newest turns up to their share of the budget, and all older ones: two candidates, each with an option a cut. Turns that
 * are required, and all after them, are in the least option of the first.
 */
function historyCandidates(
  parts: PreparedParts,
  settings: AssemblerSettings,
  budget: number,
  costOf: (turn: Turn) => number,
): readonly Candidate[] {
  const recent: CandidateOption[] = []
  const older: CandidateOption[] = []
  const share = Math.floor(budget * settings.historyShare)
  const needed = parts.history.findIndex((turn) => parts.settingsOf(`history:${turn.first}`).required === true)
  let [cost, taken] = [0, 0]
  for (let from = parts.history.length - 1; from >= 0; from--) {
    cost += costOf(parts.history[from]!)
    if (from % settings.historyBlock !== 0 || (needed >= 0 && from > needed)) continue
    const utility = parts.history.length - from
    const effects = [{ type: 'history', from } as const]
    if (cost <= share || (needed >= 0 && recent.length === 0)) {
      recent.push({ cost, utility, effects })
      taken = cost
    } else older.push({ cost: cost - taken, utility, effects })
  }
  const made: Candidate[] = []
  const ids = parts.history.map((turn) => `history:${turn.first}`)
  const base = { source: false, ids }
  if (recent.length > 0) made.push({ ...base, key: 'history', priority: 20, required: needed >= 0, options: recent })
  if (older.length > 0)
    made.push({
      ...base,
      key: 'history older',
      priority: 5,
      required: false,
      options: older,
    })
  return made
}

/** Passages in the forms asked for, the ones that overlap in every combination. */
function sourceCandidates(
  parts: PreparedParts,
  settings: AssemblerSettings,
  count: (text: string) => number,
  memo: TextMemo,
): readonly Candidate[] {
  const drafts = parts.clusters.flat()
  let [low, high] = [0, 0]
  for (const { best } of drafts) [low, high] = [Math.min(low, best.score), Math.max(high, best.score)]
  const utilityOf = ({ best }: SourceDraft) => {
    const own = parts.settingsOf(`passage:${best.id}`).utility
    return own ?? (high > low ? Math.max((best.score - low) / (high - low), 0.001) : 1)
  }
  // The longest number there may be: the true one costs no more.
  const costOf = (draft: SourceDraft, form: SourceForm) =>
    sourceCost(draft, form, drafts.length, parts.fence, memo, count)
  const shortable = new Map(
    drafts.map((draft) => {
      const { source, headingPath } = draft.best
      return [draft, { text: draft.text, title: source.title, uri: source.uri, headingPath }] as const
    }),
  )
  const shorteners = settings.shorten.map((shortener) => shortener.prepare(parts.question, [...shortable.values()]))
  const formsOf = (draft: SourceDraft) => [
    { form: fullForm(draft), worth: 1 },
    ...shorteners.flatMap((shorten) => shorten(shortable.get(draft)!)).map((form) => ({ form, worth: form.worth })),
  ]
  return parts.clusters.map((cluster): Candidate => {
    const options: CandidateOption[] = []
    for (const { runs, utility } of cluster.length === 1 ? [] : clusterChoices(cluster, utilityOf)) {
      const effects = runs.map((draft) => ({ type: 'source', draft, form: fullForm(draft) }) as const)
      options.push({ cost: effects.reduce((sum, { draft, form }) => sum + costOf(draft, form), 0), utility, effects })
    }
    for (const draft of cluster) {
      let above = Number.POSITIVE_INFINITY
      for (const { form, worth } of formsOf(draft)) {
        const cost = costOf(draft, form)
        // A form that is not cheaper than the longer one before it is none.
        if (cost >= above) continue
        if (worth < 1 || cluster.length === 1)
          options.push({ cost, utility: utilityOf(draft) * worth, effects: [{ type: 'source', draft, form }] })
        above = cost
      }
    }
    options.sort((a, b) => a.cost - b.cost || b.utility - a.utility)
    const ids = cluster.map(({ best }) => `passage:${best.id}`)
    const own = cluster.map(({ best }) => parts.settingsOf(`passage:${best.id}`))
    const priority = own.reduce((highest, { priority = 10 }) => Math.max(highest, priority), Number.NEGATIVE_INFINITY)
    return { key: ids.toSorted()[0]!, ids, priority, required: own[0]!.required ?? false, source: true, options }
  })
}

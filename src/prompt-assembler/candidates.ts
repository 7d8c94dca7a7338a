import type { AssemblerSettings } from './assembler-settings.ts'
import { type Draft, introSegment, SUMMARY_LEAD, textSegment } from './compose.ts'
import { historyCandidates } from './history-candidates.ts'
import { clusterChoices, untangle } from './merge-runs.ts'
import type { FormedPart, PreparedParts } from './prepare-parts.ts'
import type { Omission, PromptMessage } from './prompt-assembler.ts'
import type { PartContent } from './renditions.ts'
import { fullForm, type ShownSource, type SourceDraft, type SourceForm, sourceCost } from './source-block.ts'

/** What choosing an option changes in the draft. */
export type Effect =
  | { readonly type: 'form'; readonly id: string; readonly form: number }
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

/** A candidate that is not there. */
export const ABSENT: CandidateOption = { cost: 0, utility: 0, effects: [] }

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
  /** Why its parts are left out, where it is not for want of room. */
  readonly reason?: Omission['reason']
  /** Ways that hold more than an option, where the options are not all the ways there are. */
  more?(than: CandidateOption): readonly CandidateOption[]
}

/** The effects that show a source. */
export function sourcesOf(effects: readonly Effect[]): readonly Extract<Effect, { readonly type: 'source' }>[] {
  return effects.flatMap((effect) => (effect.type === 'source' ? [effect] : []))
}

/** The draft that the effects of the chosen options make. */
export function draftOf(effects: Iterable<Effect>, parts: PreparedParts): Draft {
  const forms = new Map<string, number>()
  const sources: ShownSource[] = []
  let historyFrom = parts.history.length
  for (const effect of effects) {
    if (effect.type === 'form') forms.set(effect.id, effect.form)
    else if (effect.type === 'history') historyFrom = Math.min(historyFrom, effect.from)
    else sources.push({ draft: effect.draft, form: effect.form })
  }
  for (const { id } of parts.history.slice(historyFrom)) if (!parts.alone(id)) forms.set(id, 0)
  return { forms, historyFrom, sources: untangle(sources, parts.twins) }
}

/** What the words before the sources and before the question cost once there is a source. */
export function introCost(parts: PreparedParts, settings: AssemblerSettings): number {
  const { count } = settings.counter
  const bare = textSegment(parts.question.forms[0]!, 'question', 'question', settings.memo).text
  const led = parts.instructions.some((text) => text.stability === 'turn')
    ? 0
    : count(`Question:\n${bare}`) - count(bare)
  return count(introSegment(settings).text) + led
}

/**
 * By how many sources there are, what their numbers cost beyond what the costs of the candidates hold, which take the longest
 * for each: at the most 0.
 */
export function numberCosts({ clusters }: PreparedParts, { counter }: AssemblerSettings): readonly number[] {
  const costs = clusters.flat().map((_, index) => counter.count(`<source number="${index + 1}">`))
  let sum = 0
  return [0, ...costs.map((cost) => (sum += cost - costs.at(-1)!))]
}

/** Everything that competes for the budget, with the cost of each of its forms. `fail` must throw. */
export function makeCandidates(
  parts: PreparedParts,
  settings: AssemblerSettings,
  budget: number,
  fail: (problem: string) => never,
): readonly Candidate[] {
  const { counter, memo } = settings
  const { count } = counter
  const candidates: Candidate[] = []
  /** What stands before the history, as long as it can. */
  let stable = 0
  const add = <F extends PartContent>(
    part: FormedPart<F>,
    priority: number,
    required: boolean,
    costOf: (form: F) => number,
  ) => {
    const { id } = part
    const own = parts.settingsOf(id)
    const costs = part.forms.map(costOf)
    if (part.stability !== 'turn') stable += costs[0]!
    settings.renditions?.check(id, costs, fail)
    const options = costs.map((cost, form): CandidateOption => {
      const utility = Math.sqrt((cost + 1) / (costs[0]! + 1)) * (own.utility ?? 1)
      return { cost, utility, effects: [{ type: 'form', id, form }] }
    })
    candidates.push({
      key: id,
      ids: [id],
      priority: own.priority ?? priority,
      required: own.required ?? required,
      source: false,
      options: options.reverse(),
    })
  }
  const turnCost = (messages: readonly PromptMessage[]) => {
    let tokens = 0
    for (const message of messages) {
      tokens +=
        settings.overhead.message(message, counter) + count(textSegment(message.content, 'history', '', memo).text)
      if (message.role === 'user') for (const image of message.images ?? []) tokens += image.tokens
    }
    return tokens
  }

  for (const text of parts.instructions) add(text, 40, true, (form) => count(`${form.trim()}\n\n`))
  for (const tool of parts.tools) add(tool, 40, true, (form) => settings.overhead.tools([form], counter))
  for (const turn of parts.examples) add(turn, 30, false, turnCost)
  if (parts.summary !== undefined)
    add(parts.summary, 25, false, (form) => {
      const content = textSegment(form, 'summary', 'summary', memo, {}, SUMMARY_LEAD).text
      return count(content) + settings.overhead.message({ role: 'user', content }, counter)
    })
  candidates.push(...historyCandidates(parts, settings.historyShare * budget, stable, turnCost, settings.cache))
  for (const turn of parts.history) if (parts.alone(turn.id)) add(turn, 20, false, turnCost)
  add({ ...parts.question, stability: 'turn' }, 40, true, (form) =>
    count(textSegment(form, 'question', 'question', settings.memo).text),
  )
  candidates.push(...sourceCandidates(parts, settings))
  return candidates
}

/** Passages in the forms asked for, the ones that overlap in every combination. */
function sourceCandidates(parts: PreparedParts, settings: AssemblerSettings): readonly Candidate[] {
  const drafts = parts.clusters.flat()
  let [low, high] = [0, 0]
  for (const { best } of drafts) [low, high] = [Math.min(low, best.score), Math.max(high, best.score)]
  const utilityOf = ({ best }: SourceDraft) => {
    const own = parts.settingsOf(`passage:${best.id}`).utility
    return own ?? (high > low ? Math.max((best.score - low) / (high - low), 0.001) : 1)
  }
  // The longest number there may be: the true one costs no more.
  const costOf = (draft: SourceDraft, form: SourceForm) =>
    sourceCost(draft, form, drafts.length, parts.fence, settings.memo, settings.counter.count)
  const shortable = new Map(
    drafts.map((draft) => [draft, { ...draft.best.source, text: draft.text, headingPath: draft.best.headingPath }]),
  )
  const shorteners = settings.shorten.map((shortener) =>
    shortener.prepare(parts.question.forms[0]!, [...shortable.values()]),
  )
  /** Joined passages have one form. */
  const formsOf = (draft: SourceDraft): readonly (SourceForm & { readonly worth?: number })[] => {
    const text = shortable.get(draft)
    return [fullForm(draft), ...(text ? shorteners.flatMap((shorten) => shorten(text)) : [])]
  }
  return parts.clusters.map((cluster): Candidate => {
    const options = clusterChoices(cluster, utilityOf).flatMap(({ runs, utility }) => {
      let ways: readonly CandidateOption[] = [{ ...ABSENT, utility }]
      for (const draft of runs) {
        const ladder: CandidateOption[] = []
        // A form that is not cheaper than the longer one before it is none.
        for (const form of formsOf(draft)) {
          const cost = costOf(draft, form)
          if (ladder.length === 0 || cost < ladder.at(-1)!.cost)
            ladder.push({
              cost,
              utility: ((form.worth ?? 1) - 1) * utilityOf(draft),
              effects: [{ type: 'source', draft, form }],
            })
        }
        ways = combined(ways, ladder)
      }
      return ways
    })
    options.sort((a, b) => a.cost - b.cost || b.utility - a.utility)
    const ids = cluster.map(({ best }) => `passage:${best.id}`)
    const own = ids.map((id) => parts.settingsOf(id))
    const priority = Math.max(...own.map(({ priority = 10 }) => priority))
    return { key: ids.toSorted()[0]!, ids, priority, required: own[0]!.required ?? false, source: true, options }
  })
}

/** An option of each of two things, in every way. */
export function combined(
  some: readonly CandidateOption[],
  others: readonly CandidateOption[],
): readonly CandidateOption[] {
  return some.flatMap((one) =>
    others.map((other) => ({
      cost: one.cost + other.cost,
      utility: one.utility + other.utility,
      effects: [...one.effects, ...other.effects],
    })),
  )
}

import type { Metadata } from '../document.ts'
import { GroundlineError } from '../errors.ts'
import { requireInteger } from '../internal/argument.ts'
import {
  type AssemblerSettings,
  assemblerSettings,
  emptyLedger,
  type PromptAssemblerOptions,
  weakest,
} from './assembler-settings.ts'
import { planCache } from './cache-plan.ts'
import { type Candidate, draftOf, introCost, makeCandidates } from './candidates.ts'
import { type Composition, compose } from './compose.ts'
import { countCache } from './count-cache.ts'
import { type PreparedParts, prepareParts } from './prepare-parts.ts'
import type { Ledger, Omission, Prompt, PromptAssembler, PromptParts } from './prompt-assembler.ts'
import { requiredSelection, type Selection, select, wholeRecent } from './select.ts'
import type { SourceDraft } from './source-block.ts'
import { type TextMemo, textMemo } from './text-memo.ts'

/**
 * Puts prompts together within a token budget: the context window less what is kept free. Required parts first, then bands
 * by priority; within a band the parts of the greatest utility that fit. Segments are counted once and remembered; the
 * finished payload is counted once more, and its total, not the sum, is what never exceeds the budget.
 *
 * @example
 * ```ts
 * const assembler = promptAssembler({ counter, contextWindow: 128_000, outputReserve: 4_000 })
 * const prompt = assembler.assemble({ instructions: 'Be brief.', passages, question: 'How do I rotate keys?' })
 * console.log(prompt.ledger.total, prompt.sources.length, prompt.omitted)
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function promptAssembler(options: PromptAssemblerOptions): PromptAssembler {
  const settings = assemblerSettings(options)
  const count = countCache(settings.counter)
  const memo = textMemo()
  return {
    assemble<M extends Metadata>(
      parts: PromptParts<M>,
      { budget = settings.budget }: { readonly budget?: number } = {},
    ): Prompt {
      requireInteger('budget', budget, 1)
      const estimated = settings.counter.kind === 'estimate' || settings.overhead.kind === 'estimate'
      const limit = estimated ? budget : Math.min(budget, settings.budget)
      const fail = (problem: string): never => {
        throw new GroundlineError('INVALID_ARGUMENT', problem, { details: { ledger: emptyLedger(settings, limit) } })
      }
      return assemble(prepareParts(parts, settings, memo, fail), settings, count, memo, limit, fail)
    },
  }
}

function assemble(
  parts: PreparedParts,
  settings: AssemblerSettings,
  count: (text: string) => number,
  memo: TextMemo,
  budget: number,
  fail: (problem: string) => never,
): Prompt {
  const guarantee = weakest(
    settings.counter.kind,
    parts.tools.length > 0 ? (settings.overhead.toolsKind ?? settings.overhead.kind) : settings.overhead.kind,
  )
  if (settings.guarantee && guarantee === 'estimate')
    fail(`${settings.overhead.id} only estimates tools; leave them or the guarantee out`)
  const made = makeCandidates(parts, settings, count, budget, memo, fail)
  const { candidates, omitted } = settings.bind?.bind(made, parts.settingsOf, parts.omitted, fail) ?? {
    candidates: made,
    omitted: [],
  }
  const composed = (selection: Selection) =>
    compose(draftOf(effectsOf(candidates, selection), parts), parts, settings, count, memo)
  const base = requiredSelection(candidates)
  const least = composed(base)
  if (payload(least, count) > budget)
    throw new GroundlineError(
      'BUDGET_EXCEEDED',
      `the required parts need ${payload(least, count)} tokens, the budget is ${budget}. Raise it or require less`,
      { details: { ledger: ledgerOf(least, settings, budget, payload(least, count)) } },
    )
  const intro = introCost(parts, settings, count)
  let selection: Selection = select(candidates, base, budget - least.total, intro)
  let composition = composed(selection)
  let total = payload(composition, count)
  while (total > budget) {
    selection = withoutLeast(candidates, selection, base)
    composition = composed(selection)
    total = payload(composition, count)
  }
  // Where the whole costs less than its parts were thought to, what was left out may fit after all.
  for (const more of refills(
    candidates,
    () => selection,
    () => budget - total,
    intro,
  )) {
    const tried = composed(more)
    const needed = payload(tried, count)
    if (needed <= budget) [selection, composition, total] = [more, tried, needed]
  }
  const { messages, messageTokens, tools, sources, pieces, sourcesSpan } = composition
  return {
    messages,
    messageTokens,
    tools,
    sources,
    ...(sourcesSpan === undefined ? {} : { sourcesSpan }),
    fence: parts.fence,
    ledger: ledgerOf(composition, settings, budget, total),
    guarantee,
    pieces,
    omitted: [...parts.omitted, ...omitted, ...leftOut(candidates, selection, parts)],
    warnings: parts.warnings,
    cachePlan: planCache(composition, settings.cacheMinimum),
  }
}

/** The whole payload counted once: each message's content as one text. */
function payload(composition: Composition, count: (text: string) => number): number {
  let tokens =
    (composition.spent.get('overhead') ?? 0) +
    (composition.spent.get('tools') ?? 0) +
    (composition.spent.get('images') ?? 0)
  for (const message of composition.messages) tokens += count(message.content)
  return tokens
}

function effectsOf(candidates: readonly Candidate[], selection: Selection) {
  return candidates.flatMap((candidate) => {
    const option = selection.get(candidate.key)
    return option === undefined ? [] : candidate.options[option]!.effects
  })
}

/** Selections with one better option each, for which there seems to be room, by priority. */
function* refills(
  candidates: readonly Candidate[],
  current: () => Selection,
  room: () => number,
  intro: number,
): Generator<Selection> {
  const ranked = [...candidates].sort((a, b) => b.priority - a.priority || (a.key < b.key ? -1 : 1))
  for (const { key, options, source } of ranked) {
    const chosen = current().get(key)
    const now = chosen === undefined ? { cost: 0, utility: 0 } : options[chosen]!
    const first = source && !candidates.some((other) => other.source && current().has(other.key))
    for (let option = options.length - 1; option >= 0; option--) {
      const { cost, utility } = options[option]!
      if (utility <= now.utility || cost - now.cost + (first ? intro : 0) > room()) continue
      if (key === 'history older' && !wholeRecent(candidates, current())) continue
      const before = current()
      yield new Map(before).set(key, option)
      if (current() !== before) break
    }
  }
}

/** Without the part of the lowest band that is worth least a token. */
function withoutLeast(candidates: readonly Candidate[], selection: Selection, base: Selection): Map<string, number> {
  let least: { key: string; priority: number; efficiency: number } | undefined
  for (const { key, priority, options } of candidates) {
    const option = selection.get(key)
    if (option === undefined || base.get(key) === option) continue
    const efficiency = options[option]!.utility / Math.max(options[option]!.cost, 1)
    if (
      least === undefined ||
      priority < least.priority ||
      (priority === least.priority && efficiency <= least.efficiency)
    )
      least = { key, priority, efficiency }
  }
  const next = new Map(selection)
  if (least !== undefined) {
    next.delete(least.key)
    const required = base.get(least.key)
    if (required !== undefined) next.set(least.key, required)
  }
  return next
}

/** What was not chosen, in the order of the parts; passages whose text stands in a source shown are overlaps. */
function leftOut(candidates: readonly Candidate[], selection: Selection, parts: PreparedParts): readonly Omission[] {
  const draft = draftOf(effectsOf(candidates, selection), parts)
  const shown = new Set(draft.sources.flatMap((source) => source.draft.chunkIds.map((id) => `passage:${id}`)))
  for (const { id } of parts.instructions) if (draft.instructions.has(id)) shown.add(id)
  for (const name of draft.tools) shown.add(`tool:${name}`)
  for (const first of draft.examples) shown.add(`example:${first}`)
  for (const turn of parts.history.slice(draft.historyFrom)) shown.add(`history:${turn.first}`)
  if (draft.summary) shown.add('summary')
  const drafts = new Map(parts.clusters.flat().map((source) => [`passage:${source.best.id}`, source]))
  const documentOf = ({ best }: SourceDraft) => `${best.documentVersion} ${best.documentId}`
  const byDocument = new Map<string, SourceDraft[]>()
  for (const { draft: source } of draft.sources) {
    const key = documentOf(source)
    byDocument.set(key, [...(byDocument.get(key) ?? []), source])
  }
  const omitted = new Map<string, Omission>()
  for (const { ids, options } of candidates)
    for (const id of ids) {
      if (shown.has(id)) continue
      const own = drafts.get(id)
      const near = own && byDocument.get(documentOf(own))
      const over = near?.find((other) => other.start <= own!.start && other.end >= own!.end)
      if (over !== undefined) omitted.set(id, { id, reason: 'overlap', instead: `passage:${over.best.id}` })
      else
        omitted.set(id, {
          id,
          reason: 'budget',
          ...(ids.length === 1 && options[0] ? { tokens: options[0].cost } : {}),
        })
    }
  return [...omitted.values()]
}

function ledgerOf(composition: Composition, settings: AssemblerSettings, budget: number, total: number): Ledger {
  const entries = [...composition.spent].map(([part, tokens]) => ({ part, tokens }))
  if (total !== composition.total) entries.push({ part: 'joins', tokens: total - composition.total })
  return { ...emptyLedger(settings, budget), total, entries }
}

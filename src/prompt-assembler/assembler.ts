import type { Metadata } from '../document.ts'
import { GroundlineError } from '../errors.ts'
import { describe } from '../internal/argument.ts'
import {
  type AssemblerSettings,
  assemblerSettings,
  emptyLedger,
  failWith,
  type PromptAssemblerOptions,
  weakest,
} from './assembler-settings.ts'
import { planCache } from './cache-plan.ts'
import { type Candidate, draftOf, introCost, makeCandidates } from './candidates.ts'
import { type Composition, compose, type Draft } from './compose.ts'
import { countCache } from './count-cache.ts'
import { escapeText } from './escape-text.ts'
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
  const memo = textMemo(settings.invisible?.escape ?? escapeText)
  return {
    assemble<M extends Metadata>(
      parts: PromptParts<M>,
      { budget = settings.budget }: { readonly budget?: number } = {},
    ): Prompt {
      const estimated = settings.counter.kind === 'estimate' || settings.overhead.kind === 'estimate'
      const limit = estimated ? budget : Math.min(budget, settings.budget)
      const fail = failWith(emptyLedger(settings, limit))
      if (!Number.isInteger(budget) || budget < 1)
        fail(`budget must be an integer of at least 1, got ${describe(budget)}`)
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
    parts.toolsUsed ? (settings.overhead.toolsKind ?? settings.overhead.kind) : settings.overhead.kind,
  )
  if (settings.guarantee && guarantee === 'estimate')
    fail(
      `${settings.overhead.id} only estimates tools and their calls: pass overhead: openaiChatOverhead(), or leave out the guarantee`,
    )
  const made = makeCandidates(parts, settings, count, budget, memo, fail)
  const { candidates, omitted } = settings.bind?.bind(made, parts.settingsOf, parts.omitted, fail) ?? {
    candidates: made,
    omitted: [],
  }
  const composed = (selection: Selection) =>
    compose(draftOf(effectsOf(candidates, selection), parts), parts, settings, count, memo)
  const base = requiredSelection(candidates)
  const least = composed(base)
  if (payload(least, settings, count) > budget)
    throw new GroundlineError(
      'BUDGET_EXCEEDED',
      `the required parts need ${payload(least, settings, count)} tokens, the budget is ${budget}. Raise it or require less`,
      { details: { ledger: ledgerOf(least, settings, budget, payload(least, settings, count)) } },
    )
  const intro = introCost(parts, settings, count)
  let selection: Selection = select(candidates, base, budget - least.total, intro)
  let composition = composed(selection)
  let total = payload(composition, settings, count)
  while (total > budget) {
    selection = withoutLeast(candidates, selection, base)
    composition = composed(selection)
    total = payload(composition, settings, count)
  }
  // Where the whole costs less than its parts were thought to, what was left out may fit after all.
  for (const { key, options, source } of candidates.toSorted(
    (a, b) => b.priority - a.priority || (a.key < b.key ? -1 : 1),
  )) {
    if (key === 'history older' && !wholeRecent(candidates, selection)) continue
    const now = options[selection.get(key) ?? -1] ?? { cost: 0, utility: 0 }
    const first = source && composition.sources.length === 0 ? intro : 0
    for (let option = options.length - 1; option >= 0; option--) {
      const { cost, utility } = options[option]!
      if (utility <= now.utility || cost - now.cost + first > budget - total) continue
      const more = new Map(selection).set(key, option)
      const tried = composed(more)
      const needed = payload(tried, settings, count)
      if (needed > budget) continue
      ;[selection, composition, total] = [more, tried, needed]
      break
    }
  }
  const draft = draftOf(effectsOf(candidates, selection), parts)
  const { messages, messageTokens, tools, sources, pieces, sourcesSpan } = composition
  return {
    messages,
    messageTokens,
    tools,
    sources,
    ...(sourcesSpan && { sourcesSpan }),
    fence: parts.fence,
    ledger: ledgerOf(composition, settings, budget, total),
    guarantee,
    pieces,
    omitted: [...parts.omitted, ...omitted, ...leftOut(candidates, draft, parts)],
    historyFrom: parts.history[draft.historyFrom]?.first ?? parts.historyLength,
    warnings: parts.warnings,
    cachePlan: planCache(composition, settings.cacheMinimum),
  }
}

/**
 * The finished payload counted once: each message's content as one text, or, for counters that add up at line ends, by the
 * counts of its segments where all of them meet at line ends.
 */
function payload(composition: Composition, settings: AssemblerSettings, count: (text: string) => number): number {
  if (composition.additive && settings.counter.additiveAtLines) return composition.total
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

/** Without the part of the lowest band that is worth least a token. */
function withoutLeast(candidates: readonly Candidate[], selection: Selection, base: Selection): Selection {
  const next = new Map(selection)
  const efficiency = ({ key, options }: Candidate) => {
    const { utility, cost } = options[selection.get(key)!]!
    return utility / Math.max(cost, 1)
  }
  const [least] = candidates
    .filter(({ key }) => selection.has(key) && base.get(key) !== selection.get(key))
    .sort((a, b) => a.priority - b.priority || efficiency(a) - efficiency(b))
  if (least === undefined) return next
  next.delete(least.key)
  if (base.has(least.key)) next.set(least.key, 0)
  return next
}

/** What was not chosen, in the order of the parts; passages whose text stands in a source shown are overlaps. */
function leftOut(candidates: readonly Candidate[], draft: Draft, parts: PreparedParts): readonly Omission[] {
  const shown = new Set(draft.sources.flatMap((source) => source.draft.chunkIds.map((id) => `passage:${id}`)))
  for (const id of draft.forms.keys()) shown.add(id)
  const overlapping = new Map<string, SourceDraft>()
  for (const cluster of parts.clusters)
    if (cluster.length > 1) for (const source of cluster) overlapping.set(`passage:${source.best.id}`, source)
  const omitted = new Map<string, Omission>()
  for (const { ids, options, reason = 'budget' } of candidates)
    for (const id of ids) {
      if (shown.has(id)) continue
      const own = overlapping.get(id)
      const over =
        own &&
        draft.sources.find(
          ({ draft: { best, start, end } }) =>
            best.documentId === own.best.documentId &&
            best.documentVersion === own.best.documentVersion &&
            start <= own.start &&
            end >= own.end,
        )
      if (over) omitted.set(id, { id, reason: 'overlap', instead: `passage:${over.draft.best.id}` })
      else
        omitted.set(id, {
          id,
          reason,
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

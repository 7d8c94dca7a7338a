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
import { requiredSelection, type Selection, select } from './select.ts'

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
  return {
    assemble<M extends Metadata>(
      parts: PromptParts<M>,
      { budget = settings.budget }: { readonly budget?: number } = {},
    ): Prompt {
      requireInteger('budget', budget, 1)
      const estimated = settings.counter.kind === 'estimate' || settings.overhead.kind === 'estimate'
      const limit = estimated ? budget : Math.min(budget, settings.budget)
      return assemble(prepareParts(parts, settings), settings, count, limit)
    },
  }
}

function assemble(
  parts: PreparedParts,
  settings: AssemblerSettings,
  count: (text: string) => number,
  budget: number,
): Prompt {
  const guarantee = weakest(
    settings.counter.kind,
    parts.tools.length > 0 ? (settings.overhead.toolsKind ?? settings.overhead.kind) : settings.overhead.kind,
  )
  if (settings.guarantee && guarantee === 'estimate')
    throw new GroundlineError(
      'INVALID_ARGUMENT',
      `${settings.overhead.id} only estimates the tokens of tools; leave them out or set guarantee to false`,
      {
        details: { ledger: emptyLedger(settings, budget) },
      },
    )
  const candidates = makeCandidates(parts, settings, count, budget)
  const composed = (selection: Selection) =>
    compose(draftOf(effectsOf(candidates, selection), parts), parts, settings, count)
  const base = requiredSelection(candidates)
  const least = composed(base)
  if (payload(least, count) > budget)
    throw new GroundlineError(
      'BUDGET_EXCEEDED',
      `instructions, tools, question and what else is required need ${payload(least, count)} tokens, the budget is ${budget}. Raise the budget or require less`,
      { details: { ledger: ledgerOf(least, settings, budget, payload(least, count)) } },
    )
  let selection = select(candidates, base, budget - least.total, introCost(parts, settings, count))
  let composition = composed(selection)
  let total = payload(composition, count)
  while (total > budget) {
    selection = withoutLeast(candidates, selection, base)
    composition = composed(selection)
    total = payload(composition, count)
  }
  const { messages, tools, sources, pieces, sourcesSpan } = composition
  return {
    messages,
    tools,
    sources,
    ...(sourcesSpan === undefined ? {} : { sourcesSpan }),
    fence: parts.fence,
    ledger: ledgerOf(composition, settings, budget, total),
    guarantee,
    pieces,
    omitted: [...parts.omitted, ...leftOut(candidates, selection, parts)],
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

function leftOut(candidates: readonly Candidate[], selection: Selection, parts: PreparedParts): readonly Omission[] {
  const omitted: Omission[] = []
  const shown = draftOf(effectsOf(candidates, selection), parts).historyFrom
  for (const turn of parts.history.slice(0, shown)) omitted.push({ id: `history:${turn.first}`, reason: 'budget' })
  for (const { key, options } of candidates)
    if (!selection.has(key) && !key.startsWith('history'))
      omitted.push({ id: key, reason: 'budget', tokens: options[0]!.cost })
  return omitted
}

function ledgerOf(composition: Composition, settings: AssemblerSettings, budget: number, total: number): Ledger {
  const entries = [...composition.spent].map(([part, tokens]) => ({ part, tokens }))
  if (total !== composition.total) entries.push({ part: 'joins', tokens: total - composition.total })
  return { ...emptyLedger(settings, budget), total, entries }
}

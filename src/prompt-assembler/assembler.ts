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
import { type Candidate, draftOf, introCost, makeCandidates, numberCosts } from './candidates.ts'
import { type Composition, compose, type Draft } from './compose.ts'
import { type PreparedParts, prepareParts } from './prepare-parts.ts'
import type { Ledger, Omission, Prompt, PromptAssembler, PromptParts } from './prompt-assembler.ts'
import { type Layout, refill } from './refill.ts'
import { apartFrom, requiredSelection, type Selection, select } from './select.ts'

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
      return assemble(prepareParts(parts, settings, fail), settings, limit, fail)
    },
  }
}

function assemble(
  parts: PreparedParts,
  settings: AssemblerSettings,
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
  const made = makeCandidates(parts, settings, budget, fail)
  const { candidates, omitted } = settings.bind?.bind(made, parts.settingsOf, parts.omitted, parts.twins, fail) ?? {
    candidates: made,
    omitted: [],
  }
  const drafted = (selection: Selection) =>
    draftOf(
      [...selection.values()].flatMap(({ effects }) => effects),
      parts,
    )
  const layOut = (selection: Selection, draft = drafted(selection)): Layout => {
    const composition = compose(draft, parts, settings)
    return { selection, draft, composition, total: payload(composition, settings) }
  }
  const base = requiredSelection(candidates)
  const least = layOut(base)
  if (least.total > budget)
    throw new GroundlineError(
      'BUDGET_EXCEEDED',
      `the required parts need ${least.total} tokens, the budget is ${budget}. Raise it or require less`,
      { details: { ledger: ledgerOf(least, settings, budget) } },
    )
  const intro = introCost(parts, settings)
  const distinct = apartFrom(candidates, (id) => parts.twins.has(id))
  let room = budget - least.composition.total
  const choose = (from: readonly Candidate[]) => select(from, base, room, intro)
  const chosen = () => layOut(settings.caps?.choose(distinct, base, choose, fail) ?? choose(distinct))
  let layout = chosen()
  // Where the whole costs more than its parts were thought to, less is chosen; in the end, what is required.
  for (; layout.total > budget; layout = chosen()) room -= layout.total - budget
  layout = refill(layout, candidates, settings, budget, numberCosts(parts, settings), drafted, layOut)
  const { draft, composition } = layout
  const { messages, messageTokens, tools, sources, pieces, sourcesSpan } = composition
  return {
    messages,
    messageTokens,
    tools,
    sources,
    ...(sourcesSpan && { sourcesSpan }),
    fence: parts.fence,
    ledger: ledgerOf(layout, settings, budget),
    guarantee,
    pieces,
    omitted: [...parts.omitted, ...omitted, ...leftOut(candidates, draft, parts, settings)],
    historyFrom: parts.history[draft.historyFrom]?.first ?? parts.historyLength,
    warnings: [settings.cache, settings.invisible].flatMap((watch) => watch?.warn(parts) ?? []),
    cachePlan: settings.cache?.plan(composition) ?? { breakpoints: [], stableTokens: 0 },
  }
}

/**
 * The finished payload counted once: each message's content as one text, or, for counters that add up at line ends, by the
 * counts of its segments where all of them meet at line ends.
 */
function payload(composition: Composition, { counter }: AssemblerSettings): number {
  if (composition.additive && counter.additiveAtLines) return composition.total
  let tokens = 0
  for (const part of ['overhead', 'tools', 'images'] as const) tokens += composition.spent.get(part) ?? 0
  for (const message of composition.messages) tokens += counter.count(message.content)
  return tokens
}

/** What was not chosen, in the order of the parts, and why, by what is shown. */
function leftOut(
  candidates: readonly Candidate[],
  draft: Draft,
  parts: PreparedParts,
  settings: AssemblerSettings,
): readonly Omission[] {
  const { sources } = draft
  const shown = new Set(draft.forms.keys())
  const texts = new Map<string, string>()
  for (const source of sources)
    for (const chunk of source.draft.chunkIds) {
      const id = `passage:${chunk}`
      shown.add(id)
      texts.set(parts.twins.get(id) ?? id, id)
    }
  const passages = new Map(parts.clusters.flat().map((passage) => [`passage:${passage.best.id}`, passage]))
  return candidates.flatMap(({ ids, options, reason }) =>
    ids.flatMap((id): Omission | [] => {
      if (shown.has(id)) return []
      shown.add(id)
      const twin = texts.get(parts.twins.get(id) ?? id)
      if (twin !== undefined) return { id, reason: 'duplicate', instead: twin }
      const passage = passages.get(id)
      const over =
        passage &&
        sources.find(
          ({ draft: { document, start, end }, form }) =>
            form.form === 'full' && document === passage.document && start <= passage.start && end >= passage.end,
        )
      if (over) return { id, reason: 'overlap', instead: `passage:${over.draft.best.id}` }
      const tokens = ids.length === 1 ? options[0]?.cost : undefined
      const why = reason ?? (settings.caps?.bar(id, options, sources) ? 'limit' : 'budget')
      return { id, reason: why, ...(tokens !== undefined && { tokens }) }
    }),
  )
}

function ledgerOf({ composition, total }: Layout, settings: AssemblerSettings, budget: number): Ledger {
  const entries = [...composition.spent].map(([part, tokens]) => ({ part, tokens }))
  if (total !== composition.total) entries.push({ part: 'joins', tokens: total - composition.total })
  return { ...emptyLedger(settings, budget), total, entries }
}

import type { AbortOptions, Metadata } from '../document.ts'
import { GroundlineError } from '../errors.ts'
import { describe, requireInteger } from '../internal/argument.ts'
import type { RemoteTokenCounter } from '../tokenizer/tokenizer.ts'
import type { Ledger, Prompt, PromptAssembler, PromptParts } from './prompt-assembler.ts'

/** Asks a provider what it counts for a whole prompt, tools and message overhead included. */
export interface RemotePromptCounter {
  /** Names the model that counts. */
  readonly id: string
  /** Always `remote-prompt`. */
  readonly kind: 'remote-prompt'
  /** Tokens of a prompt. */
  countPrompt(prompt: Prompt, options?: AbortOptions): Promise<number>
}

/** Options of {@link fitPrompt}. */
export interface FitOptions extends AbortOptions {
  /** Requests at the most. Default 3. */
  readonly rounds?: number
}

/**
 * Assembles with the local counter, has the provider count, and tightens or loosens the local budget by the ratio of the
 * two until the provider's count fits: at most three rounds. Of the prompts that fit, the fullest is returned, with the
 * provider's count as its total. The budget is the window less the reserves; a margin for a local estimate is not needed
 * here. A counter of texts is asked once a message; what the local overhead says is added.
 *
 * Throws `BUDGET_EXCEEDED` with the ledger when no round fits, `INVALID_ARGUMENT` for fewer than one round or a count that is none.
 *
 * @example
 * ```ts
 * const prompt = await fitPrompt(assembler, parts, anthropicPromptCounter({ client, model }), { signal })
 * ```
 */
export async function fitPrompt<M extends Metadata>(
  assembler: PromptAssembler,
  parts: PromptParts<M>,
  counter: RemoteTokenCounter | RemotePromptCounter,
  options: FitOptions = {},
): Promise<Prompt> {
  const { signal, rounds = 3 } = options
  requireInteger('rounds', rounds, 1)
  let local: number | undefined
  let best: Prompt | undefined
  let over: Ledger | undefined
  for (let round = 0; round < rounds; round++) {
    signal?.throwIfAborted()
    let prompt: Prompt
    try {
      prompt = assembler.assemble(parts, local === undefined ? {} : { budget: local })
    } catch (error) {
      if (over === undefined) throw error
      break
    }
    const counted = await countRemotely(prompt, counter, options)
    const { contextWindow, outputReserve, reasoningReserve, total } = prompt.ledger
    const budget = contextWindow - outputReserve - reasoningReserve
    const entries =
      counted === total
        ? prompt.ledger.entries
        : [...prompt.ledger.entries, { part: 'joins' as const, tokens: counted - total }]
    const ledger = { ...prompt.ledger, margin: 0, budget, total: counted, entries }
    const fits = counted <= budget
    if (fits && (best === undefined || counted > best.ledger.total)) best = { ...prompt, ledger, guarantee: 'exact' }
    if (!fits) over = ledger
    const left = prompt.omitted.some((omission) => omission.reason === 'budget')
    if (fits && (!left || counted >= budget * 0.97)) break
    const next = Math.floor((budget * total) / Math.max(counted, 1)) - (fits ? 0 : 1)
    if (next < 1 || next === local || (fits && next <= prompt.ledger.budget)) break
    local = next
  }
  if (best !== undefined) return best
  throw new GroundlineError(
    'BUDGET_EXCEEDED',
    `${counter.id} counts ${over?.total} tokens, the budget is ${over?.budget}, and ${rounds} rounds did not get below it. Lower the assembler's budget or require less`,
    { details: { ledger: over } },
  )
}

async function countRemotely(
  prompt: Prompt,
  counter: RemoteTokenCounter | RemotePromptCounter,
  options: AbortOptions,
): Promise<number> {
  let tokens = 0
  if (counter.kind === 'remote-prompt') tokens = await counter.countPrompt(prompt, options)
  else {
    for (const message of prompt.messages) {
      options.signal?.throwIfAborted()
      tokens += await counter.count(message.content, options)
    }
    for (const { part, tokens: spent } of prompt.ledger.entries)
      if (part === 'overhead' || part === 'tools' || part === 'images') tokens += spent
  }
  if (Number.isInteger(tokens) && tokens >= 0) return tokens
  throw new GroundlineError(
    'INVALID_ARGUMENT',
    `counter ${counter.id} returned ${describe(tokens)}; expected an integer of at least 0`,
    {
      details: { counter: counter.id, ledger: prompt.ledger },
    },
  )
}

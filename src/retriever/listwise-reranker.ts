import type { Metadata, Passage } from '../document.ts'
import { GroundlineError } from '../errors.ts'
import { describe, requireFunction, requireInteger, requireObject, requireString } from '../internal/argument.ts'
import type { LanguageModel } from '../language-model/language-model.ts'
import type { Prompt } from '../prompt-assembler/prompt-assembler.ts'
import { listwisePrompt } from './listwise-prompt.ts'
import type { Reranker } from './retriever.ts'

/** Options of {@link listwiseReranker}. */
export interface ListwiseRerankerOptions {
  /** Any language model. */
  readonly model: LanguageModel
  /** How many passages the model sees; the rest stay behind them as they are. Default 20. */
  readonly window?: number
  /** Units of each passage that the model sees. Default 1,000. */
  readonly passageUnits?: number
  /** After how many milliseconds the order given stands. Default 20,000. */
  readonly timeoutMs?: number
  /** The most tokens of the answer, reasoning included. Default: the model's own limit. */
  readonly maxOutputTokens?: number
  /** Told why the order given stood: what the model threw, or the timeout. Default: nobody is. */
  readonly onFallback?: (reason: unknown) => void
}

/**
 * Lets a language model order passages: it sees them under numbers and answers with a permutation such as `[3] > [1]`
 * (Sun and others, "Is ChatGPT good at search?", 2023). Numbers that are missing, repeated or unknown are repaired: what
 * the model did not name keeps its order behind what it named. When the model fails, refuses, is late or names no passage,
 * the order given stands: `onFallback` hears why, and the stage says so by its weight of 0, which is 1 otherwise. Scores
 * fall evenly with the rank, from 1.
 *
 * @example
 * const reranker = listwiseReranker({ model: openaiModel({ apiKey, model: 'gpt-5-mini' }) })
 */
// @__NO_SIDE_EFFECTS__
export function listwiseReranker(options: ListwiseRerankerOptions): Reranker {
  requireObject('options', options)
  const { model, window = 20, passageUnits = 1_000, timeoutMs = 20_000, maxOutputTokens, onFallback } = options
  requireObject('model', model, 'a language model', ['stream'])
  requireInteger('window', window, 2, 100)
  requireInteger('passageUnits', passageUnits, 50, 100_000)
  requireInteger('timeoutMs', timeoutMs, 1, 2 ** 31 - 1)
  if (maxOutputTokens !== undefined) requireInteger('maxOutputTokens', maxOutputTokens, 1)
  if (onFallback !== undefined) requireFunction('onFallback', onFallback, 'a function that is told the reason')
  return {
    async rerank(query, passages, { topK, signal } = {}) {
      signal?.throwIfAborted()
      requireString('query', query)
      if (topK !== undefined) requireInteger('topK', topK, 1)
      const shown = passages.slice(0, window)
      const order = shown.length < 2 ? undefined : await orderOf(query, shown, signal)
      const ranked = order === undefined ? passages : [...order.map((at) => shown[at]!), ...passages.slice(window)]
      return withRanks(ranked, order === undefined ? 0 : 1).slice(0, topK)
    },
  }

  /** The model's order, or undefined where the order given stands. */
  async function orderOf(
    query: string,
    shown: readonly Passage[],
    signal: AbortSignal | undefined,
  ): Promise<readonly number[] | undefined> {
    const late = AbortSignal.timeout(timeoutMs)
    const stop = signal === undefined ? late : AbortSignal.any([signal, late])
    const stopped = new Promise<never>((_, reject) => {
      stop.addEventListener('abort', () => reject(stop.reason), { once: true })
    })
    try {
      const answer = await Promise.race([answerOf(listwisePrompt(query, shown, passageUnits), stop), stopped])
      return permutationOf(answer, shown.length)
    } catch (error) {
      signal?.throwIfAborted()
      onFallback?.(error)
      return undefined
    }
  }

  async function answerOf(prompt: Prompt, signal: AbortSignal): Promise<string> {
    let text = ''
    for await (const event of model.stream(prompt, { signal, ...(maxOutputTokens && { maxOutputTokens }) })) {
      if (event.type === 'text') text += event.text
      if (event.type !== 'finish') continue
      if (event.reason !== 'refusal') return text
      throw new GroundlineError('INVALID_RESPONSE', `${model.id} refused to order the passages`)
    }
    throw new GroundlineError('INVALID_RESPONSE', `${model.id} ended its answer without a finish event`)
  }
}

const CHAIN = /\[?\d{1,6}\]?(?:\s*>\s*\[?\d{1,6}\]?)+/g

/**
 * Positions named in the answer, each once, then the others in their order. The last chain `[3] > [1]` counts where there is
 * one, else numbers in brackets, else all numbers; what stands between `<think>` and `</think>` does not.
 */
function permutationOf(answer: string, count: number): readonly number[] {
  const said = answer.slice(answer.lastIndexOf('</think>') + 1)
  const chain = said.match(CHAIN)?.at(-1)
  const bracketed = Array.from(said.matchAll(/\[(\d{1,6})\]/g), ([, digits]) => digits!)
  const digits = chain?.match(/\d+/g) ?? (bracketed.length > 0 ? bracketed : (said.match(/\d{1,6}/g) ?? []))
  const named = new Set(digits.map((each) => Number(each) - 1).filter((at) => at >= 0 && at < count))
  if (named.size === 0)
    throw new GroundlineError('INVALID_RESPONSE', `the answer names none of the ${count} passages: ${describe(answer)}`)
  for (let i = 0; i < count; i++) named.add(i)
  return Array.from(named)
}

/** Scores that fall with the rank: a permutation has no others. */
function withRanks<M extends Metadata>(passages: readonly Passage<M>[], weight: number): Passage<M>[] {
  return passages.map((passage, i) => {
    const score = 1 - i / passages.length
    const stage = { stage: 'rerank', rank: i + 1, score, normalized: score, weight }
    return { ...passage, score, stages: [...passage.stages, stage] }
  })
}

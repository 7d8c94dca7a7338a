import type { Composition } from './compose.ts'
import type { CachePlan, Prompt } from './prompt-assembler.ts'

/**
 * Breakpoints behind the tools, the system message, the examples and the history, each only where the prefix is longer than
 * the one before and at least `minimum` tokens; the last four where there are more.
 */
export function planCache(composition: Composition, minimum: number): CachePlan {
  const { messages, messageTokens, spent, lastExample, lastHistory } = composition
  const toolTokens = spent.get('tools') ?? 0
  const system = messages[0]?.role === 'system' && messages.length > 1 ? 0 : -1
  const wanted = [-1, system, lastExample, lastHistory]
  const breakpoints: number[] = []
  let stableTokens = 0
  let tokens = toolTokens
  for (let index = -1; index < messages.length - 1; index++) {
    if (index >= 0) tokens += messageTokens[index]!
    if (!wanted.includes(index) || tokens < Math.max(minimum, 1) || (index === -1 && toolTokens === 0)) continue
    breakpoints.push(index)
    stableTokens = tokens
  }
  return { breakpoints, stableTokens }
}

/**
 * Predicts how many tokens of `next` a provider that has just read `previous` takes from its cache: those of the messages,
 * from the first on, that are the same in both, where the tools are. With `breakpoints: true`, as for providers that cache up
 * to marked places only, those up to the last breakpoint of `previous` within them.
 */
export function cachedTokens(previous: Prompt, next: Prompt, options: { readonly breakpoints?: boolean } = {}): number {
  if (JSON.stringify(previous.tools) !== JSON.stringify(next.tools)) return 0
  let same = 0
  while (
    same < Math.min(previous.messages.length, next.messages.length) &&
    JSON.stringify(previous.messages[same]) === JSON.stringify(next.messages[same])
  )
    same++
  if (options.breakpoints === true) {
    const reached = previous.cachePlan.breakpoints.filter((index) => index < same).at(-1)
    if (reached === undefined) return 0
    same = reached + 1
  }
  let tokens = next.ledger.entries.find((entry) => entry.part === 'tools')?.tokens ?? 0
  for (const cost of next.messageTokens.slice(0, same)) tokens += cost
  return tokens
}

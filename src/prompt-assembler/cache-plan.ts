import type { Composition } from './compose.ts'
import type { CachePlan } from './prompt-assembler.ts'

/**
 * Breakpoints behind the tools, the system message, the examples and the history, each only where the prefix is longer than
 * the one before and at least `minimum` tokens; the last four where there are more.
 */
export function planCache(composition: Composition, minimum: number): CachePlan {
  const { messages, messageTokens, toolTokens, lastExample, lastHistory } = composition
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

import { describe } from '../internal/argument.ts'
import { groupTurns } from './group-turns.ts'
import type { PromptMessage, Rendition, ToolDefinition } from './prompt-assembler.ts'

/** Reads the shorter forms in part settings. Its member is the assembler's own business. */
export interface RenditionReader {
  /** Checks the forms against the full one. */
  readonly read: typeof readRenditions
  /** Checks what the forms cost, longest first. */
  readonly check: typeof checkCosts
}

/** What a part is made of: a text, the messages of a turn, a tool's definition. */
export type PartContent = string | readonly PromptMessage[] | ToolDefinition

/**
 * What an assembler needs for `renditions` in part settings; a bundle without them does without it.
 *
 * @example
 * ```ts
 * const assembler = promptAssembler({ counter, contextWindow, outputReserve, renditions: renditions() })
 * const settings = { 'history:0': { renditions: ['Earlier: the user asked about keys.'] } }
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function renditions(): RenditionReader {
  return { read: readRenditions, check: checkCosts }
}

/** The shorter forms of a part, longest first. A text in place of a turn becomes a user message. `fail` must throw. */
function readRenditions<F extends PartContent>(
  id: string,
  full: F,
  given: readonly Rendition[],
  fail: (problem: string) => never,
): readonly F[] {
  return given.map((form, index) => {
    const name = `rendition ${index + 1} of ${id}`
    const said = Array.isArray(full) && typeof form === 'string' ? [{ role: 'user' as const, content: form }] : form
    if (!isLike(full, said, name, fail)) fail(`${name} must be a shorter form of it, got ${describe(form)}`)
    return said
  })
}

function checkCosts(id: string, costs: readonly number[], fail: (problem: string) => never): void {
  for (const [form, cost] of costs.entries())
    if (form > 0 && cost >= costs[form - 1]!)
      fail(`rendition ${form} of ${id} costs ${cost} tokens, the longer form ${costs[form - 1]}; each must be cheaper`)
}

function isLike<F extends PartContent>(
  full: F,
  form: PartContent,
  name: string,
  fail: (problem: string) => never,
): form is F {
  const whole: PartContent = full
  if (typeof whole === 'string') return typeof form === 'string' && form.trim() !== ''
  if (typeof form !== 'object' || form === null) return false
  if ('name' in whole) return 'name' in form && form.name === whole.name
  return Array.isArray(form) && groupTurns(form, name, fail).length === 1
}

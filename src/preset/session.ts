import type { Metadata } from '../document.ts'
import { GroundlineError } from '../errors.ts'
import type { Filter } from '../filter.ts'
import { describe, requireInteger } from '../internal/argument.ts'
import type { PromptMessage } from '../prompt-assembler/prompt-assembler.ts'

/** What holds for every question of a session. */
export interface SessionSettings<M extends Metadata = Metadata> {
  /** Replaces the preset's instructions. */
  readonly instructions?: string
  /** How many passages each question may bring. */
  readonly topK?: number
  /** Holds for every question. */
  readonly filter?: Filter<M>
}

/** A session as JSON: what {@link sessionFromJson} reads. */
export interface SessionJson<M extends Metadata = Metadata> {
  /** Version of this form. */
  readonly format: 1
  /** The settings. */
  readonly settings: SessionSettings<M>
  /** The conversation so far. */
  readonly history: readonly PromptMessage[]
  /** Where the last prompt began its history; 0 where absent. */
  readonly historyFrom?: number
}

/** A conversation: its history and settings, owned by the caller and passed to each call. */
export interface Session<M extends Metadata = Metadata> {
  /** What holds for every question. */
  readonly settings: SessionSettings<M>
  /** The conversation so far, oldest first. */
  readonly history: readonly PromptMessage[]
  /**
   * Index of the message with which prompts begin the history. It moves only when the history no longer fits, so that prompts
   * in a row begin alike and a provider's cache takes hold.
   */
  readonly historyFrom: number
  /** Adds messages at the end. */
  append(...messages: readonly PromptMessage[]): void
  /** Begins the history of later prompts at a message: `prompt.historyFrom` of the last one. Throws `INVALID_ARGUMENT` beyond the history. */
  cut(historyFrom: number): void
  /** The session as plain data, for `JSON.stringify`. */
  toJSON(): SessionJson<M>
}

/**
 * Starts a conversation. `ask` appends the question and the answer to it.
 *
 * @example
 * ```ts
 * const session = createSession({ topK: 4 })
 * session.append({ role: 'user', content: 'Which engines are there?' })
 * const restored = sessionFromJson(JSON.parse(JSON.stringify(session)))
 * ```
 */
export function createSession<M extends Metadata = Metadata>(
  settings: SessionSettings<M> = {},
  history: readonly PromptMessage[] = [],
  historyFrom: number = 0,
): Session<M> {
  const messages: PromptMessage[] = []
  const append = (...added: readonly PromptMessage[]) => {
    added.forEach(requireMessage)
    messages.push(...added)
  }
  append(...history)
  let from = 0
  const cut = (index: number) => {
    requireInteger('historyFrom', index, 0, messages.length)
    from = index
  }
  cut(historyFrom)
  return {
    settings: { ...settings },
    get history() {
      return [...messages]
    },
    get historyFrom() {
      return from
    },
    append,
    cut,
    toJSON: () => ({ format: 1, settings: { ...settings }, history: [...messages], historyFrom: from }),
  }
}

/** Restores a session from {@link Session.toJSON}; the next prompt is the one the original would have made. Throws `UNSUPPORTED_FORMAT`. */
export function sessionFromJson<M extends Metadata = Metadata>(json: SessionJson<M>): Session<M> {
  if (typeof json !== 'object' || json === null || json.format !== 1 || !Array.isArray(json.history)) {
    throw new GroundlineError('UNSUPPORTED_FORMAT', `expected a session of format 1, got ${describe(json)}`)
  }
  return createSession<M>(json.settings, json.history, json.historyFrom)
}

function requireMessage(message: PromptMessage, index: number): void {
  const roles = ['system', 'user', 'assistant', 'tool']
  if (typeof message?.content !== 'string' || !roles.includes(message.role)) {
    throw new GroundlineError(
      'INVALID_ARGUMENT',
      `message ${index} needs a role (${roles.join(', ')}) and a string content`,
    )
  }
}

import type { Metadata } from '../document.ts'
import { GroundlineError } from '../errors.ts'
import type { Filter } from '../filter.ts'
import { describe } from '../internal/argument.ts'
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
}

/** A conversation: its history and settings, owned by the caller and passed to each call. */
export interface Session<M extends Metadata = Metadata> {
  /** What holds for every question. */
  readonly settings: SessionSettings<M>
  /** The conversation so far, oldest first. */
  readonly history: readonly PromptMessage[]
  /** Adds messages at the end. */
  append(...messages: readonly PromptMessage[]): void
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
): Session<M> {
  const messages: PromptMessage[] = []
  const append = (...added: readonly PromptMessage[]) => {
    added.forEach(requireMessage)
    messages.push(...added)
  }
  append(...history)
  return {
    settings: { ...settings },
    get history() {
      return [...messages]
    },
    append,
    toJSON: () => ({ format: 1, settings: { ...settings }, history: [...messages] }),
  }
}

/** Restores a session from {@link Session.toJSON}; the next prompt is the one the original would have made. Throws `UNSUPPORTED_FORMAT`. */
export function sessionFromJson<M extends Metadata = Metadata>(json: SessionJson<M>): Session<M> {
  if (typeof json !== 'object' || json === null || json.format !== 1 || !Array.isArray(json.history)) {
    throw new GroundlineError('UNSUPPORTED_FORMAT', `expected a session of format 1, got ${describe(json)}`)
  }
  return createSession<M>(json.settings, json.history)
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

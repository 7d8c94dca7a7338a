import type { Metadata, Passage, Span } from '../document.ts'

/** A tool the model may call, with its arguments as a JSON Schema. */
export interface ToolDefinition {
  /** 1–64 letters, digits, `_` or `-`. */
  readonly name: string
  /** What it does, for the model. */
  readonly description: string
  /** JSON Schema of its arguments. */
  readonly parameters: Readonly<Record<string, unknown>>
}

/** A call the assistant made. */
export interface ToolCall {
  /** Pairs the call with its result. */
  readonly id: string
  /** The tool's name. */
  readonly name: string
  /** JSON text of the arguments. */
  readonly arguments: string
}

/** One message, in no provider's shape. */
export type PromptMessage =
  | { readonly role: 'system' | 'user'; readonly content: string }
  | { readonly role: 'assistant'; readonly content: string; readonly toolCalls?: readonly ToolCall[] }
  | { readonly role: 'tool'; readonly content: string; readonly toolCallId: string }

/** What a prompt is made from. */
export interface PromptParts<M extends Metadata = Metadata> {
  /** What the model is told before anything else. */
  readonly instructions?: string
  /** Tools offered with the prompt. */
  readonly tools?: readonly ToolDefinition[]
  /** Example exchanges, shown before the history. */
  readonly examples?: readonly PromptMessage[]
  /** The conversation so far, oldest first, without the question. */
  readonly history?: readonly PromptMessage[]
  /** What was found, best first. */
  readonly passages?: readonly Passage<M>[]
  /** What is asked. */
  readonly question: string
}

/** A passage as the prompt shows it: under a number the answer can cite. */
export interface PromptSource extends Span {
  /** Counted from 1, in the order shown. */
  readonly number: number
  /** The chunk's id. */
  readonly chunkId: string
  /** The document the span `start`–`end` belongs to. */
  readonly documentId: string
  /** Content hash of the document's text. */
  readonly documentVersion: string
  /** The passage, verbatim. */
  readonly text: string
  /** Where the document came from. */
  readonly uri?: string
  /** The document's title. */
  readonly title?: string
  /** Headings above the passage, outermost first. */
  readonly headingPath?: readonly string[]
  /** The passage's retrieval score. */
  readonly score: number
}

/** Where a stretch of a message's content came from. */
export type PieceOrigin =
  | { readonly type: 'template' }
  | {
      readonly type: 'part'
      readonly part: 'instructions' | 'examples' | 'history' | 'question' | 'tools'
      readonly index?: number
      readonly start: number
      readonly end: number
    }
  | {
      readonly type: 'source'
      readonly source: number
      readonly documentId: string
      readonly documentVersion: string
      readonly start: number
      readonly end: number
      readonly form: 'verbatim' | 'escaped'
    }

/** A stretch of a message's content. Pieces are in order, without gaps, over every message. */
export interface PromptPiece extends Span {
  /** Index of the message. */
  readonly message: number
  /** Where it came from. */
  readonly origin: PieceOrigin
}

/** One line of the account. */
export interface LedgerEntry {
  /** What the tokens were spent on: `instructions`, `tools`, `examples`, `history`, `sources`, `question`, `overhead`. */
  readonly part: string
  /** Tokens. */
  readonly tokens: number
}

/** Where the tokens went. Entries add up to `total`; `total` never exceeds `budget`. */
export interface Ledger {
  /** What the model takes in all, answer included. */
  readonly contextWindow: number
  /** Kept free for the answer. */
  readonly outputReserve: number
  /** Kept free for reasoning. */
  readonly reasoningReserve: number
  /** Kept free because the counter is not exact. */
  readonly margin: number
  /** What remains for the prompt. */
  readonly budget: number
  /** The prompt's own tokens. */
  readonly total: number
  /** The parts of the total. */
  readonly entries: readonly LedgerEntry[]
}

/** Something that did not go into the prompt. */
export interface Omission {
  /** What kind of part. */
  readonly part: 'passage' | 'history' | 'example'
  /** Chunk id of a passage; index of a message. */
  readonly id: string
  /** Why. */
  readonly reason: 'budget' | 'duplicate' | 'overlap' | 'limit'
  /** What it would have cost, where counted. */
  readonly tokens?: number
}

/** Where a provider's prompt cache can take hold. */
export interface CachePlan {
  /** Indices of messages after which the prefix is stable, in order. */
  readonly breakpoints: readonly number[]
  /** Tokens up to the last breakpoint. */
  readonly stableTokens: number
}

/** An assembled prompt, in no provider's shape; renderings turn it into one. */
export interface Prompt {
  /** System, examples, history, and the question with its numbered sources. */
  readonly messages: readonly PromptMessage[]
  /** Tools offered with it. */
  readonly tools: readonly ToolDefinition[]
  /** The sources shown, by number. */
  readonly sources: readonly PromptSource[]
  /** Where the tokens went. */
  readonly ledger: Ledger
  /** Whether `ledger.total` is the model's own count, never less than it, or an estimate. */
  readonly guarantee: 'exact' | 'bound' | 'estimate'
  /** Where every character of every message came from. */
  readonly pieces: readonly PromptPiece[]
  /** What was left out, and why. */
  readonly omitted: readonly Omission[]
  /** Where a prompt cache can take hold. */
  readonly cachePlan: CachePlan
}

/** Puts a prompt together within a token budget. */
export interface PromptAssembler {
  /** Synchronous; throws `BUDGET_EXCEEDED` with the ledger when what is required does not fit. */
  assemble<M extends Metadata>(parts: PromptParts<M>): Prompt
}

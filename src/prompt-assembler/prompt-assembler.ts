import type { Metadata, Passage, Span } from '../document.ts'
import type { LocalTokenCounter } from '../tokenizer/tokenizer.ts'

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

/** An image shown with a message. Its tokens cannot be counted here, so the caller states them. */
export interface PromptImage {
  /** Names the image in errors and in the ledger. */
  readonly id: string
  /** `image/png`, `image/jpeg`, `image/gif` or `image/webp`. */
  readonly mediaType: string
  /** The bytes in base64, or an `https:` address. */
  readonly data: string
  /** What the model counts for it. */
  readonly tokens: number
}

/** One message, in no provider's shape. */
export type PromptMessage =
  | { readonly role: 'system'; readonly content: string }
  | { readonly role: 'user'; readonly content: string; readonly images?: readonly PromptImage[] }
  | { readonly role: 'assistant'; readonly content: string; readonly toolCalls?: readonly ToolCall[] }
  | { readonly role: 'tool'; readonly content: string; readonly toolCallId: string }

/** How long a part stays the same: for every user, through one conversation, or for one question. */
export type Stability = 'static' | 'session' | 'turn'

/** How far a source is trusted. Untrusted text is escaped and fenced; suspect text is also labelled as such. */
export type TrustTier = 'trusted' | 'untrusted' | 'suspect'

/** A shorter form of a part. */
export type Rendition = string | readonly PromptMessage[] | ToolDefinition

/** How a part competes for the budget. */
export interface PartSettings {
  /** Throw rather than leave it out. Instructions and tools are required unless set to false; the question is always there. */
  readonly required?: boolean
  /** Bands are filled from the highest number down. Defaults: examples 30, summary 25, recent history 20, passages 10, older history 5, optional instructions and tools 40. */
  readonly priority?: number
  /** What it is worth within its band: finite and above 0. Default 1; passages take theirs from their scores. */
  readonly utility?: number
  /** Parts of one group go in together or not at all. */
  readonly group?: string
  /** Ids of parts without which this one is left out. */
  readonly requires?: readonly string[]
  /**
   * Shorter forms, longest first, each strictly cheaper than the one before, down to a title: texts for instructions, question
   * and summary; the messages of a turn or an example, or one text in place of them all; definitions of the same name for a
   * tool. Passages have theirs from `shorten`, because what is shown of them must stand in the document.
   */
  readonly renditions?: readonly Rendition[]
  /**
   * How long it stays the same, which decides its place. Instructions and examples: `static` by default, or any; those of
   * stability `turn` stand behind the history. The summary: `session` by default, or `turn`. Tools are always `static`, turns of
   * the history `session`, passages and question `turn`.
   */
  readonly stability?: Stability
}

/** A text of the caller's own among the instructions. */
export interface TextPart extends PartSettings {
  /** Unique among the instructions; the part's id is `instructions:` and this. */
  readonly id: string
  /** The full text. */
  readonly text: string
  /** Shorter forms, longest first, each strictly cheaper than the one before. */
  readonly renditions?: readonly string[]
}

/** What a prompt is made from. */
export interface PromptParts<M extends Metadata = Metadata> {
  /** What the model is told before anything else. Trusted: never escaped. */
  readonly instructions?: string | readonly TextPart[]
  /** Tools offered with the prompt; shown in the order of their names. */
  readonly tools?: readonly ToolDefinition[]
  /** Example exchanges, shown before the history. Each starts with a user message. */
  readonly examples?: readonly PromptMessage[]
  /** What was said before the history given, in the caller's words. */
  readonly summary?: string
  /** The conversation so far, oldest first, without the question. Trimmed by turns from the oldest. */
  readonly history?: readonly PromptMessage[]
  /** What was found, in any order. */
  readonly passages?: readonly Passage<M>[]
  /** What is asked. */
  readonly question: string
  /** Images shown with the question. */
  readonly images?: readonly PromptImage[]
  /**
   * Settings by part id: `instructions:ID` (`instructions` for a plain string), `tool:NAME`, `example:INDEX` and
   * `history:INDEX` (index of the exchange's first message), `summary`, `question`, `passage:CHUNK-ID`. Turns of the history
   * are kept as a sequence from the newest back; a turn that has settings, or that another part requires, competes by itself.
   */
  readonly settings?: Readonly<Record<string, PartSettings>>
  /**
   * Where the last prompt of this conversation began its history (`prompt.historyFrom`), 0 for the first. Turns before it stay
   * out, so that prompts begin alike; when the rest no longer fits, with `cache: promptCaching()`, it is cut further than needed,
   * so that what is sent anew after cuts stays below 5 % of what is stable.
   */
  readonly historyFrom?: number
}

/** A passage as the prompt shows it: under a number the answer can cite. */
export interface PromptSource extends Span {
  /** Counted from 1, in the order shown. */
  readonly number: number
  /** The chunk's id; of several overlapping chunks shown as one, the best one's. */
  readonly chunkId: string
  /** The ids of all chunks shown in it, by place. */
  readonly chunkIds: readonly string[]
  /** The document the span `start`–`end` belongs to. */
  readonly documentId: string
  /** Content hash of the document's text. */
  readonly documentVersion: string
  /** The passage, verbatim and whole, whatever form is shown. */
  readonly text: string
  /** How much of it is shown: all, some sentences, or the title alone. */
  readonly form: 'full' | 'extract' | 'title'
  /** The spans of the document shown, in order; empty when the title alone is shown. */
  readonly shown: readonly Span[]
  /** How far it is trusted. */
  readonly trust: TrustTier
  /** Where the document came from. */
  readonly uri?: string
  /** The document's title. */
  readonly title?: string
  /** Headings above the passage, outermost first. */
  readonly headingPath?: readonly string[]
  /** The passage's retrieval score. */
  readonly score: number
}

/** Where a stretch of a message's content came from. `escaped` text differs from its span; the span is still the whole of it. */
export type PieceOrigin =
  | { readonly type: 'template' }
  | {
      readonly type: 'part'
      /** The part's id, as in `PromptParts.settings`; `question` and `summary` for those. */
      readonly part: string
      /** Index of the message in `history` or `examples`, or in the rendition. */
      readonly index?: number
      /** Which of the part's renditions is shown, from 1; absent for its full form. `start`–`end` is a span of its text. */
      readonly rendition?: number
      readonly start: number
      readonly end: number
      readonly form: 'verbatim' | 'escaped'
    }
  | {
      readonly type: 'source'
      /** Number of the source. */
      readonly source: number
      readonly documentId: string
      readonly documentVersion: string
      readonly start: number
      readonly end: number
      readonly form: 'verbatim' | 'escaped'
    }
  | {
      readonly type: 'label'
      /** Number of the source. */
      readonly source: number
      /** Which of its labels is shown, in a form that fits an attribute. */
      readonly field: 'title' | 'uri' | 'headingPath'
    }

/** A stretch of a message's content. Pieces are in order, without gaps or overlaps, over every message. */
export interface PromptPiece extends Span {
  /** Index of the message. */
  readonly message: number
  /** Where it came from. */
  readonly origin: PieceOrigin
}

/** What tokens are spent on. `joins` is what the whole counts beyond the sum of its segments; 0 for additive counters. */
export type LedgerPart =
  | 'instructions'
  | 'tools'
  | 'examples'
  | 'summary'
  | 'history'
  | 'sources'
  | 'question'
  | 'images'
  | 'overhead'
  | 'joins'

/** One line of the account. */
export interface LedgerEntry {
  /** What the tokens were spent on. */
  readonly part: LedgerPart
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
  /** The prompt's own tokens. In an error's ledger: what the required parts need, as far as they were counted. */
  readonly total: number
  /** The parts of the total. */
  readonly entries: readonly LedgerEntry[]
}

/** Something that did not go into the prompt. */
export interface Omission {
  /** The part's id, as in `PromptParts.settings`. */
  readonly id: string
  /** Why: no room; a twin or an overlapping neighbour stands for it; a cap was reached; a part it needs is not there; the conversation's history begins later (`historyFrom`). */
  readonly reason: 'budget' | 'duplicate' | 'overlap' | 'limit' | 'requirement' | 'cut'
  /** What its cheapest form would have cost, where counted. */
  readonly tokens?: number
  /** The part that stands in its place, for duplicates and overlaps, and may itself lack room; the missing part, for requirements. */
  readonly instead?: string
}

/** Something in the input that deserves a look. It does not stop the assembly. */
export interface PromptWarning {
  /** The part's id. */
  readonly id: string
  /** `invisible`: invisible or bidirectional control characters. `volatile`: a date, time or id in a static part. */
  readonly kind: 'invisible' | 'volatile'
  /** Offset of the first occurrence in the part's text. */
  readonly at: number
  /** What was found, in printable form. */
  readonly found: string
}

/** Where a provider's prompt cache can take hold. Tools, instructions and history stand before what changes each turn. */
export interface CachePlan {
  /** Indices of messages after which the prefix is stable, in order; −1 stands for the tools alone. At most four. */
  readonly breakpoints: readonly number[]
  /** Tokens up to the last breakpoint: what the next turn can read from the cache. */
  readonly stableTokens: number
}

/** An assembled prompt, in no provider's shape; renderings turn it into one. */
export interface Prompt {
  /** System, examples, history, and the question with its numbered sources. */
  readonly messages: readonly PromptMessage[]
  /** Tokens of each message, what the wire format adds included. */
  readonly messageTokens: readonly number[]
  /** Tools offered with it, by name. */
  readonly tools: readonly ToolDefinition[]
  /** The sources shown, by number. */
  readonly sources: readonly PromptSource[]
  /** The part of the last message that shows the sources, for renderings that show them as blocks of their own. */
  readonly sourcesSpan?: Span
  /** The mark in the names of the source tags; it occurs in no text that is not the assembler's own. */
  readonly fence: string
  /** Where the tokens went. */
  readonly ledger: Ledger
  /** Whether `ledger.total` is the model's own count, never less than it, or an estimate. */
  readonly guarantee: 'exact' | 'bound' | 'estimate'
  /** Where every character of every message came from. */
  readonly pieces: readonly PromptPiece[]
  /** What was left out, and why. */
  readonly omitted: readonly Omission[]
  /** Index of the message with which the history shown begins; the number of messages where none is. For the next prompt's `historyFrom`. */
  readonly historyFrom: number
  /** What deserves a look. */
  readonly warnings: readonly PromptWarning[]
  /** Where a prompt cache can take hold; nowhere without `cache: promptCaching()`. */
  readonly cachePlan: CachePlan
}

/** What a provider's wire format adds to the texts it carries. */
export interface PromptOverhead {
  /** Names the format: `openai-chat`, … */
  readonly id: string
  /** Whether the numbers are the model's own, never less, or an estimate. Tools may make them an estimate: see `toolsKind`. */
  readonly kind: 'exact' | 'bound' | 'estimate'
  /** The same for prompts with tools or tool calls; `kind` where absent. */
  readonly toolsKind?: 'exact' | 'bound' | 'estimate'
  /** Tokens of a message beyond its content: role, separators, tool calls. */
  message(message: PromptMessage, counter: LocalTokenCounter): number
  /** Tokens beyond the messages: reply priming. */
  readonly fixed: number
  /** Tokens of the tool definitions; 0 for none. */
  tools(tools: readonly ToolDefinition[], counter: LocalTokenCounter): number
}

/** Options of one assembly. */
export interface AssembleOptions {
  /**
   * At most this many tokens instead of the assembler's own budget. A larger number than that counts only where totals are
   * estimates, which `fitPrompt` corrects by the provider's own count.
   */
  readonly budget?: number
}

/** Puts a prompt together within a token budget. */
export interface PromptAssembler {
  /**
   * Synchronous; the input is not mutated. Throws `BUDGET_EXCEEDED` when what is required does not fit, and
   * `INVALID_ARGUMENT` for parts that contradict themselves; both carry `details.ledger`.
   */
  assemble<M extends Metadata>(parts: PromptParts<M>, options?: AssembleOptions): Prompt
}

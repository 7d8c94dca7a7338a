export { promptAssembler } from './assembler.ts'
export type { PromptAssemblerOptions } from './assembler-settings.ts'
export { genericOverhead, openaiChatOverhead } from './chat-overhead.ts'
export { type FitOptions, fitPrompt, type RemotePromptCounter } from './fit-prompt.ts'
export { type LocatedPiece, locatePiece, locateSource } from './locate-piece.ts'
export type {
  AssembleOptions,
  CachePlan,
  Ledger,
  LedgerEntry,
  LedgerPart,
  Omission,
  PartSettings,
  PieceOrigin,
  Prompt,
  PromptAssembler,
  PromptImage,
  PromptMessage,
  PromptOverhead,
  PromptParts,
  PromptPiece,
  PromptSource,
  PromptWarning,
  Stability,
  TextPart,
  ToolCall,
  ToolDefinition,
  TrustTier,
} from './prompt-assembler.ts'
export { type AnthropicPayload, renderAnthropic } from './render-anthropic.ts'
export { type OpenAIChatPayload, renderOpenAIChat } from './render-openai-chat.ts'

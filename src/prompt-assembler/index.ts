export { promptAssembler } from './assembler.ts'
export type { PromptAssemblerOptions } from './assembler-settings.ts'
export { bindings, type PartBinder } from './bind-candidates.ts'
export { cacheMinimumOf } from './cache-minimum.ts'
export { cachedTokens } from './cache-plan.ts'
export { genericOverhead } from './chat-overhead.ts'
export { extracts, titles } from './compress-source.ts'
export { explainPrompt } from './explain-prompt.ts'
export { type FitOptions, fitPrompt, type RemotePromptCounter } from './fit-prompt.ts'
export { flagInvisible, type InvisibleTreatment, stripInvisible } from './invisible.ts'
export { type LocatedPiece, locatePiece, locateSource } from './locate-piece.ts'
export { type OpenAIChatOverheadOptions, openaiChatOverhead } from './openai-overhead.ts'
export { type PassageCaps, type PassageCapsOptions, passageCaps } from './passage-caps.ts'
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
  Rendition,
  Stability,
  TextPart,
  ToolCall,
  ToolDefinition,
  TrustTier,
} from './prompt-assembler.ts'
export { type PromptCaching, type PromptCachingOptions, promptCaching } from './prompt-caching.ts'
export { type AnthropicPayload, renderAnthropic } from './render-anthropic.ts'
export { type GeminiPayload, renderGemini } from './render-gemini.ts'
export { type MistralPayload, renderMistral } from './render-mistral.ts'
export { type OpenAIChatPayload, renderOpenAIChat } from './render-openai-chat.ts'
export { type OpenAIResponsesPayload, renderOpenAIResponses } from './render-openai-responses.ts'
export { renderXml } from './render-xml.ts'
export { type RenditionReader, renditions } from './renditions.ts'
export { documentOrder, edgesOrder, type SourceOrder } from './source-order.ts'
export type { ShortenableSource, ShorterForm, SourceShortener } from './source-shortener.ts'

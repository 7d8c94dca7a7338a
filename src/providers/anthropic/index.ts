export type { AnthropicConnection } from './anthropic-client.ts'
export { type AnthropicModelOptions, anthropicModel } from './anthropic-model.ts'
export {
  type AnthropicPromptCounter,
  type AnthropicPromptCounterOptions,
  anthropicPromptCounter,
} from './anthropic-prompt-counter.ts'
export { type AnthropicTokenCounterOptions, anthropicTokenCounter } from './anthropic-token-counter.ts'

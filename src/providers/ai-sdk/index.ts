export { type AiSdkEmbeddingModel, type FromAiSdkOptions, fromAiSdk } from './from-ai-sdk.ts'

export {
  type OpenAICompatibleEmbedderOptions,
  openaiCompatibleEmbedder,
  probeOpenAICompatibleEmbedder,
} from './openai-compatible-embedder.ts'

export { type CrossEncoderReranker, crossEncoderReranker } from './cross-encoder-reranker.ts'
export {
  type TransformersEmbedder,
  type TransformersEmbedderOptions,
  transformersEmbedder,
} from './transformers-embedder.ts'
export type { Pooling } from './transformers-engine.ts'
export type { TransformersWorkerOptions } from './transformers-host.ts'
export type { TransformersLibraryName, TransformersModelOptions, TransformersSource } from './transformers-library.ts'
export { transformersTokenizer } from './transformers-tokenizer.ts'

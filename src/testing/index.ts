export { type ChunkStoreConformanceOptions, chunkStoreConformance } from './chunk-store-conformance.ts'
export { type ChunkerConformanceOptions, chunkerConformance } from './chunker-conformance.ts'
export { type ConformanceCase, ConformanceError } from './conformance.ts'
export { type CorpusConformanceOptions, corpusConformance } from './corpus-conformance.ts'
export { type EmbedderConformanceOptions, embedderConformance } from './embedder-conformance.ts'
export { type FakeEmbedderOptions, fakeEmbedder } from './fake-embedder.ts'
export { invalidFilters } from './invalid-filters.ts'
export {
  type ConformanceReply,
  type LanguageModelConformanceOptions,
  languageModelConformance,
} from './language-model-conformance.ts'
export { type LexicalIndexConformanceOptions, lexicalIndexConformance } from './lexical-index-conformance.ts'
export { type LoaderConformanceOptions, loaderConformance } from './loader-conformance.ts'
export { type LoopbackAnswer, type LoopbackRequest, type LoopbackServer, loopbackServer } from './loopback-server.ts'
export { type ManualClock, manualClock } from './manual-clock.ts'
export { createRandom, type Random } from './random.ts'
export { passesFilter, randomFilter, randomMetadata } from './random-filters.ts'
export { type RerankerConformanceOptions, rerankerConformance } from './reranker-conformance.ts'
export { type RetrieverConformanceOptions, retrieverConformance } from './retriever-conformance.ts'
export { type ScriptedModel, type ScriptedReply, scriptedModel } from './scripted-model.ts'
export { type StorageConformanceOptions, storageConformance } from './storage-conformance.ts'
export { type TokenizerConformanceOptions, tokenizerConformance } from './tokenizer-conformance.ts'
export { type VectorIndexConformanceOptions, vectorIndexConformance } from './vector-index-conformance.ts'

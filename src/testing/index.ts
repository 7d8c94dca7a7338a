export { type ChunkerConformanceOptions, chunkerConformance } from './chunker-conformance.ts'
export { type ConformanceCase, ConformanceError } from './conformance.ts'
export { type EmbedderConformanceOptions, embedderConformance } from './embedder-conformance.ts'
export { type FakeEmbedderOptions, fakeEmbedder } from './fake-embedder.ts'
export {
  type ConformanceReply,
  type LanguageModelConformanceOptions,
  languageModelConformance,
} from './language-model-conformance.ts'
export { type LoaderConformanceOptions, loaderConformance } from './loader-conformance.ts'
export { type LoopbackAnswer, type LoopbackRequest, type LoopbackServer, loopbackServer } from './loopback-server.ts'
export { type ScriptedModel, type ScriptedReply, scriptedModel } from './scripted-model.ts'
export { type StorageConformanceOptions, storageConformance } from './storage-conformance.ts'
export { type TokenizerConformanceOptions, tokenizerConformance } from './tokenizer-conformance.ts'

export { type ConformanceCase, ConformanceError } from './conformance.ts'
export { type EmbedderConformanceOptions, embedderConformance } from './embedder-conformance.ts'
export { type FakeEmbedderOptions, fakeEmbedder } from './fake-embedder.ts'
export { type LoopbackAnswer, type LoopbackRequest, type LoopbackServer, loopbackServer } from './loopback-server.ts'

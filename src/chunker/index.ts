export { type AddContextOptions, addContext, type ContextCache, type ContextWriter } from './add-context.ts'
export type { Annotation, BoundaryChunker, ChunkPlan, ChunkPlanner } from './boundary-chunker.ts'
export type { BreakList } from './break-list.ts'
export { type ChunkNotes, chunkNotes } from './chunk-notes.ts'
export type { Chunker, SyncChunker } from './chunker.ts'
export {
  type CodeChunkerOptions,
  type CodeLanguage,
  type CodeOutliner,
  type CodeSymbol,
  codeChunker,
  codeLanguages,
} from './code-chunker.ts'
export { type ContextTextOptions, contextText } from './context-text.ts'
export { documentVersion } from './document-version.ts'
export {
  type HierarchicalChunker,
  type HierarchicalChunkerOptions,
  hierarchicalChunker,
} from './hierarchical-chunker.ts'
export { jsonChunker } from './json-chunker.ts'
export type { ChunkLimits, ResolvedLimits } from './limits.ts'
export { markdownChunker } from './markdown-chunker.ts'
export type { ChunkCounter, SliceCounter } from './measure.ts'
export { htmlChunker, outlineChunker } from './outline-chunker.ts'
export type { PackOptions } from './pack.ts'
export { recursiveChunker } from './recursive-chunker.ts'
export { type SemanticChunkerOptions, semanticChunker } from './semantic-chunker.ts'
export { type SentenceChunkerOptions, sentenceChunker } from './sentence-chunker.ts'
export { type SentenceWindowChunkerOptions, sentenceWindowChunker } from './sentence-window-chunker.ts'
export type { TreeSpan } from './span-tree.ts'
export { type TokenChunkerOptions, tokenChunker } from './token-chunker.ts'
export { transcriptChunker } from './transcript-chunker.ts'
export { approximateCounter, characterCounter, type UnitCounter } from './unit-counter.ts'

export type { Analyzer } from './analyzer.ts'
export type { Bm25Variant } from './bm25.ts'
export {
  type Bm25Index,
  type LexicalIndexOptions,
  lexicalIndex,
  openLexicalIndex,
  type SavedIntegrity,
} from './bm25-index.ts'
export { englishAnalyzer } from './english-analyzer.ts'
export { stemEnglish } from './english-stemmer.ts'
export { type AnalyzerLanguage, languageAnalyzer } from './language-analyzer.ts'
export type { LexicalEntry, LexicalIndex, LexicalMatch, LexicalMixture, LexicalSearchOptions } from './lexical-index.ts'
export { type WordAnalyzerOptions, wordAnalyzer } from './word-analyzer.ts'

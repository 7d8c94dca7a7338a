export type { LexicalEntry, LexicalIndex, LexicalMatch, LexicalSearchOptions } from './lexical-index.ts'

export type { LocalTokenCounter, RemoteTokenCounter, TokenCounter, Tokenizer } from './tokenizer.ts'

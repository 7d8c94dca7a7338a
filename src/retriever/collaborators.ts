import { requireObject } from '../internal/argument.ts'

/** Throws `INVALID_ARGUMENT` unless the value is a retriever. */
export function requireRetriever(name: string, value: unknown): void {
  requireObject(name, value, 'a retriever, such as hybridRetriever(…) gives', ['retrieve'])
}

/** Throws `INVALID_ARGUMENT` unless the value is a store of chunks. */
export function requireStore(value: unknown): void {
  requireObject('store', value, 'a chunk store, such as memoryChunkStore() gives', ['get'])
}

/** Throws `INVALID_ARGUMENT` unless the value is an embedder. */
export function requireEmbedder(value: unknown): void {
  requireObject('embedder', value, 'an embedder, such as staticEmbedder() gives', ['embed'])
}

/** Throws `INVALID_ARGUMENT` unless the value is an index that can be searched. */
export function requireIndex(name: string, value: unknown, maker: string): void {
  requireObject(name, value, `an index, such as ${maker} gives`, ['search'])
}

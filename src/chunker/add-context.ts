import type { AbortOptions, Chunk, Document, Metadata } from '../document.ts'
import { requireInteger } from '../internal/argument.ts'
import { contentHash } from '../internal/hash.ts'
import { mapConcurrent } from '../internal/map-concurrent.ts'
import { chunkNotes, withNotes } from './chunk-notes.ts'

/** Writes a line that situates a chunk within its document, such as by a language model. */
export type ContextWriter = (chunk: Chunk, document: Document, options: AbortOptions) => Promise<string>

/** Keeps what was written. A `Map` is one. */
export interface ContextCache {
  /** The line under a key, if there is one. */
  get(key: string): string | undefined | Promise<string | undefined>
  /** Keeps a line. */
  set(key: string, line: string): unknown
}

/** Options of {@link addContext}. */
export interface AddContextOptions extends AbortOptions {
  /** Writes the lines. */
  readonly write: ContextWriter
  /** Names the writer with its model and prompt; part of the cache key. */
  readonly writerId: string
  /** Lines already written. Default: none are kept. */
  readonly cache?: ContextCache
  /** How many lines are written at once: an integer of at least 1. Default 4. */
  readonly concurrency?: number
}

/**
 * Contextual retrieval: puts a written line into `metadata.chunk.context` of each chunk, for {@link contextText}. The
 * text stays a verbatim slice. Lines are cached by writer, document version and chunk text, so an unchanged chunk of an
 * unchanged document costs nothing.
 *
 * @example
 * ```ts
 * const chunks = await addContext(document, chunker.chunk(document), { write, writerId: 'gpt-x/1', cache: new Map() })
 * ```
 */
export async function addContext<M extends Metadata>(
  document: Document<M>,
  chunks: Iterable<Chunk<M>>,
  options: AddContextOptions,
): Promise<Chunk<M>[]> {
  const { write, writerId, cache, concurrency = 4, signal } = options
  requireInteger('concurrency', concurrency, 1)
  return mapConcurrent(
    [...chunks],
    concurrency,
    async (chunk) => {
      const key = contentHash('context', writerId, chunk.documentVersion, chunk.text, String(chunk.start))
      let line = await cache?.get(key)
      if (line === undefined) {
        signal?.throwIfAborted()
        line = (await write(chunk, document, { signal })).trim()
        await cache?.set(key, line)
      }
      return { ...chunk, metadata: withNotes(chunk.metadata, { ...chunkNotes(chunk), context: line }) }
    },
    signal,
  )
}

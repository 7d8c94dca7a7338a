import type { AbortOptions, Metadata } from '../document.ts'
import { requireInteger } from '../internal/argument.ts'
import { collectBytes } from '../internal/collect-bytes.ts'
import type { LoaderInput } from '../loader/loader.ts'
import type { Source } from './corpus.ts'

/** A {@link LoaderInput} whose content may still be on its way: an HTTP body, a file being read. */
export interface StreamedInput<M extends Metadata = Metadata> extends Omit<LoaderInput<M>, 'content'> {
  /** The content, or a stream of its bytes, read when the item is taken in and not before. */
  readonly content: LoaderInput['content'] | AsyncIterable<Uint8Array>
}

/** Limits of {@link iterableSource}. */
export interface IterableSourceOptions {
  /** A stream beyond this many bytes is given up and reported. Default 33,554,432. */
  readonly maxBytes?: number
}

/**
 * A {@link Source} of whatever a program can iterate: rows of a database, pages of a crawl, bodies of requests. `list` is
 * called for each sync; an error it throws ends that sync: what was committed stays, and nothing is removed. A stream is held in memory up to
 * `maxBytes`; `textParts` of `groundline/loader` takes in a larger one part by part.
 *
 * @example
 * ```ts
 * import { iterableSource } from 'groundline/corpus'
 *
 * const source = iterableSource('tickets', async function* () {
 *   for await (const row of rows) yield { id: `ticket/${row.id}`, content: row.body, mediaType: 'text/plain' }
 * })
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function iterableSource<M extends Metadata = Metadata>(
  scope: string,
  list: (options: AbortOptions) => Iterable<StreamedInput<M>> | AsyncIterable<StreamedInput<M>>,
  { maxBytes = 33_554_432 }: IterableSourceOptions = {},
): Source<M> {
  requireInteger('maxBytes', maxBytes, 1)
  return {
    scope,
    streams: true,
    items: async function* (options: AbortOptions = {}) {
      for await (const input of list(options)) {
        options.signal?.throwIfAborted()
        const { content } = input
        yield {
          id: input.id,
          read: async ({ signal }: AbortOptions = {}) => ({
            ...input,
            content:
              typeof content === 'string' || content instanceof Uint8Array
                ? content
                : await collectBytes(input.id, content, maxBytes, signal),
          }),
        }
      }
    },
  }
}

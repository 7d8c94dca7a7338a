import type { AbortOptions, Metadata } from '../document.ts'
import type { LoaderInput } from '../loader/loader.ts'
import type { Source } from './corpus.ts'

/**
 * A {@link Source} of whatever a program can iterate: rows of a database, pages of a crawl. `list` is called for each
 * sync; an error it throws ends that sync, and nothing is removed.
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
  list: (options: AbortOptions) => Iterable<LoaderInput<M>> | AsyncIterable<LoaderInput<M>>,
): Source<M> {
  return {
    scope,
    items: async function* (options: AbortOptions = {}) {
      for await (const input of list(options)) {
        options.signal?.throwIfAborted()
        yield { id: input.id, read: async () => input }
      }
    },
  }
}

import type { AbortOptions, Metadata } from '../document.ts'
import { requireArray, requireInteger, requireObject, requireOneOf, requireString } from '../internal/argument.ts'
import type { Retriever } from '../retriever/retriever.ts'
import type { CollectionQuery, RankedResult } from './evaluation.ts'

/** Options of {@link runRetriever}. */
export interface RunRetrieverOptions extends AbortOptions {
  /** Results a query. Default 100. */
  readonly topK?: number
  /** What a passage counts as: its chunk's id, or its document's, whose best passage then counts. Default `document`. */
  readonly unit?: 'chunk' | 'document'
}

/**
 * Asks a retriever every query and collects the answers as a run.
 *
 * @example
 * const run = await runRetriever(retriever, collection.queries, { topK: 100 })
 */
export async function runRetriever<M extends Metadata>(
  retriever: Retriever<M>,
  queries: readonly CollectionQuery[],
  options: RunRetrieverOptions = {},
): Promise<Map<string, readonly RankedResult[]>> {
  requireObject('options', options)
  const { topK = 100, unit = 'document', signal } = options
  requireObject('retriever', retriever, 'a retriever', ['retrieve'])
  requireArray('queries', queries)
  for (const [at, query] of queries.entries()) {
    requireObject(`queries[${at}]`, query, 'an object with id and text')
    requireString(`queries[${at}].id`, query.id)
    requireString(`queries[${at}].text`, query.text)
  }
  requireInteger('topK', topK, 1, 10_000)
  requireOneOf('unit', unit, ['chunk', 'document'])
  const run = new Map<string, readonly RankedResult[]>()
  for (const { id, text } of queries) {
    signal?.throwIfAborted()
    const { passages } = await retriever.retrieve(text, { topK, signal })
    const best = new Map<string, RankedResult>()
    for (const passage of passages) {
      const found = unit === 'chunk' ? passage.id : passage.documentId
      if (!best.has(found)) best.set(found, { id: found, score: passage.score })
    }
    run.set(id, Array.from(best.values()))
  }
  return run
}

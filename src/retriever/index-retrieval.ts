import type { Metadata, Passage } from '../document.ts'
import { GroundlineError } from '../errors.ts'
import { describe, requireInteger } from '../internal/argument.ts'
import { normalizedScores } from '../internal/rank-passages.ts'
import type { ChunkStore, Retrieval, RetrieveOptions } from './retriever.ts'

/** What a retrieval returns when nobody says how much. */
const DEFAULT_TOP_K = 10

/** The `topK` of a retrieval, 10 by default. Throws `INVALID_ARGUMENT` unless it is an integer from 1 to 10,000. */
export function topKOf(options: { readonly topK?: number } | undefined): number {
  const topK = options?.topK ?? DEFAULT_TOP_K
  requireInteger('topK', topK, 1, 10_000)
  return topK
}

/** Throws `INVALID_ARGUMENT` unless the query is text with something in it. Queries that are not text pass. */
export function requireQuery(query: unknown): void {
  if (query === undefined || query === null || (typeof query === 'string' && query.trim() === ''))
    throw new GroundlineError('INVALID_ARGUMENT', `query must be text with something in it, got ${describe(query)}`, {
      details: { argument: 'query' },
    })
}

/** Turns what one index found into a retrieval: each match with its chunk, rank and score. */
export async function retrievalOf<M extends Metadata>(
  stage: string,
  matches: readonly { readonly id: string; readonly score: number }[],
  store: ChunkStore<M>,
  options: RetrieveOptions<M> | undefined,
  plan?: string,
): Promise<Retrieval<M>> {
  const { signal } = options ?? {}
  signal?.throwIfAborted()
  const chunks = await store.get(
    matches.map(({ id }) => id),
    { signal },
  )
  const places = normalizedScores(matches.map(({ score }) => score))
  const passages: Passage<M>[] = []
  for (let i = 0; i < matches.length; i++) {
    const chunk = chunks[i]
    if (chunk === undefined) continue
    const { score } = matches[i]!
    passages.push({
      ...chunk,
      source: chunk.source ?? {},
      score,
      stages: [{ stage, rank: passages.length + 1, score, normalized: places(score), weight: 1 }],
    })
  }
  const missing = matches.length - passages.length
  const lost = missing === 0 ? [] : [`${missing} of ${matches.length} ids the index found are not in the chunk store`]
  const notes = [...(plan === undefined ? [] : [plan]), ...lost]
  const report = { stage, candidates: passages.length }
  return { passages, explanation: { stages: [notes.length === 0 ? report : { ...report, note: notes.join('; ') }] } }
}

import type { StoredChunk } from './retriever.ts'

/** A chunk with its score. */
export interface ScoredChunk<C extends StoredChunk = StoredChunk> {
  /** The chunk. */
  readonly chunk: C
  /** Bigger is better. */
  readonly score: number
}

/**
 * Of chunks of one document with one and the same text one: where the text stands first, with the best score of all.
 * Which copy that is does not depend on the query, so that a text has one address.
 */
export function firstOfRepeats<S extends ScoredChunk>(scored: readonly S[]): readonly S[] {
  const documents = new Map<string, Map<string, S>>()
  for (const each of scored) {
    const { documentId, text } = each.chunk
    const best = documents.get(documentId) ?? new Map<string, S>()
    documents.set(documentId, best)
    const other = best.get(text)
    if (other === undefined) best.set(text, each)
    else {
      const { chunk } = other.chunk.start <= each.chunk.start ? other : each
      best.set(text, { ...(other.score >= each.score ? other : each), chunk })
    }
  }
  return [...documents.values()].flatMap((best) => [...best.values()])
}

import type { StoredChunk } from './retriever.ts'

/** A chunk with its score. */
export interface ScoredChunk<C extends StoredChunk = StoredChunk> {
  /** The chunk. */
  readonly chunk: C
  /** Bigger is better. */
  readonly score: number
}

/**
 * Of chunks that repeat one text within a document (the same but for case and white space) one: where the text stands
 * first, with the best score of all. Which copy that is does not depend on the query, so that a text has one address.
 */
export function firstOfRepeats<S extends ScoredChunk>(scored: readonly S[]): readonly S[] {
  const best = new Map<string, S>()
  for (const each of scored) {
    const { documentId, text } = each.chunk
    const key = `${JSON.stringify(documentId)}${text.toLowerCase().replace(/\s+/g, ' ').trim()}`
    const other = best.get(key)
    if (other === undefined) {
      best.set(key, each)
      continue
    }
    const { chunk } = other.chunk.start <= each.chunk.start ? other : each
    best.set(key, { ...(other.score >= each.score ? other : each), chunk })
  }
  return [...best.values()]
}

import { requireInteger, requireNumber, requireObject, requireString } from '../internal/argument.ts'
import { rankPassages } from '../internal/rank-passages.ts'
import type { Reranker } from './retriever.ts'

/** Options of {@link lexicalOverlapReranker}. */
export interface LexicalOverlapRerankerOptions {
  /** How much the overlap counts beside the order given: 0 keeps the order, 1 forgets it. Default 0.5. */
  readonly weight?: number
}

/**
 * Reorders passages by how many of the query's distinct words they hold, rare ones among these passages counting more,
 * joined with the order given. Needs no model; linear in the text.
 *
 * @example
 * const better = await lexicalOverlapReranker().rerank('rotate keys', passages)
 */
// @__NO_SIDE_EFFECTS__
export function lexicalOverlapReranker(options: LexicalOverlapRerankerOptions = {}): Reranker {
  requireObject('options', options)
  const { weight = 0.5 } = options
  requireNumber('weight', weight, 0, 1)
  return {
    async rerank(query, passages, { topK, signal } = {}) {
      signal?.throwIfAborted()
      requireString('query', query)
      if (topK !== undefined) requireInteger('topK', topK, 1)
      const wanted = wordsOf(query)
      const held = passages.map(({ text }) => {
        const words = wordsOf(text)
        return new Set([...wanted].filter((word) => words.has(word)))
      })
      const rarity = new Map<string, number>()
      for (const word of wanted) {
        const frequency = held.filter((words) => words.has(word)).length
        rarity.set(word, Math.log(1 + (passages.length - frequency + 0.5) / (frequency + 0.5)))
      }
      const sum = (words: Iterable<string>) => {
        let total = 0
        for (const word of words) total += rarity.get(word) ?? 0
        return total
      }
      const most = sum(wanted)
      const staged = passages.map((passage, i) => {
        const overlap = most === 0 ? 0 : sum(held[i]!) / most
        const standing = 1 - i / passages.length
        return { passage, score: weight * overlap + (1 - weight) * standing, normalized: overlap, weight }
      })
      return rankPassages('rerank', staged, topK)
    },
  }
}

function wordsOf(text: string): Set<string> {
  return new Set(text.toLowerCase().match(/[\p{L}\p{N}]{1,64}/gu))
}

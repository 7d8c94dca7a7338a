import type { AbortOptions, Chunk, Document, Metadata } from '../document.ts'
import type { Embedder, Embedding } from '../embedder/embedder.ts'
import { GroundlineError } from '../errors.ts'
import { describe, requireObject } from '../internal/argument.ts'
import { untilAborted } from '../internal/until-aborted.ts'
import { chunkerId, makeChunks, requireDocument } from './boundary-chunker.ts'
import { breakLevel } from './break-list.ts'
import type { Chunker } from './chunker.ts'
import { type ChunkLimits, type ResolvedLimits, resolveLimits } from './limits.ts'
import { measureText, sliceCounter } from './measure.ts'
import { pack } from './pack.ts'
import { sentenceFinder } from './sentence-breaks.ts'
import { sentenceBreakList } from './sentence-chunker.ts'

/** Options of {@link semanticChunker}. */
export interface SemanticChunkerOptions extends ChunkLimits {
  /** Embeds the sentences. */
  readonly embedder: Embedder
  /** Which share of the distances between neighbouring sentences makes no cut: from 0 to 1. Default 0.9. */
  readonly quantile?: number
  /** Language of the texts as a BCP 47 tag. Default `en`. */
  readonly locale?: string
}

/** Sentences embedded by one call. */
const BATCH = 64

/**
 * Cuts where neighbouring sentences are least alike by their embeddings. It costs an embedding of every sentence, and in
 * published comparisons finds less than cutting by structure: offered for text without any. Throws `INVALID_RESPONSE`
 * where the embedder gives anything but one vector of its dimensions, of finite numbers, for each text.
 *
 * @example
 * ```ts
 * const chunker = semanticChunker({ embedder, maxTokens: 256 })
 * for await (const chunk of chunker.chunk(document)) console.log(chunk.text)
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function semanticChunker(options: SemanticChunkerOptions): Chunker {
  const { embedder, quantile = 0.9, locale = 'en' } = options
  if (typeof quantile !== 'number' || !(quantile >= 0 && quantile <= 1)) {
    throw new GroundlineError('INVALID_ARGUMENT', `quantile must be from 0 to 1, got ${describe(quantile)}`, {
      details: { argument: 'quantile', expected: '0 to 1', actual: quantile },
    })
  }
  requireObject('embedder', embedder, 'an embedder', ['embed'])
  const find = sentenceFinder(locale)
  const limits = resolveLimits(options)
  const id = chunkerId('semantic', limits, { space: embedder.space, quantile, locale })
  return {
    id,
    chunk(document, { signal } = {}) {
      requireDocument(document, signal)
      return semanticChunks(id, document, { embedder, quantile, find, limits, signal })
    },
  }
}

interface SemanticWork extends AbortOptions {
  readonly embedder: Embedder
  readonly quantile: number
  readonly find: (text: string) => number[]
  readonly limits: ResolvedLimits
}

async function* semanticChunks<M extends Metadata>(
  id: string,
  document: Document<M>,
  { embedder, quantile, find, limits, signal }: SemanticWork,
): AsyncGenerator<Chunk<M>> {
  const { text } = document
  const ends = find(text)
  const starts = [0, ...ends]
  const vectors: Float32Array[] = []
  const { items = BATCH } = embedder.limits ?? {}
  const batch = items >= 1 ? Math.min(BATCH, Math.floor(items)) : BATCH
  for (let at = 0; at < starts.length; at += batch) {
    signal?.throwIfAborted()
    // A sentence alone says little; with the one before it, it says what the passage is about.
    const group = starts.slice(at, at + batch).map((_, index) => {
      const from = starts[Math.max(0, at + index - 1)]!
      return (
        text
          .slice(from, starts[at + index + 1] ?? text.length)
          .slice(-4000)
          .toWellFormed() || ' '
      )
    })
    const reply = await untilAborted(embedder.embed(group, { role: 'document', signal }), signal)
    vectors.push(...vectorsOf(reply, group.length, embedder.dimensions))
  }
  // The two sentences before an end against the two after it.
  const last = vectors.length - 1
  const distances = ends.map((_, index) => distance(vectors[index]!, vectors[Math.min(last, index + 2)]!))
  const threshold =
    distances.toSorted((a, b) => a - b)[Math.floor(distances.length * quantile)] ?? Number.POSITIVE_INFINITY
  const breaks = sentenceBreakList(text, ends, breakLevel.sentence)
  for (const [index, end] of ends.entries()) {
    if (distances[index]! < threshold) continue
    breaks.levels[breaks.after(end) - 1] = breakLevel.section
  }
  const cuts = pack(text, breaks, measureText(text, breaks, limits.counter, sliceCounter(text, limits.counter)), limits)
  yield* makeChunks(id, document, cuts, undefined, signal)
}

/** The vectors of an answer. Throws `INVALID_RESPONSE` unless each can be compared with the others. */
function vectorsOf(reply: Embedding, count: number, dimensions: number): readonly Float32Array[] {
  const wrong = (problem: string): never => {
    throw new GroundlineError('INVALID_RESPONSE', `the embedder gave ${problem}`, {
      details: { expected: count, dimensions },
    })
  }
  const vectors: unknown = reply?.vectors
  if (!Array.isArray(vectors)) return wrong(`no vectors for ${count} sentences`)
  if (vectors.length !== count) return wrong(`${vectors.length} vectors for ${count} sentences`)
  for (const [index, vector] of vectors.entries()) {
    if (!(vector instanceof Float32Array)) wrong(`a vector ${index} that is not a Float32Array`)
    if (vector.length !== dimensions) wrong(`a vector ${index} of ${vector.length} dimensions instead of ${dimensions}`)
    if (!vector.every(Number.isFinite)) wrong(`a vector ${index} with a component that is not a finite number`)
  }
  return vectors
}

/** One minus the cosine; 1 where a vector is zero. */
function distance(a: Float32Array, b: Float32Array): number {
  let dot = 0
  let left = 0
  let right = 0
  for (let index = 0; index < a.length; index += 1) {
    dot += a[index]! * b[index]!
    left += a[index]! ** 2
    right += b[index]! ** 2
  }
  return left === 0 || right === 0 ? 1 : 1 - dot / Math.sqrt(left * right)
}

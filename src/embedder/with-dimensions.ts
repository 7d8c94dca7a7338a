import { requireInteger } from '../internal/argument.ts'
import { checkReply } from '../internal/embedding-reply.ts'
import type { Embedder } from './embedder.ts'

/**
 * Shortens vectors to their first components and makes them unit length again. Only for models trained for it
 * (Matryoshka representation learning, Kusupati et al. 2022); others lose their meaning. Equal to what a provider
 * returns when it is asked for fewer dimensions, so the space is the same. Throws `INVALID_ARGUMENT` for more
 * dimensions than the embedder has.
 *
 * @example
 * const small = withDimensions(await staticEmbedder(), 128)
 */
export function withDimensions<I>(embedder: Embedder<I>, dimensions: number): Embedder<I> {
  requireInteger('dimensions', dimensions, 1, embedder.dimensions)
  return {
    ...embedder,
    space: { ...embedder.space, dimensions, normalized: true },
    dimensions,
    async embed(inputs, options) {
      const { vectors, usage } = await embedder.embed(inputs, options)
      const shortened = { vectors: vectors.map((vector) => shorten(vector, dimensions)), usage }
      return checkReply(embedder.space.model, shortened, inputs.length, dimensions)
    },
  }
}

function shorten(vector: Float32Array, dimensions: number): Float32Array {
  const head = vector.slice(0, dimensions)
  let squares = 0
  for (const component of head) squares += component * component
  const length = Math.sqrt(squares)
  return length === 0 ? head : head.map((component) => component / length)
}

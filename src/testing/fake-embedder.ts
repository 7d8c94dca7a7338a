import type { Embedder, Embedding, EmbedLimits, EmbedOptions } from '../embedder/embedder.ts'
import { requireInteger } from '../internal/argument.ts'

/** Options of {@link fakeEmbedder}. */
export interface FakeEmbedderOptions {
  /** Length of the vectors. Default 8. */
  readonly dimensions?: number
  /** Limits to declare. Default none. */
  readonly limits?: EmbedLimits
}

/**
 * An embedder for tests that need vectors and no meaning: each text gets a unit vector of its own, the same on every
 * run and runtime. Counts one token a character.
 *
 * @example
 * const embedder = fakeEmbedder({ dimensions: 4 })
 */
export function fakeEmbedder(options: FakeEmbedderOptions = {}): Embedder {
  const { dimensions = 8, limits } = options
  requireInteger('dimensions', dimensions, 1, 65_536)
  return {
    space: { model: 'groundline-fake', dimensions, normalized: true },
    dimensions,
    ...(limits && { limits }),
    async embed(inputs: readonly string[], { signal }: EmbedOptions = {}): Promise<Embedding> {
      signal?.throwIfAborted()
      const tokens = inputs.reduce((sum, input) => sum + input.length, 0)
      return { vectors: inputs.map((input) => vectorOf(input, dimensions)), usage: { tokens } }
    },
  }
}

function vectorOf(text: string, dimensions: number): Float32Array {
  let state = 0x811c9dc5
  for (let index = 0; index < text.length; index++) state = Math.imul(state ^ text.charCodeAt(index), 0x01000193)
  const vector = new Float32Array(dimensions)
  let sum = 0
  for (let index = 0; index < dimensions; index++) {
    // splitmix32; |0 keeps it in 32 bits.
    state = (state + 0x9e3779b9) | 0
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
    const component = ((mixed ^ (mixed >>> 15)) >>> 0) / 0x80000000 - 1
    vector[index] = component
    sum += component * component
  }
  const length = Math.sqrt(sum)
  if (length === 0) vector[0] = 1
  return length === 0 ? vector : vector.map((component) => component / length)
}

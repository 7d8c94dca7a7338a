import { GroundlineError } from '../errors.ts'
import type { Embedder } from './embedder.ts'
import { type EmbeddingPrompts, promptsFor } from './prompt-families.ts'

/**
 * Puts the texts before queries and documents that a model was trained with; without them it finds worse. By default the
 * prompts of the model's family (e5, bge, nomic, and others). They become part of the space, so vectors made with
 * other prompts are refused where these are expected. Throws `INVALID_ARGUMENT` when the embedder has prompts already,
 * `UNKNOWN_MODEL` when its family is not known and none are given.
 *
 * @example
 * const embedder = withPrompts(ollamaEmbedder({ model: 'nomic-embed-text', dimensions: 768 }))
 */
export function withPrompts(embedder: Embedder, prompts?: EmbeddingPrompts): Embedder {
  const { space } = embedder
  if (space.queryPrompt !== undefined || space.documentPrompt !== undefined) {
    throw new GroundlineError('INVALID_ARGUMENT', `${space.model} has prompts already`, { details: { space } })
  }
  const known = prompts ?? promptsFor(space.model)
  if (known === undefined) {
    throw new GroundlineError('UNKNOWN_MODEL', `no prompts are known for ${space.model}: pass { query, document }`, {
      details: { model: space.model },
    })
  }
  const { query, document } = known
  return {
    ...embedder,
    space: { ...space, queryPrompt: query, documentPrompt: document },
    embed(inputs, options) {
      const prompt = options?.role === 'query' ? query : document
      return embedder.embed(prompt === '' ? inputs : inputs.map((input) => prompt + input), options)
    },
  }
}

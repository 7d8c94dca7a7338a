import type { Embedder, Embedding, EmbeddingSpace, EmbedLimits, EmbedOptions } from '../embedder/embedder.ts'
import { GroundlineError } from '../errors.ts'
import { callProvider, type ProviderCall, type ProviderConnection } from './call-provider.ts'
import type { Deadlines } from './deadline.ts'
import { checkReply } from './embedding-reply.ts'
import { invalidResponse } from './provider-error.ts'

/** Deadlines for a client whose `fetch` has deadlines already. */
export const UNBOUNDED: Deadlines = {
  connectMs: Number.POSITIVE_INFINITY,
  headMs: Number.POSITIVE_INFINITY,
  firstByteMs: Number.POSITIVE_INFINITY,
  idleMs: Number.POSITIVE_INFINITY,
}

/** What a request is given. */
export interface RequestOptions extends ProviderCall {
  /** What the inputs are for. */
  readonly role: 'query' | 'document'
}

/** What an adapter says of its provider. */
export interface ProviderEmbedderOptions {
  /** `openai`, `cohere`, … */
  readonly provider: string
  /** The space of the vectors. */
  readonly space: EmbeddingSpace
  /** The most of one request. */
  readonly limits?: EmbedLimits | undefined
  /** Where the key and the deadline of the whole call come from. */
  readonly connection: ProviderConnection
  /** What must not appear in errors, beside the key. */
  readonly secrets?: readonly string[]
  /** Makes one request for one batch and reads the answer. */
  readonly request: (inputs: readonly string[], options: RequestOptions) => Promise<Embedding>
}

/** The part of every embedding adapter that is not about its provider: abort, deadline, typed errors, checked answers. */
export function providerEmbedder(options: ProviderEmbedderOptions): Embedder {
  const { provider, space, limits, connection, request, secrets = [] } = options
  return {
    space,
    dimensions: space.dimensions,
    ...(limits && { limits }),
    async embed(inputs: readonly string[], { signal, role = 'document' }: EmbedOptions = {}): Promise<Embedding> {
      signal?.throwIfAborted()
      if (inputs.length === 0) return { vectors: [], usage: { tokens: 0 } }
      const options = { provider, connection, secrets, operation: 'embeddings' }
      return callProvider(options, signal, async (call) =>
        checkReply(provider, await request(inputs, { ...call, role }), inputs.length, space.dimensions),
      )
    },
  }
}

/** What a model table says: its full length, the lengths it can be asked for, and its limits. */
export interface EmbeddingModelFacts {
  /** Length of its vectors when nothing is asked for. */
  readonly dimensions: number
  /** Lengths it can be asked for; absent when only the full one. */
  readonly lengths?: readonly number[]
  /** Limits of one request that differ from the provider's. */
  readonly limits?: EmbedLimits
}

/**
 * The length of a model's vectors: as asked for, or the model's own. Throws `INVALID_ARGUMENT` for a length that the model
 * does not have, and `UNKNOWN_MODEL` for a model that is not in the table when none is given.
 */
export function resolveDimensions(
  model: string,
  asked: number | undefined,
  facts: EmbeddingModelFacts | undefined,
): number {
  if (facts === undefined && asked === undefined) {
    throw new GroundlineError('UNKNOWN_MODEL', `the length of the vectors of ${model} is not known: pass dimensions`, {
      details: { model },
    })
  }
  const lengths = facts && [facts.dimensions, ...(facts.lengths ?? [])]
  const dimensions = asked ?? facts?.dimensions ?? 0
  if (!Number.isInteger(dimensions) || dimensions < 1 || (lengths && !lengths.includes(dimensions))) {
    const expected = lengths ? lengths.toSorted((a, b) => a - b).join(', ') : 'a positive integer'
    throw new GroundlineError('INVALID_ARGUMENT', `dimensions of ${model} must be one of ${expected}, got ${asked}`, {
      details: { argument: 'dimensions', model, expected, actual: asked },
    })
  }
  return dimensions
}

/** Asks a model for one vector to learn its length. */
export async function probeDimensions(
  provider: string,
  connection: ProviderConnection,
  request: (input: string, options: RequestOptions) => Promise<{ readonly length: number } | undefined>,
  signal?: AbortSignal,
  secrets: readonly string[] = [],
): Promise<number> {
  signal?.throwIfAborted()
  const options = { provider, connection, secrets, operation: 'embeddings' }
  const vector = await callProvider(options, signal, (call) => request('dimensions', { ...call, role: 'document' }))
  if (vector === undefined || vector.length === 0) throw invalidResponse(provider, 'one vector', 'none')
  return vector.length
}

/** A vector of unit length, for models that do not normalise shortened vectors themselves. Zero stays zero. */
export function unitLength(vector: Float32Array): Float32Array {
  let squares = 0
  for (const component of vector) squares += component * component
  const length = Math.sqrt(squares)
  return length === 0 ? vector : vector.map((component) => component / length)
}

import type { AbortOptions } from '../document.ts'

/** What makes two vectors comparable. Vectors of two spaces never meet in one search. */
export interface EmbeddingSpace {
  /** The model's name, as its provider spells it. */
  readonly model: string
  /** The model's revision, where there is one. */
  readonly revision?: string
  /** Length of each vector. */
  readonly dimensions: number
  /** How token vectors became one: `mean`, `cls`, `last`; absent when the provider does not say. */
  readonly pooling?: string
  /** Whether every vector has length 1. */
  readonly normalized: boolean
  /** Text put before each query. */
  readonly queryPrompt?: string
  /** Text put before each document. */
  readonly documentPrompt?: string
}

/** The most an embedder takes in one call. Absent members are unlimited. */
export interface EmbedLimits {
  /** Inputs a call. */
  readonly items?: number
  /** Tokens an input. */
  readonly inputTokens?: number
  /** Tokens a call. */
  readonly batchTokens?: number
  /** UTF-8 bytes a call. */
  readonly batchBytes?: number
  /** Whether the provider cuts inputs over `inputTokens` without a word. `embedAll` then looks at their length itself, with or without a counter. */
  readonly cutsOverlong?: boolean
}

/** What a call cost. */
export interface EmbedUsage {
  /** Tokens the provider billed; absent when it did not say. */
  readonly tokens?: number
}

/** The answer of one call: a vector for each input, in the order of the inputs. */
export interface Embedding {
  /** One vector an input, each of the space's dimensions. */
  readonly vectors: readonly Float32Array[]
  /** What the call cost. */
  readonly usage: EmbedUsage
}

/** Options of one call. */
export interface EmbedOptions extends AbortOptions {
  /** What the inputs are for. Default `document`. */
  readonly role?: 'query' | 'document'
}

/**
 * Turns inputs into vectors of one {@link EmbeddingSpace}. An implementation makes one call for one batch within its
 * limits; `embedAll` adds batches, concurrency, retries and checks.
 */
export interface Embedder<I = string> {
  /** The space its vectors lie in. */
  readonly space: EmbeddingSpace
  /** Length of each vector; equal to `space.dimensions`. */
  readonly dimensions: number
  /** The most it takes in one call. */
  readonly limits?: EmbedLimits
  /** One vector for each input, in order. */
  embed(inputs: readonly I[], options?: EmbedOptions): Promise<Embedding>
}

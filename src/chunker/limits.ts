import { GroundlineError } from '../errors.ts'
import { describe, requireInteger } from '../internal/argument.ts'
import type { ChunkCounter } from './measure.ts'
import { type PackOptions, structureFirst } from './pack.ts'
import { approximateCounter } from './unit-counter.ts'

/** How large chunks are; the same for every chunker. */
export interface ChunkLimits {
  /** The most tokens a chunk may have: an integer of at least 1. Default 512. */
  readonly maxTokens?: number
  /** Tokens that a chunk repeats of the one before, at the most: an integer from 0, below `maxTokens`. Default 0. */
  readonly overlap?: number
  /** A tokenizer or counter that says what a token is. Default {@link approximateCounter}. */
  readonly counter?: ChunkCounter
}

/** Limits with their defaults filled in and checked. */
export interface ResolvedLimits extends PackOptions {
  /** Says what a token is. */
  readonly counter: ChunkCounter
}

/** Fills in defaults. Throws `INVALID_ARGUMENT` naming the option that is wrong. */
export function resolveLimits(limits: ChunkLimits, minFill: readonly number[] = structureFirst): ResolvedLimits {
  const { maxTokens = 512, overlap = 0, counter = approximateCounter() } = limits
  requireInteger('maxTokens', maxTokens, 1)
  requireInteger('overlap', overlap, 0)
  if (overlap >= maxTokens) {
    throw new GroundlineError('INVALID_ARGUMENT', `overlap (${overlap}) must be less than maxTokens (${maxTokens})`, {
      details: { argument: 'overlap', expected: `less than ${maxTokens}`, actual: overlap },
    })
  }
  if (typeof counter?.count !== 'function' || typeof counter.id !== 'string') {
    throw new GroundlineError(
      'INVALID_ARGUMENT',
      `counter must be a tokenizer or a token counter with an id and count(text), got ${describe(counter)}`,
      { details: { argument: 'counter' } },
    )
  }
  return { maxTokens, overlap, counter, minFill, sectionFill: 0.125 }
}

import type { Metadata, Passage } from '../document.ts'
import { invalidArgument, requireFunction, requireInteger, requireNumber, requireObject } from '../internal/argument.ts'
import { rankPassages } from '../internal/rank-passages.ts'
import type { PassageTransform } from './retriever.ts'

/** Options of {@link timeDecay}. */
export interface TimeDecayOptions {
  /** When the passage's content is from, in milliseconds since 1970; undefined where nobody knows, which changes nothing. */
  readonly timeOf: (passage: Passage) => number | undefined
  /** After how many milliseconds the bonus of newness is halved. */
  readonly halfLifeMs: number
  /** The largest share of a score that age can take away, 0–1. Default 0.3. */
  readonly strength?: number
  /** What time it is. */
  readonly now: () => number
}

/**
 * Lowers the scores of old passages: `score · (1 − strength · (1 − 2^(−age / halfLife)))`. The future counts as now.
 * Scores below 0 are raised to 0 first, so that a discount never helps.
 *
 * @example
 * const newer = timeDecay({ timeOf: (p) => Date.parse(String(p.metadata.date)), halfLifeMs: 30 * 864e5, now: Date.now })
 */
// @__NO_SIDE_EFFECTS__
export function timeDecay(options: TimeDecayOptions): PassageTransform {
  requireObject('options', options)
  const { timeOf, halfLifeMs, strength = 0.3, now } = options
  requireFunction('timeOf', timeOf, 'a function from a passage to milliseconds since 1970 or undefined')
  if (!(typeof halfLifeMs === 'number' && halfLifeMs > 0))
    throw invalidArgument('halfLifeMs', 'milliseconds above 0', halfLifeMs)
  requireNumber('strength', strength, 0, 1)
  requireFunction('now', now, 'a function that gives milliseconds since 1970, such as Date.now')
  return adjusted('time', (passage) => {
    const time = timeOf(passage)
    if (time === undefined || !Number.isFinite(time)) return 1
    const age = Math.max(0, now() - time)
    return 1 - strength * (1 - 2 ** (-age / halfLifeMs))
  })
}

/** Options of {@link sourceAuthority}. */
export interface SourceAuthorityOptions {
  /** How much a passage's source is trusted, 0–1; 0.5 changes nothing. Values outside count as the nearer end. */
  readonly authorityOf: (passage: Passage) => number
  /** The largest share by which a score can rise or fall, 0–0.5. Default 0.2. */
  readonly bound?: number
}

/**
 * Raises or lowers scores by how much their source is trusted, by at most `bound`: authority decides between passages
 * that are about equally relevant, and never brings an irrelevant one to the top.
 *
 * @example
 * const trusted = sourceAuthority({ authorityOf: (p) => (p.source.uri?.startsWith('handbook/') ? 1 : 0.5) })
 */
// @__NO_SIDE_EFFECTS__
export function sourceAuthority(options: SourceAuthorityOptions): PassageTransform {
  requireObject('options', options)
  const { authorityOf, bound = 0.2 } = options
  requireFunction('authorityOf', authorityOf, 'a function from a passage to a number from 0 to 1')
  requireNumber('bound', bound, 0, 0.5)
  return adjusted('authority', (passage) => {
    const authority = Math.min(1, Math.max(0, authorityOf(passage)))
    return Number.isNaN(authority) ? 1 : 1 + bound * (2 * authority - 1)
  })
}

/** Options of {@link limitPerSource}. */
export interface LimitPerSourceOptions {
  /** The most passages of one source: an integer of at least 1. */
  readonly limit: number
  /** What counts as one source. Default: the document. */
  readonly sourceOf?: (passage: Passage) => string
}

/**
 * Keeps at most so many passages of one source, the best of each.
 *
 * @example
 * const varied = limitPerSource({ limit: 2 })
 */
// @__NO_SIDE_EFFECTS__
export function limitPerSource(options: LimitPerSourceOptions): PassageTransform {
  requireObject('options', options)
  const { limit, sourceOf = ({ documentId }) => documentId } = options
  requireFunction('sourceOf', sourceOf, 'a function from a passage to its source')
  requireInteger('limit', limit, 1)
  return async (_, passages, { signal } = {}) => {
    signal?.throwIfAborted()
    const counts = new Map<string, number>()
    return passages.filter((passage) => {
      const source = sourceOf(passage)
      const count = (counts.get(source) ?? 0) + 1
      counts.set(source, count)
      return count <= limit
    })
  }
}

/** A transform that multiplies scores with a factor, the stage's weight, and orders again. */
function adjusted(stage: string, factorOf: (passage: Passage) => number): PassageTransform {
  return async <M extends Metadata>(
    _: string,
    passages: readonly Passage<M>[],
    { signal }: { signal?: AbortSignal | undefined } = {},
  ) => {
    signal?.throwIfAborted()
    const staged = passages.map((passage) => {
      const weight = factorOf(passage)
      return { passage, weight, score: Math.max(0, passage.score) * weight }
    })
    return rankPassages(stage, staged)
  }
}

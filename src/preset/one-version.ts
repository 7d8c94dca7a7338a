import type { Corpus } from '../corpus/corpus.ts'
import type { VersionedCorpus } from '../corpus/index.ts'
import type { AbortOptions, Metadata } from '../document.ts'
import type { EmbeddingSpace } from '../embedder/embedder.ts'
import { isGroundlineError } from '../errors.ts'
import type { IndexPair } from './index-pair.ts'

/** A pair with what a question asks of it before and after. */
export interface VersionedPair<M extends Metadata> extends IndexPair<M> {
  /** The version that it holds. */
  readonly version: number
  /** Its space; undefined before the first commit. */
  readonly space: EmbeddingSpace | undefined
  /** How often it was begun to change it. */
  readonly writes: number
  /** Whether its indexes are closed. */
  readonly isFreed: boolean
}

/** Where pairs come from. */
export interface Pairs<M extends Metadata, P extends VersionedPair<M>> {
  /** The pair in step with the corpus. */
  inStep(signal: AbortSignal | undefined): Promise<P>
  /** Whether a pair is still the one that new questions get. */
  isCurrent(pair: P): boolean
  /** The pair in step with the corpus, which nobody changes until it is released. A purge frees it. */
  hold(signal: AbortSignal | undefined): Promise<P>
  release(pair: P): Promise<void>
}

/** What one question is answered from: all of it of one version. */
export interface AnswerParts<M extends Metadata> {
  /** The indexes. */
  readonly pair: IndexPair<M>
  /** The space of the vectors; undefined before the first commit. */
  readonly space: EmbeddingSpace | undefined
  /** Where the chunks are: the corpus, or a view of the version. */
  readonly store: Corpus<M>
}

/** Answers from one version. */
export type AnswerOfOneVersion<M extends Metadata> = <T>(
  work: (parts: AnswerParts<M>) => Promise<T>,
  options?: AbortOptions,
) => Promise<T>

/** How often a question runs on indexes that may change meanwhile, before it holds them. */
const UNHELD = 3

/**
 * Answers are of one version, and no write waits for a question: what a question gave or threw counts when neither the
 * pair nor the corpus changed meanwhile; otherwise it runs again, and the fourth time on a pair and a view of its own.
 */
export function answersOfOneVersion<M extends Metadata, P extends VersionedPair<M>>(
  corpus: VersionedCorpus<M>,
  pairs: Pairs<M, P>,
): AnswerOfOneVersion<M> {
  type Attempt = <T>(
    work: (parts: AnswerParts<M>) => Promise<T>,
    signal: AbortSignal | undefined,
  ) => Promise<{ readonly value: T } | undefined>

  const glance: Attempt = async (work, signal) => {
    let { version } = corpus.info()
    let isWhole = () => corpus.info().version === version
    try {
      const pair = await pairs.inStep(signal)
      const { writes } = pair
      version = pair.version
      isWhole = () => corpus.info().version === version && pairs.isCurrent(pair) && pair.writes === writes
      if (!isWhole()) return undefined
      const value = await work({ pair, space: pair.space, store: corpus })
      return isWhole() ? { value } : undefined
    } catch (error) {
      signal?.throwIfAborted()
      // What is missing may be what another process took away with a version that is not known here yet.
      await corpus.refresh({ signal })
      if (isWhole()) throw error
      return undefined
    }
  }

  const hold: Attempt = async (work, signal) => {
    let { version } = corpus.info()
    let pair: P | undefined
    try {
      pair = await pairs.hold(signal)
      version = pair.version
      const view = version === 0 ? corpus : await corpus.at(version, { signal })
      try {
        const value = await work({ pair, space: pair.space, store: view })
        // A purge takes away what a view reads.
        await corpus.refresh({ signal })
        return pair.isFreed || version < (corpus.info().purged ?? 0) ? undefined : { value }
      } finally {
        if (view !== corpus) await view.close()
      }
    } catch (error) {
      signal?.throwIfAborted()
      await corpus.refresh({ signal })
      const isCollected = isGroundlineError(error) && error.code === 'NOT_FOUND' && corpus.info().version > version
      if (pair?.isFreed || isCollected) return undefined
      throw error
    } finally {
      if (pair) await pairs.release(pair)
    }
  }

  return async (work, { signal } = {}) => {
    for (let tried = 0; ; tried++) {
      const answered = await (tried < UNHELD ? glance : hold)(work, signal)
      if (answered) return answered.value
    }
  }
}

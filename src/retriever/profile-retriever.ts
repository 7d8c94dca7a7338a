import type { AbortOptions, Metadata, Passage } from '../document.ts'
import { valueAtPath } from '../filter.ts'
import { requireArray, requireFunction, requireIdList, requireNumber, requireObject } from '../internal/argument.ts'
import { normalizedScores, rankPassages } from '../internal/rank-passages.ts'
import { requireRetriever } from './collaborators.ts'
import { topKOf } from './index-retrieval.ts'
import type { Retriever } from './retriever.ts'

/** What is known of what a user likes. An empty profile changes nothing. */
export interface RetrievalProfile {
  /** Ids of passages the user found useful. */
  readonly liked?: readonly string[]
  /** Ids of passages the user found useless. */
  readonly disliked?: readonly string[]
  /** Factors by metadata value: `{ path: ['lang'], value: 'de', factor: 1.2 }`. Each from 0.5 to 2; what lies outside counts as the nearer end. */
  readonly boosts?: readonly { readonly path: readonly string[]; readonly value: string; readonly factor: number }[]
}

/** What {@link profileRetriever} is made of. */
export interface ProfileRetrieverOptions<M extends Metadata = Metadata> {
  /** Finds passages. */
  readonly retriever: Retriever<M>
  /** The profile, as it is at the time of each retrieval. */
  readonly profile: () => RetrievalProfile
  /** Vectors of chunks by id; undefined where there is none. */
  readonly vectors: (ids: readonly string[], options?: AbortOptions) => Promise<readonly (Float32Array | undefined)[]>
  /** How much likeness to liked passages can add to a score between the worst and the best. Default 0.3. */
  readonly liking?: number
  /** How much likeness to disliked passages can take away. Default 0.15. */
  readonly disliking?: number
}

/**
 * Orders passages by the query and by a user's profile: likeness to the mean of liked passages is added, likeness to the
 * mean of disliked ones taken away (Rocchio, 1971), both within bounds, and boosts multiply. An empty profile gives the
 * retriever's own answer, untouched.
 *
 * @example
 * const mine = profileRetriever({ retriever, profile: () => profiles.get(user) ?? {}, vectors: (ids) => lookUp(ids) })
 */
// @__NO_SIDE_EFFECTS__
export function profileRetriever<M extends Metadata = Metadata>(options: ProfileRetrieverOptions<M>): Retriever<M> {
  requireObject('options', options)
  const { retriever, profile, vectors, liking = 0.3, disliking = 0.15 } = options
  requireRetriever('retriever', retriever)
  requireFunction('profile', profile, 'a function that gives the profile')
  requireFunction('vectors', vectors, 'a function from ids to vectors')
  requireNumber('liking', liking, 0, 1)
  requireNumber('disliking', disliking, 0, 1)
  return {
    async retrieve(query, retrieval) {
      const topK = topKOf(retrieval)
      const { liked = [], disliked = [], boosts = [] } = checked(profile())
      if (liked.length + disliked.length + boosts.length === 0) return retriever.retrieve(query, retrieval)
      const { signal } = retrieval ?? {}
      const wide = { ...retrieval, topK: Math.min(10_000, topK * 3) }
      const { passages, explanation } = await retriever.retrieve(query, wide)
      const ids = [...liked, ...disliked, ...passages.map(({ id }) => id)]
      const found = await vectors(ids, { signal })
      signal?.throwIfAborted()
      const likes = meanDirection(found.slice(0, liked.length))
      const dislikes = meanDirection(found.slice(liked.length, liked.length + disliked.length))
      const relevance = normalizedScores(passages.map(({ score }) => score))
      const staged = passages.map((passage, i) => {
        const vector = found[liked.length + disliked.length + i]
        const taste = liking * likeness(likes, vector) - disliking * likeness(dislikes, vector)
        const score = relevance(passage.score) + taste
        const boost = boostOf(passage, boosts)
        // Below 0 a boost divides: above 1 it never makes a score worse.
        return { passage, score: score < 0 ? score / boost : score * boost }
      })
      const note = `${liked.length} liked, ${disliked.length} disliked, ${boosts.length} boosts`
      return {
        passages: rankPassages('profile', staged, topK),
        explanation: { stages: [...explanation.stages, { stage: 'profile', candidates: passages.length, note }] },
      }
    },
  }
}

function checked(profile: RetrievalProfile): RetrievalProfile {
  requireObject('profile()', profile, 'an object with liked, disliked and boosts')
  const { liked = [], disliked = [], boosts = [] } = profile
  requireIdList('liked', liked)
  requireIdList('disliked', disliked)
  requireArray('boosts', boosts)
  for (const [at, boost] of boosts.entries()) {
    requireObject(`boosts[${at}]`, boost, 'an object with path, value and factor')
    requireIdList(`boosts[${at}].path`, boost.path)
    requireNumber(`boosts[${at}].factor`, boost.factor, 0)
  }
  return profile
}

function boostOf(passage: Passage, boosts: NonNullable<RetrievalProfile['boosts']>): number {
  let factor = 1
  for (const boost of boosts) {
    if (valueAtPath(passage.metadata, boost.path) === boost.value) factor *= Math.min(2, Math.max(0.5, boost.factor))
  }
  return factor
}

function meanDirection(vectors: readonly (Float32Array | undefined)[]): Float64Array | undefined {
  const known = vectors.filter((vector) => vector !== undefined)
  if (known.length === 0) return undefined
  const mean = new Float64Array(known[0]!.length)
  for (const vector of known) {
    let square = 0
    for (const value of vector) square += value * value
    const norm = Math.sqrt(square) || 1
    for (let i = 0; i < mean.length; i++) mean[i]! += (vector[i] ?? 0) / norm
  }
  return mean
}

/** Cosine from 0 to 1; 0 where there is nothing to compare. */
function likeness(mean: Float64Array | undefined, vector: Float32Array | undefined): number {
  if (mean === undefined || vector === undefined || vector.length !== mean.length) return 0
  let [dot, left, right] = [0, 0, 0]
  for (let i = 0; i < mean.length; i++) {
    dot += mean[i]! * vector[i]!
    left += mean[i]! ** 2
    right += vector[i]! ** 2
  }
  return left === 0 || right === 0 ? 0 : Math.max(0, dot / Math.sqrt(left * right))
}

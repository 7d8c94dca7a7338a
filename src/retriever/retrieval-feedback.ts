import type { Metadata } from '../document.ts'
import { GroundlineError } from '../errors.ts'
import {
  describe,
  requireArray,
  requireFunction,
  requireIdList,
  requireInteger,
  requireObject,
  requireString,
} from '../internal/argument.ts'
import { requireRetriever } from './collaborators.ts'
import type { LabelledQuery } from './learn-weights.ts'
import type { RetrievalProfile } from './profile-retriever.ts'
import type { Retrieval, RetrieveOptions, Retriever } from './retriever.ts'

/** What a user says of passages of one retrieval. */
export interface Verdict {
  /** Ids of passages that helped. */
  readonly liked?: readonly string[]
  /** Ids of passages that did not. */
  readonly disliked?: readonly string[]
}

/** One retrieval and what was said of it, as plain data. */
export interface FeedbackRecord {
  /** In the explanation of the retrieval as `recordId`. */
  readonly id: string
  /** What was asked. */
  readonly query: string
  /** The ids returned, best first. */
  readonly returned: readonly string[]
  /** Verdicts by passage id, the last one counts: 1 liked, 0 disliked. */
  readonly verdicts: Readonly<Record<string, 0 | 1>>
  /** Which of all verdicts each was, counted from 1; a record without it is older than all that have one. */
  readonly order?: Readonly<Record<string, number>>
}

/** Options of {@link retrievalFeedback}. */
export interface RetrievalFeedbackOptions {
  /** How many retrievals are remembered; those without a verdict are forgotten first, the oldest of them. Default 10,000. */
  readonly records?: number
  /** Records of an earlier time, as `records()` gave them. */
  readonly earlier?: readonly FeedbackRecord[]
  /** Names a retrieval. Default a random UUID. */
  readonly newId?: () => string
}

/** A retriever whose retrievals are remembered. */
export interface RememberedRetriever<M extends Metadata = Metadata> extends Retriever<M> {
  /** The retriever's own answer, and the `recordId` for `feedback`. */
  retrieve(
    query: string,
    options?: RetrieveOptions<M>,
  ): Promise<Retrieval<M> & { readonly explanation: { readonly recordId: string } }>
}

/** What {@link retrievalFeedback} makes. */
export interface RetrievalFeedback {
  /** The same retriever, with every retrieval remembered and its `recordId` in the explanation. */
  remember<M extends Metadata>(retriever: Retriever<M>): RememberedRetriever<M>
  /** Says what helped. `INVALID_ARGUMENT` for a retrieval that is not remembered or passages that it did not return; then nothing is taken. */
  feedback(recordId: string, verdict: Verdict): void
  /** What was liked and disliked, for `profileRetriever`; of a passage with several verdicts the last counts. */
  profile(): RetrievalProfile
  /** Queries with a verdict and the grades of their passages, 1 or 0, for `learnHybridWeights` and `evaluateRun`. */
  labelledQueries(): readonly LabelledQuery[]
  /** Everything remembered, oldest first, for `JSON.stringify` and `earlier`. */
  records(): readonly FeedbackRecord[]
}

/**
 * Turns what users say of passages into profiles and labelled queries. One for each user or group whose verdicts belong
 * together. Kept in memory: `storedFeedback` keeps verdicts in files, or `records()` goes anywhere as JSON.
 *
 * @example
 * const memory = retrievalFeedback()
 * const retriever = memory.remember(hybrid)
 * const { passages, explanation } = await retriever.retrieve('How do I rotate keys?')
 * memory.feedback(explanation.recordId, { liked: [passages[0].id] })
 * const mine = profileRetriever({ retriever, profile: memory.profile, vectors })
 * const { weights } = await learnHybridWeights({ lexical, dense, queries: memory.labelledQueries() })
 */
// @__NO_SIDE_EFFECTS__
export function retrievalFeedback(options: RetrievalFeedbackOptions = {}): RetrievalFeedback {
  requireObject('options', options)
  const { records: limit = 10_000, earlier = [], newId = () => globalThis.crypto.randomUUID() } = options
  requireInteger('records', limit, 1)
  requireFunction('newId', newId, 'a function that gives an id')
  requireArray('earlier', earlier)
  for (const [at, record] of earlier.entries()) requireRecord(at, record)
  const records = new Map<string, FeedbackRecord>()
  /** By passage id, in the order they came. */
  const latest = new Map<string, 0 | 1>()
  let said = 0
  const heed = (id: string, verdict: 0 | 1) => {
    latest.delete(id)
    latest.set(id, verdict)
  }
  const forget = () => {
    while (records.size > limit) {
      const silent = Array.from(records.values()).find(({ verdicts }) => Object.keys(verdicts).length === 0)
      records.delete((silent ?? records.values().next().value!).id)
    }
  }
  const told = earlier.flatMap(({ verdicts, order = {} }) =>
    Object.entries(verdicts).map(([id, verdict]) => ({ id, verdict, at: Object.hasOwn(order, id) ? order[id]! : 0 })),
  )
  for (const { id, verdict, at } of told.sort((a, b) => a.at - b.at)) {
    heed(id, verdict)
    said = at
  }
  for (const record of earlier) records.set(record.id, record)
  forget()
  const liked = (wanted: 0 | 1) => Array.from(latest).flatMap(([id, verdict]) => (verdict === wanted ? [id] : []))

  return {
    remember(retriever) {
      requireRetriever('retriever', retriever)
      return {
        async retrieve(query, retrieval) {
          const { passages, explanation } = await retriever.retrieve(query, retrieval)
          const id = newId()
          records.set(id, { id, query, returned: passages.map((passage) => passage.id), verdicts: {} })
          forget()
          return { passages, explanation: { ...explanation, recordId: id } }
        },
      }
    },
    feedback(recordId, verdict) {
      requireString('recordId', recordId)
      requireObject('verdict', verdict, 'an object with liked and disliked')
      const { liked: good = [], disliked: bad = [] } = verdict
      requireIdList('liked', good)
      requireIdList('disliked', bad)
      const record = records.get(recordId)
      if (record === undefined)
        throw new GroundlineError('INVALID_ARGUMENT', `no retrieval ${describe(recordId)} is remembered`, {
          details: { argument: 'recordId' },
        })
      const strange = [...good, ...bad].find((id) => !record.returned.includes(id))
      if (strange !== undefined)
        throw new GroundlineError(
          'INVALID_ARGUMENT',
          `retrieval ${recordId} did not return passage ${describe(strange)}`,
          { details: { argument: 'verdict', passage: describe(strange) } },
        )
      const fresh = [...bad.map((id) => [id, 0] as const), ...good.map((id) => [id, 1] as const)]
      for (const [id, verdict] of fresh) heed(id, verdict)
      // From entries, because an id may be `__proto__`.
      const verdicts = Object.fromEntries([...Object.entries(record.verdicts), ...fresh])
      const numbers = fresh.map(([id]) => [id, ++said] as const)
      const order = Object.fromEntries([...Object.entries(record.order ?? {}), ...numbers])
      records.set(recordId, { ...record, verdicts, order })
    },
    profile: () => ({ liked: liked(1), disliked: liked(0) }),
    labelledQueries() {
      const byQuery = new Map<string, Map<string, number>>()
      for (const { query, verdicts } of records.values()) {
        const judged = Object.entries(verdicts)
        if (judged.length === 0) continue
        const relevant = byQuery.get(query) ?? new Map<string, number>()
        for (const [id, verdict] of judged) relevant.set(id, verdict)
        byQuery.set(query, relevant)
      }
      return Array.from(byQuery, ([query, relevant]) => ({ query, relevant }))
    },
    records: () => Array.from(records.values()),
  }
}

function requireRecord(at: number, record: FeedbackRecord): void {
  requireObject(`earlier[${at}]`, record, 'a record as records() gives them')
  requireString(`earlier[${at}].id`, record.id)
  requireString(`earlier[${at}].query`, record.query)
  requireIdList(`earlier[${at}].returned`, record.returned)
  requireObject(`earlier[${at}].verdicts`, record.verdicts, 'an object of verdicts by passage id')
}

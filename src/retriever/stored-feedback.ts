import type { Sealer } from '../corpus/sealer.ts'
import type { Storage } from '../corpus/storage.ts'
import type { AbortOptions } from '../document.ts'
import { GroundlineError, isGroundlineError } from '../errors.ts'
import { requireObject, requireString } from '../internal/argument.ts'
import { createSerial } from '../internal/serial.ts'
import { decodeFeedback, encodeFeedback } from './feedback-file.ts'
import {
  type FeedbackRecord,
  type RetrievalFeedback,
  type RetrievalFeedbackOptions,
  retrievalFeedback,
  type Verdict,
} from './retrieval-feedback.ts'

/** Options of {@link storedFeedback}. */
export interface StoredFeedbackOptions extends Omit<RetrievalFeedbackOptions, 'earlier'>, AbortOptions {
  /** Where the files are kept. Several processes may share it; each sees the others' verdicts from its next start on. */
  readonly storage: Storage
  /** What the files' names start with; one prefix for each user or group. Default `feedback/`. */
  readonly prefix?: string
  /** Seals the files, which hold questions as they were asked: the sealer of a corpus that has a key. Default none, a digest against damage. */
  readonly sealer?: Sealer
}

/** What {@link storedFeedback} makes. */
export interface StoredFeedback extends Omit<RetrievalFeedback, 'feedback'> {
  /**
   * Says what helped; durable when it returns. Throws as `RetrievalFeedback.feedback` does. After a failure of the storage the
   * verdict counts until the process ends; say it again to have it written.
   */
  feedback(recordId: string, verdict: Verdict, options?: AbortOptions): Promise<void>
}

/** So many files are joined into one. */
const JOIN_AT = 64
/** `000000000012` is a verdict, `000000000012j` all up to it. */
const [DIGITS, NAME] = [12, /^\d{12}j?$/]

/**
 * A {@link retrievalFeedback} whose verdicts outlive the process: each is a file of its own, written durably, and 64 of them
 * are joined into one. Retrievals of which nobody said anything are remembered until the process ends. Throws `CORRUPT_DATA`
 * for a damaged file.
 *
 * @example
 * const memory = await storedFeedback({ storage: fileStorage('./feedback') })
 * const { passages, explanation } = await memory.remember(retriever).retrieve('How do I rotate keys?')
 * await memory.feedback(explanation.recordId, { liked: [passages[0].id] })
 */
export async function storedFeedback(options: StoredFeedbackOptions): Promise<StoredFeedback> {
  requireObject('options', options)
  const { storage, prefix = 'feedback/', sealer, signal, ...rest } = options
  requireObject('storage', storage, 'a storage, such as fileStorage(…) gives', ['list', 'read', 'publish', 'remove'])
  requireString('prefix', prefix)
  if (sealer !== undefined) requireObject('sealer', sealer, "a sealer, such as a keyring's", ['forFile'])
  /** Files whose verdicts are in memory. */
  let files: string[] = []
  let read = new Map<string, FeedbackRecord>()
  const load = async (): Promise<boolean> => {
    files = (await storage.list(prefix, { signal })).filter((name) => NAME.test(name.slice(prefix.length)))
    read = new Map()
    for (const name of files) {
      const bytes = await absentAsUndefined(storage.read(name, undefined, { signal }))
      if (bytes === undefined) return false
      for (const record of await decodeFeedback(name, bytes, sealer))
        read.set(record.id, merged(read.get(record.id), record))
    }
    return true
  }
  // Another process may join files while they are read.
  while (!(await load()));
  let last = Number(files.at(-1)?.slice(prefix.length, prefix.length + DIGITS) ?? 0)
  const memory = retrievalFeedback({ ...rest, earlier: Array.from(read.values()) })
  const serial = createSerial()

  const publish = async (record: FeedbackRecord, abort: AbortOptions): Promise<void> => {
    for (;;) {
      const name = `${prefix}${String(++last).padStart(DIGITS, '0')}`
      const taken = await takenAsTrue(storage.publish(name, await encodeFeedback(name, [record], sealer), abort))
      if (taken) continue
      files.push(name)
      return
    }
  }
  /** What was read or written here, as one file in its place: verdicts of other processes stand before or behind it as they did. */
  const join = async (abort: AbortOptions): Promise<void> => {
    const name = `${files.at(-1)!.slice(0, prefix.length + DIGITS)}j`
    const said = memory.records().filter(({ verdicts }) => Object.keys(verdicts).length > 0)
    if (await takenAsTrue(storage.publish(name, await encodeFeedback(name, said, sealer), abort))) return
    for (const old of files) await storage.remove(old, abort)
    files = [name]
  }

  return {
    remember: memory.remember,
    profile: memory.profile,
    labelledQueries: memory.labelledQueries,
    records: memory.records,
    feedback: (recordId, verdict, abort = {}) =>
      serial(async () => {
        abort.signal?.throwIfAborted()
        memory.feedback(recordId, verdict)
        const record = memory.records().find(({ id }) => id === recordId)
        if (record === undefined)
          throw new GroundlineError('INVALID_ARGUMENT', `no retrieval ${recordId} is remembered`)
        await publish(record, abort)
        if (files.length >= JOIN_AT) await join(abort)
      }),
  }
}

/** Both forms of a record: of two verdicts on a passage the later one. */
function merged(first: FeedbackRecord | undefined, second: FeedbackRecord): FeedbackRecord {
  const [a, b] = [new Map(Object.entries(first?.order ?? {})), new Map(Object.entries(second.order ?? {}))]
  const newer = Object.entries(second.verdicts).filter(([id]) => (b.get(id) ?? 0) >= (a.get(id) ?? 0))
  return {
    ...second,
    verdicts: Object.fromEntries([...Object.entries(first?.verdicts ?? {}), ...newer]),
    order: Object.fromEntries([...a, ...Array.from(b).filter(([id, at]) => at >= (a.get(id) ?? 0))]),
  }
}

async function absentAsUndefined(reading: Promise<Uint8Array>): Promise<Uint8Array | undefined> {
  try {
    return await reading
  } catch (error) {
    if (isGroundlineError(error) && error.code === 'NOT_FOUND') return undefined
    throw error
  }
}

async function takenAsTrue(publishing: Promise<void>): Promise<boolean> {
  try {
    await publishing
    return false
  } catch (error) {
    if (isGroundlineError(error) && error.code === 'ALREADY_EXISTS') return true
    throw error
  }
}

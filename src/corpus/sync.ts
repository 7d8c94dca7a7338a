import type { Metadata } from '../document.ts'
import { GroundlineError } from '../errors.ts'
import { requireObject } from '../internal/argument.ts'
import type { Corpus, SourceFailure, SourceItem, SyncReport } from './corpus.ts'
import { syncBatch } from './sync-batch.ts'
import { asItemError, intakeOf, type Taken } from './sync-intake.ts'
import type { SyncOptions, SyncPlan } from './sync-options.ts'

/**
 * Brings a corpus up to date with a source: takes in new and changed items, keeps what is unchanged without embedding it
 * again, and removes documents of the source's scope that it no longer lists. An item that fails is reported and its
 * earlier version stays. Commits in batches: an interrupted sync keeps what it committed, and the next one goes on.
 *
 * Chunks whose text, headings and title are unchanged keep their vectors; so do those of a renamed or copied document.
 * Throws the abort reason, what the corpus throws, and the embedder's error when three batches in a row fail as a whole.
 *
 * @example
 * ```ts
 * import { syncCorpus } from 'groundline/corpus'
 *
 * const report = await syncCorpus({ corpus, source, load: (input) => loader.load(input), chunker })
 * ```
 */
export async function syncCorpus<M extends Metadata = Metadata>(options: SyncOptions<M>): Promise<SyncReport> {
  const { corpus, source, signal, onProgress, plan } = options
  requireObject('source', source, 'a source', ['items'])
  // What another process removed or replaced is not there any more, whatever the source says of it.
  await corpus.refresh({ signal })
  const intake = intakeOf(options)
  const batch = syncBatch(options)
  const failed: SourceFailure[] = []
  const seen = new Set<string>()
  const settled = new Set(plan?.reused)
  const reused: string[] = []
  const skipped: { id: string; duplicateOf: string }[] = []
  let done = 0
  const takeIn = async (item: SourceItem<M>): Promise<void> => {
    if (settled.has(item.id)) {
      intake.stays(item.id)
      reused.push(item.id)
      return
    }
    const taken: Taken<M> | undefined = await intake.take(item).catch((error: unknown) => {
      intake.stays(item.id)
      failed.push({ id: item.id, error: asItemError(error, signal) })
      return undefined
    })
    if (taken?.kind === 'reused') reused.push(item.id)
    else if (taken?.kind === 'duplicate') skipped.push({ id: item.id, duplicateOf: taken.duplicateOf })
    else if (taken) await batch.add(taken.entry, taken.vectorsFrom)
  }
  try {
    for await (const { item, total } of itemsOf(options, seen, failed)) {
      await takeIn(item)
      done++
      onProgress?.({ done, total, id: item.id })
    }
    signal?.throwIfAborted()
    await batch.flush()
  } catch (error) {
    // Nothing is written after the promise has settled.
    await batch.settled()
    throw error
  }
  failed.push(...batch.failed)
  const hidden = [...failed.map(({ id }) => id)]
  let remove = await absentDocuments(corpus, source.scope, seen, hidden)
  const dropped = skipped.filter(({ id }) => corpus.record(id)?.scope === source.scope).map(({ id }) => id)
  if (plan) remove = remove.filter((id) => plan.removed.includes(id))
  remove.push(...dropped)
  const removed: string[] = []
  if (remove.length > 0) {
    signal?.throwIfAborted()
    const commit = await corpus.commit({ remove }, { signal })
    removed.push(...commit.removed)
    await options.onCommit?.(commit, { remove })
  }
  const { added, changed } = batch
  return { added, changed, removed, reused, failed, skipped, renamed: intake.renames(added, removed) }
}

/**
 * Says what {@link syncCorpus} would do and what it would cost, and writes nothing. Reads, loads and cuts what has
 * changed; embeds nothing. Pass the plan to `syncCorpus` to carry it out: items that were unchanged are then not looked
 * at again, and only the documents it lists are removed.
 *
 * @example
 * ```ts
 * import { planSync, syncCorpus } from 'groundline/corpus'
 *
 * const plan = await planSync({ ...options, countTokens: (text) => tokenizer.count(text), pricePerMillion: 0.02 })
 * if (plan.price < 1) await syncCorpus({ ...options, plan })
 * ```
 */
export async function planSync<M extends Metadata = Metadata>(options: SyncOptions<M>): Promise<SyncPlan> {
  const { corpus, source, signal, countTokens, pricePerMillion = 0 } = options
  requireObject('source', source, 'a source', ['items'])
  await corpus.refresh({ signal })
  const intake = intakeOf(options)
  const failed: SourceFailure[] = []
  const seen = new Set<string>()
  const [added, changed, reused]: [string[], string[], string[]] = [[], [], []]
  const skipped: { id: string; duplicateOf: string }[] = []
  const batch = syncBatch(options)
  let [chunks, embedChunks, embedTokens] = [0, 0, 0]
  for await (const { item } of itemsOf(options, seen, failed)) {
    try {
      const taken = await intake.take(item)
      if (taken.kind === 'reused') reused.push(item.id)
      else if (taken.kind === 'duplicate') skipped.push({ id: item.id, duplicateOf: taken.duplicateOf })
      else {
        ;(corpus.record(item.id) ? changed : added).push(item.id)
        chunks += taken.entry.chunks.length
        const missing = await batch.missing([taken.entry], taken.vectorsFrom)
        embedChunks += missing.length
        for (const { text } of missing) embedTokens += countTokens?.(text) ?? 0
      }
    } catch (error) {
      intake.stays(item.id)
      failed.push({ id: item.id, error: asItemError(error, signal) })
    }
  }
  const removed = await absentDocuments(
    corpus,
    source.scope,
    seen,
    failed.map(({ id }) => id),
  )
  const price = (embedTokens / 1_000_000) * pricePerMillion
  const renamed = intake.renames(added, removed)
  return { added, changed, removed, reused, failed, skipped, renamed, chunks, embedChunks, embedTokens, price }
}

/** The items of a source, each id once, with how many are known of. Ids go to `seen`, failures to `failed`. */
async function* itemsOf<M extends Metadata>(
  { corpus, source, duplicates, signal }: SyncOptions<M>,
  seen: Set<string>,
  failed: SourceFailure[],
): AsyncGenerator<{ readonly item: SourceItem<M>; readonly total: number }> {
  const listed: SourceItem<M>[] = []
  for await (const item of source.items({ signal })) {
    signal?.throwIfAborted()
    if ('error' in item) failed.push(item)
    else if (seen.has(item.id)) {
      const message = `the source lists ${JSON.stringify(item.id)} twice: the first one counts`
      failed.push({ id: item.id, error: new GroundlineError('DUPLICATE_ID', message, { details: { id: item.id } }) })
    } else {
      seen.add(item.id)
      if (source.streams) yield { item, total: seen.size }
      else listed.push(item)
    }
  }
  // Of two that say the same, the one that is stored stays.
  if (duplicates) listed.sort((a, b) => Number(!corpus.record(a.id)) - Number(!corpus.record(b.id)))
  for (const item of listed) {
    signal?.throwIfAborted()
    yield { item, total: seen.size }
  }
}

/** Documents of the scope that the source lists no more. What failed to be listed may still be there. */
async function absentDocuments<M extends Metadata>(
  corpus: Corpus<M>,
  scope: string,
  seen: ReadonlySet<string>,
  hidden: readonly string[],
): Promise<string[]> {
  const absent: string[] = []
  for await (const record of corpus.documents()) {
    if (record.scope !== scope || seen.has(record.id)) continue
    if (hidden.some((id) => id === '' || record.id === id || record.id.startsWith(`${id}/`))) continue
    absent.push(record.id)
  }
  return absent
}

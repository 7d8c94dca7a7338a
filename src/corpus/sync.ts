import type { Chunker } from '../chunker/chunker.ts'
import type { AbortOptions, Document, Metadata } from '../document.ts'
import type { EmbeddingSpace } from '../embedder/embedder.ts'
import { GroundlineError, isGroundlineError } from '../errors.ts'
import { canonicalJson, contentHash } from '../internal/hash.ts'
import type { LoaderInput } from '../loader/loader.ts'
import type { StoredChunk } from '../retriever/retriever.ts'
import type {
  Commit,
  Corpus,
  CorpusChange,
  DocumentEntry,
  Source,
  SourceFailure,
  SourceItem,
  SyncProgress,
  SyncReport,
} from './corpus.ts'
import { documentFingerprint } from './prepare-entry.ts'

/** Gives each chunk its vector, or the error that kept it from one. Called with at most `batchChunks` chunks more than one document has. */
export type EmbedChunks<M extends Metadata = Metadata> = (
  chunks: readonly StoredChunk<M>[],
  options: AbortOptions,
) => Promise<readonly (Float32Array | Error)[]>

/** What a sync works with. */
export interface SyncOptions<M extends Metadata = Metadata> extends AbortOptions {
  /** Where the documents go. */
  readonly corpus: Corpus<M>
  /** Where they come from. */
  readonly source: Source<M>
  /** Turns an item's content into a document. */
  readonly load: (input: LoaderInput<M>, options: AbortOptions) => Promise<Document<M>>
  /** Cuts documents into chunks. */
  readonly chunker: Chunker
  /** Embeds chunks; absent for a corpus without vectors. */
  readonly embed?: EmbedChunks<M> | undefined
  /** The space of those vectors. */
  readonly space?: EmbeddingSpace | undefined
  /** Names whatever else changes the chunks of a document: the loaders, say. Another value indexes everything again. */
  readonly pipeline?: string | undefined
  /** Commits once this many chunks have come together. Default 256: what an interruption costs. */
  readonly batchChunks?: number | undefined
  /** Called after each commit, with what was put; indexes follow the corpus here. */
  readonly onCommit?: ((commit: Commit, change: CorpusChange<M>) => Promise<void> | void) | undefined
  /** Called after each item. */
  readonly onProgress?: ((progress: SyncProgress) => void) | undefined
}

/** Batches that may fail as a whole, one after the other, before a sync gives up. */
const FAILING_BATCHES = 3
/** A batch is committed early when its texts reach this many UTF-16 units. */
const BATCH_UNITS = 4_000_000

/**
 * Brings a corpus up to date with a source: takes in new and changed items, keeps what is unchanged without embedding it
 * again, and removes documents of the source's scope that it no longer lists. An item that fails is reported and its
 * earlier version stays. Commits in batches: an interrupted sync keeps what it committed, and the next one goes on.
 *
 * Chunks whose text and headings are unchanged keep their vectors. Throws the abort reason, what the corpus throws, and
 * the embedder's error when three batches in a row fail as a whole.
 *
 * @example
 * ```ts
 * import { syncCorpus } from 'groundline/corpus'
 *
 * const report = await syncCorpus({ corpus, source, load: (input) => loader.load(input), chunker })
 * ```
 */
export async function syncCorpus<M extends Metadata = Metadata>(options: SyncOptions<M>): Promise<SyncReport> {
  const { corpus, source, signal, onProgress, batchChunks = 256 } = options
  const pipeline = contentHash(options.chunker.id, options.pipeline ?? '')
  const report = { added: [] as string[], changed: [] as string[], removed: [] as string[], reused: [] as string[] }
  const failed: SourceFailure[] = []
  const items = await listItems(source, failed, signal)
  const writer = batchWriter(options, report, failed)
  let done = 0
  for (const item of items.values()) {
    signal?.throwIfAborted()
    const entry = await readItem(options, item, pipeline).catch((error: unknown) => {
      failed.push({ id: item.id, error: asItemError(error, signal) })
      return 'failed' as const
    })
    if (entry === undefined) report.reused.push(item.id)
    else if (entry !== 'failed') await writer.add(entry, batchChunks)
    done++
    onProgress?.({ done, total: items.size, id: item.id })
  }
  await writer.flush()
  const remove = await absentDocuments(corpus, source.scope, items, failed)
  if (remove.length > 0) {
    signal?.throwIfAborted()
    const commit = await corpus.commit({ remove }, { signal })
    report.removed.push(...commit.removed)
    await options.onCommit?.(commit, { remove })
  }
  return { ...report, failed }
}

async function listItems<M extends Metadata>(
  source: Source<M>,
  failed: SourceFailure[],
  signal: AbortSignal | undefined,
): Promise<Map<string, SourceItem<M>>> {
  const items = new Map<string, SourceItem<M>>()
  for await (const item of source.items({ signal })) {
    signal?.throwIfAborted()
    if ('error' in item) failed.push(item)
    else if (items.has(item.id)) {
      const message = `the source lists ${JSON.stringify(item.id)} twice: the first one counts`
      failed.push({ id: item.id, error: new GroundlineError('DUPLICATE_ID', message, { details: { id: item.id } }) })
    } else items.set(item.id, item)
  }
  return items
}

/** What is to be stored of an item, without vectors; undefined when the corpus holds it as it is. */
async function readItem<M extends Metadata>(
  { corpus, source, load, chunker, signal }: SyncOptions<M>,
  item: SourceItem<M>,
  pipeline: string,
): Promise<DocumentEntry<M> | undefined> {
  const { scope } = source
  const { id, revision } = item
  const stored = corpus.record(id)
  if (stored && stored.scope !== scope) {
    const owner = stored.scope === undefined ? 'was added by itself' : `belongs to the source ${stored.scope}`
    throw new GroundlineError(
      'ALREADY_EXISTS',
      `document ${JSON.stringify(id)} ${owner}: give one of them an id prefix`,
      {
        details: { id, expected: scope, actual: stored.scope },
      },
    )
  }
  const samePipeline = stored?.pipeline === pipeline
  if (samePipeline && revision !== undefined && stored.revision === revision) return undefined
  const loaded = await load(await item.read({ signal }), { signal })
  const document = loaded.id === id ? loaded : { ...loaded, id }
  if (samePipeline && stored.fingerprint === documentFingerprint(document)) return undefined
  const chunks: StoredChunk<M>[] = []
  for await (const chunk of chunker.chunk(document, { signal })) chunks.push(chunk)
  return { document, chunks, vectors: [], scope, revision, pipeline }
}

/** Collects entries, embeds and commits them together. */
function batchWriter<M extends Metadata>(
  options: SyncOptions<M>,
  report: { added: string[]; changed: string[] },
  failed: SourceFailure[],
): { add(entry: DocumentEntry<M>, limit: number): Promise<void>; flush(): Promise<void> } {
  const { corpus, embed, space, signal, onCommit } = options
  let pending: DocumentEntry<M>[] = []
  let chunks = 0
  let units = 0
  let failingBatches = 0

  const commitAll = async (entries: readonly DocumentEntry<M>[]): Promise<void> => {
    let put = entries
    while (put.length > 0) {
      try {
        const change: CorpusChange<M> = { put, space: embed && space }
        const commit = await corpus.commit(change, { signal })
        report.added.push(...commit.added)
        report.changed.push(...commit.changed)
        await onCommit?.(commit, change)
        return
      } catch (error) {
        // One document that the corpus refuses must not take the batch with it.
        const id = isGroundlineError(error) ? error.details.id : undefined
        const refused = put.find(({ document }) => document.id === id)
        if (!refused) throw error
        failed.push({ id: refused.document.id, error: asItemError(error, signal) })
        put = put.filter((entry) => entry !== refused)
      }
    }
  }

  const flush = async (): Promise<void> => {
    const batch = pending
    pending = []
    chunks = 0
    units = 0
    if (batch.length === 0) return
    if (!embed) return commitAll(batch)
    let embedded: DocumentEntry<M>[]
    try {
      embedded = await embedEntries(corpus, batch, embed, failed, signal, space)
      failingBatches = 0
    } catch (error) {
      signal?.throwIfAborted()
      if (++failingBatches >= FAILING_BATCHES) throw error
      for (const { document } of batch) failed.push({ id: document.id, error: asItemError(error, signal) })
      return
    }
    await commitAll(embedded)
  }

  return {
    add: async (entry, limit) => {
      pending.push(entry)
      chunks += entry.chunks.length
      units += entry.document.text.length
      if (chunks >= limit || units >= BATCH_UNITS) await flush()
    },
    flush,
  }
}

/** The entries of a batch with vectors: those of unchanged chunks from the corpus, the others embedded in one call. */
async function embedEntries<M extends Metadata>(
  corpus: Corpus<M>,
  batch: readonly DocumentEntry<M>[],
  embed: EmbedChunks<M>,
  failed: SourceFailure[],
  signal: AbortSignal | undefined,
  space: EmbeddingSpace | undefined,
): Promise<DocumentEntry<M>[]> {
  const known = new Map<string, Float32Array>()
  const reusable = canonicalJson(corpus.info().space) === canonicalJson(space)
  const documentIds = reusable ? batch.map(({ document }) => document.id) : []
  for await (const { chunk, vector } of corpus.entries({ documentIds, signal })) {
    if (vector) known.set(embeddingKey(chunk), vector)
  }
  const missing: StoredChunk<M>[] = []
  for (const { chunks, document } of batch) {
    for (const chunk of chunks) {
      const { uri, title } = document
      const source = { ...(uri !== undefined && { uri }), ...(title !== undefined && { title }) }
      if (!known.has(embeddingKey({ ...chunk, source }))) missing.push({ ...chunk, source })
    }
  }
  const made = missing.length === 0 ? [] : await embed(missing, { signal })
  if (made.length !== missing.length) {
    throw new GroundlineError('INVALID_RESPONSE', `embed gave ${made.length} vectors for ${missing.length} chunks`, {
      details: { expected: missing.length, actual: made.length },
    })
  }
  const errors = new Map<string, Error>()
  for (const [index, chunk] of missing.entries()) {
    const vector = made[index]!
    if (vector instanceof Error) errors.set(chunk.documentId, vector)
    else known.set(embeddingKey(chunk), vector)
  }
  return batch.flatMap((entry) => {
    const { document, chunks } = entry
    const error = errors.get(document.id)
    if (error) {
      failed.push({ id: document.id, error })
      return []
    }
    const { uri, title } = document
    const source = { ...(uri !== undefined && { uri }), ...(title !== undefined && { title }) }
    return [{ ...entry, vectors: chunks.map((chunk) => known.get(embeddingKey({ ...chunk, source }))!) }]
  })
}

/** What an embedder may read of a chunk: equal keys have equal vectors. */
function embeddingKey({ text, headingPath, source }: StoredChunk): string {
  return JSON.stringify([text, headingPath ?? [], source?.title ?? ''])
}

/** Documents of the scope that the source lists no more. What failed to be listed may still be there. */
async function absentDocuments<M extends Metadata>(
  corpus: Corpus<M>,
  scope: string,
  items: ReadonlyMap<string, unknown>,
  failed: readonly SourceFailure[],
): Promise<string[]> {
  const hidden = failed.map(({ id }) => id)
  const absent: string[] = []
  for await (const record of corpus.documents()) {
    if (record.scope !== scope || items.has(record.id)) continue
    if (hidden.some((id) => id === '' || record.id === id || record.id.startsWith(`${id}/`))) continue
    absent.push(record.id)
  }
  return absent
}

function asItemError(error: unknown, signal: AbortSignal | undefined): Error {
  signal?.throwIfAborted()
  if (isGroundlineError(error) && FATAL.has(error.code)) throw error
  return error instanceof Error ? error : new Error(String(error))
}

/** Failures of the corpus rather than of an item. */
const FATAL: ReadonlySet<string> = new Set(['CLOSED', 'READ_ONLY', 'SPACE_MISMATCH', 'CONFLICT'])

import type { Chunker } from '../chunker/chunker.ts'
import type { AbortOptions, Document, Metadata } from '../document.ts'
import { GroundlineError, isGroundlineError } from '../errors.ts'
import { contentHash } from '../internal/hash.ts'
import { textVersion } from '../internal/text-version.ts'
import type { StoredChunk } from '../retriever/retriever.ts'
import type { Corpus, DocumentEntry, DocumentRecord, SourceItem, SyncReport } from './corpus.ts'
import { documentFingerprint, requireDocument } from './prepare-entry.ts'
import type { SyncOptions } from './sync-options.ts'
import { originalsIn } from './sync-originals.ts'

/** What became of an item. */
export type Taken<M extends Metadata> =
  | { readonly kind: 'reused' }
  | { readonly kind: 'duplicate'; readonly duplicateOf: string }
  | {
      readonly kind: 'entry'
      readonly entry: DocumentEntry<M>
      /** Another document with the same text, whose vectors will do. */
      readonly vectorsFrom: string | undefined
    }

/** Reads the items of one sync. */
export interface Intake<M extends Metadata> {
  /** What is to be stored of an item, without vectors. */
  take(item: SourceItem<M>): Promise<Taken<M>>
  /** Says that an item stays as it is stored, though nothing was taken of it. */
  stays(id: string): void
  /** Which of the added documents have the text of a removed one. */
  renames(added: readonly string[], removed: readonly string[]): SyncReport['renamed']
}

/** Reads items and compares them with what the corpus holds. */
export function intakeOf<M extends Metadata>(options: SyncOptions<M>): Intake<M> {
  const { corpus, source, load, prepare, chunker, duplicates, expires, signal } = options
  // What was linked as a duplicate has no chunks: another policy looks at everything again.
  const pipeline = contentHash(chunker.id, options.pipeline ?? '', ...(duplicates ? [duplicates.policy] : []))
  const originals = duplicates && originalsIn(corpus, duplicates)
  const removedVersions = new Map<string, string>()
  const addedVersions = new Map<string, string>()
  const damagedIds = new Set(corpus.info().damage.flatMap(({ documents = [] }) => documents))
  let sameText: Map<string, string> | undefined

  /** A stored document with this text. */
  const holderOf = async (version: string): Promise<string | undefined> => {
    if (!sameText) {
      sameText = new Map()
      for await (const record of corpus.documents({ signal })) {
        sameText.set(record.version, record.id)
        if (record.scope === source.scope) removedVersions.set(record.id, record.version)
      }
    }
    return sameText.get(version)
  }

  const reused = (id: string): Taken<M> => {
    originals?.stays(id)
    return { kind: 'reused' }
  }

  return {
    stays: (id) => originals?.stays(id),
    take: async (item) => {
      const { id, revision } = item
      const stored = ownRecord(corpus, source.scope, id)
      // What is damaged is taken in again, though the source has not changed.
      const samePipeline = stored?.pipeline === pipeline && !damagedIds.has(id)
      // What was linked must be looked at again: its original may have gone.
      const linked = duplicates?.policy === 'link' && stored?.chunkIds.length === 0
      if (samePipeline && !linked && revision !== undefined && stored.revision === revision) return reused(id)
      const loaded = await load(await item.read({ signal }), { signal })
      const named = loaded.id === id ? loaded : { ...loaded, id }
      const document = prepare ? await prepare(named) : named
      requireDocument(document)
      const unchanged = samePipeline && stored.fingerprint === documentFingerprint(document)
      if (unchanged && !linked) return reused(id)
      const duplicateOf = await originals?.of(id, document.text)
      if (duplicateOf !== undefined && duplicates?.policy === 'skip') return { kind: 'duplicate', duplicateOf }
      const chunks: readonly StoredChunk<M>[] =
        duplicateOf === undefined ? await chunksOf(chunker, document, { signal }) : []
      if (unchanged && chunks.length === 0) return { kind: 'reused' }
      const version = chunks[0]?.documentVersion ?? textVersion(document)
      if (!stored) addedVersions.set(id, version)
      const vectorsFrom = stored ? undefined : await holderOf(version)
      return {
        kind: 'entry',
        entry: { document, chunks, vectors: [], scope: source.scope, revision, pipeline, expires: expires?.(document) },
        vectorsFrom,
      }
    },
    renames: (added, removed) => {
      const gone = new Map<string, string>()
      for (const id of removed) gone.set(removedVersions.get(id) ?? '', id)
      return added.flatMap((to) => {
        const from = gone.get(addedVersions.get(to) ?? '-')
        return from === undefined ? [] : [{ from, to }]
      })
    },
  }
}

/** All chunks of a document. Within the sync's own `take`, V8 would compile the loop again for each sync. */
async function chunksOf<M extends Metadata>(
  chunker: Chunker,
  document: Document<M>,
  options: AbortOptions,
): Promise<StoredChunk<M>[]> {
  const chunks: StoredChunk<M>[] = []
  const cut = chunker.chunk(document, options)
  // A promise a chunk would cost more than some chunkers do.
  if (Symbol.iterator in cut) for (const chunk of cut) chunks.push(chunk)
  else for await (const chunk of cut) chunks.push(chunk)
  return chunks
}

/** The stored document of an id, which must be of the scope. */
function ownRecord<M extends Metadata>(corpus: Corpus<M>, scope: string, id: string): DocumentRecord<M> | undefined {
  const stored = corpus.record(id)
  if (!stored || stored.scope === scope) return stored
  const owner = stored.scope === undefined ? 'was added by itself' : `belongs to the source ${stored.scope}`
  throw new GroundlineError(
    'ALREADY_EXISTS',
    `document ${JSON.stringify(id)} ${owner}: give one of them an id prefix`,
    {
      details: { id, expected: scope, actual: stored.scope },
    },
  )
}

/** What failed as the failure of one item; throws what is not one item's. */
export function asItemError(error: unknown, signal: AbortSignal | undefined): Error {
  signal?.throwIfAborted()
  if (isGroundlineError(error) && FATAL.has(error.code)) throw error
  return error instanceof Error ? error : new Error(String(error))
}

/** Failures of the corpus rather than of an item. */
const FATAL: ReadonlySet<string> = new Set(['CLOSED', 'READ_ONLY', 'SPACE_MISMATCH', 'CONFLICT'])

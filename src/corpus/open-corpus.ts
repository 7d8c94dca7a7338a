import type { AbortOptions, Document, Metadata } from '../document.ts'
import { GroundlineError, isGroundlineError } from '../errors.ts'
import { checksumSealer } from './checksum-sealer.ts'
import type { Corpus, CorpusChange, Damage } from './corpus.ts'
import { commitChange } from './corpus-commit.ts'
import { corpusReader } from './corpus-reader.ts'
import { asDamage, type CorpusState, emptyState, stateOf } from './corpus-state.ts'
import { listVersions, type Manifest, readManifest } from './manifest.ts'
import type { Sealer } from './sealer.ts'
import { openSegment, type Segment } from './segment.ts'
import type { Storage } from './storage.ts'

/** How to open a corpus. */
export interface OpenCorpusOptions extends AbortOptions {
  /** Where its files are. */
  readonly storage: Storage
  /** Whether commits throw `READ_ONLY`. Default false. */
  readonly readOnly?: boolean
  /** Protects its records. Default: checksums. */
  readonly sealer?: Sealer
}

/**
 * Opens a corpus, or starts an empty one: nothing is written before the first commit. Reads the newest manifest and
 * the catalogue of each segment, no text and no vector.
 *
 * Throws `CORRUPT_DATA` when the newest manifest is damaged beyond its second copy, `UNSUPPORTED_FORMAT` for files of a
 * newer version, `INVALID_ARGUMENT` when a key is missing or superfluous.
 *
 * @example
 * ```ts
 * import { memoryStorage, openCorpus } from 'groundline/corpus'
 *
 * const corpus = await openCorpus({ storage: memoryStorage() })
 * await corpus.commit({ put: [{ document: { id: 'a', text: 'Hello' }, chunks: [], vectors: [] }] })
 * ```
 */
export async function openCorpus<M extends Metadata = Metadata>(options: OpenCorpusOptions): Promise<Corpus<M>> {
  const { storage, readOnly = false, sealer = checksumSealer() } = options
  const found = new Map<string, Damage>()
  let state = await newestState(emptyState, options)
  let closed = false
  /** Commits of this object run one after the other. */
  let tail: Promise<unknown> = Promise.resolve()

  async function newestState(known: CorpusState, { signal }: AbortOptions): Promise<CorpusState> {
    for (;;) {
      const newest = (await listVersions(storage, { signal })).at(-1) ?? 0
      if (newest <= (known.manifest?.version ?? 0)) return known
      try {
        return await loadState(storage, sealer, await readManifest(storage, newest, sealer, { signal }), known, signal)
      } catch (error) {
        // A collection of another process may take the manifest between the listing and the reading; then there is a newer one.
        const gone = isGroundlineError(error) && error.code === 'NOT_FOUND'
        if (!gone || ((await listVersions(storage, { signal })).at(-1) ?? 0) === newest) throw error
      }
    }
  }

  const requireOpen = (): CorpusState => {
    if (closed) throw new GroundlineError('CLOSED', 'the corpus is closed: open it again')
    return state
  }

  const exclusively = <T>(run: () => Promise<T>): Promise<T> => {
    const result = tail.then(run)
    tail = result.catch(() => undefined)
    return result
  }

  const reader = corpusReader<M>(requireOpen, (damage) => found.set(`${damage.file}:${damage.offset}`, damage))

  return {
    readOnly,
    get: reader.get,
    document: (id: string, each?: AbortOptions): Promise<Document<M> | undefined> => reader.document(id, each),
    record: reader.record,
    documents: reader.documents,
    entries: reader.entries,
    commit: async (change: CorpusChange<M>, { signal }: AbortOptions = {}) => {
      requireOpen()
      if (readOnly) {
        throw new GroundlineError(
          'READ_ONLY',
          'cannot commit: the corpus was opened read-only; open it without readOnly',
        )
      }
      signal?.throwIfAborted()
      return exclusively(async () => {
        requireOpen()
        const done = await commitChange({ storage, sealer, state, refresh: newestState, signal }, change)
        state = done.state
        return done.commit
      })
    },
    refresh: (each: AbortOptions = {}) =>
      exclusively(async () => {
        const before = requireOpen()
        state = await newestState(before, each)
        return state !== before
      }),
    info: () => {
      const { manifest, documents, chunks, damage } = requireOpen()
      const space = manifest?.spaces[manifest.active]
      return {
        version: manifest?.version ?? 0,
        documents: documents.size,
        chunks,
        ...(space && { space }),
        damage: [...damage, ...found.values()],
      }
    },
    close: async () => {
      await tail
      closed = true
      reader.forget()
    },
  }
}

/** Opens the segments of a manifest, those already open excepted. A damaged catalogue takes its segment away, not the rest. */
export async function loadState(
  storage: Storage,
  sealer: Sealer,
  manifest: Manifest,
  known: CorpusState,
  signal: AbortSignal | undefined,
): Promise<CorpusState> {
  const open = new Map(known.segments.map((segment) => [segment.ref.name, segment]))
  const segments: Segment[] = []
  const damage: Damage[] = []
  for (const ref of manifest.segments) {
    try {
      segments.push(open.get(ref.name) ?? (await openSegment(storage, ref, sealer, { signal })))
    } catch (error) {
      damage.push(asDamage(error))
    }
  }
  return stateOf(manifest, segments, damage)
}

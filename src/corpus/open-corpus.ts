import type { AbortOptions, Metadata } from '../document.ts'
import { GroundlineError } from '../errors.ts'
import { enterAudit, readAudit } from './audit.ts'
import { backupCorpus } from './backup.ts'
import { checksumSealer } from './checksum-sealer.ts'
import { collectVersions } from './collection.ts'
import { compactCorpus, isFragmented } from './compaction.ts'
import { commitChange } from './corpus-commit.ts'
import { type CorpusCore, openCore } from './corpus-core.ts'
import { addTag, removeTag, rollBack, versionsOf, viewOf } from './corpus-history.ts'
import { corpusReader } from './corpus-reader.ts'
import { readVectorBlocks, readVectors } from './corpus-vectors.ts'
import { listVersions } from './manifest.ts'
import { purgeCorpus } from './purge.ts'
import { candidateView, discardCandidate, planReembed, promote, reembed } from './reembed.ts'
import type { Sealer } from './sealer.ts'
import type { Storage } from './storage.ts'
import { requireNoTenants } from './tenants-mark.ts'
import { verifyCorpus } from './verification.ts'
import type { KeepOptions, VersionedCorpus } from './versioned-corpus.ts'

/** How to open a corpus. */
export interface OpenCorpusOptions extends AbortOptions {
  /** Where its files are. */
  readonly storage: Storage
  /** Whether commits throw `READ_ONLY`; there must be something to read. Default false. */
  readonly readOnly?: boolean
  /** Protects its records. Default: checksums. */
  readonly sealer?: Sealer
  /** Which old versions a collection keeps, the automatic one included. */
  readonly keep?: KeepOptions
  /** Whether commits join small segments and collect old versions now and then. Default `automatic`. */
  readonly maintenance?: 'automatic' | 'manual'
}

/** A commit whose version is a multiple of this collects first. */
const COLLECT_EVERY = 64

/**
 * Opens a corpus, or starts an empty one, which writes nothing before the first commit. Reads the newest manifest and
 * the catalogue of each segment, no text and no vector.
 *
 * Throws `CORRUPT_DATA` when the newest manifest is damaged beyond its second copy, `UNSUPPORTED_FORMAT` for files of a
 * newer version, `INVALID_ARGUMENT` when a key is missing or superfluous, `NOT_FOUND` when there is nothing to be read only.
 *
 * @example
 * ```ts
 * import { memoryStorage, openCorpus } from 'groundline/corpus'
 *
 * const corpus = await openCorpus({ storage: memoryStorage() })
 * await corpus.commit({ put: [{ document: { id: 'a', text: 'Hello' }, chunks: [], vectors: [] }] })
 * ```
 */
export async function openCorpus<M extends Metadata = Metadata>(
  options: OpenCorpusOptions,
): Promise<VersionedCorpus<M>> {
  const { storage, readOnly = false, sealer = checksumSealer(), keep = {}, maintenance = 'automatic', signal } = options
  await requireNoTenants(storage, { signal })
  const core = await openCore(storage, sealer, readOnly, { signal })
  if (readOnly && !core.head().manifest) {
    throw new GroundlineError('NOT_FOUND', 'there is no corpus to read: check its place, or open it for writing first')
  }
  return corpusOver<M>(core, readOnly, keep, maintenance)
}

/** The corpus over an opened core. */
export function corpusOver<M extends Metadata>(
  core: CorpusCore,
  readOnly: boolean,
  keep: KeepOptions,
  maintenance: 'automatic' | 'manual',
): VersionedCorpus<M> {
  const { exclusively } = core
  const reader = corpusReader<M>(
    () => core.head().state,
    core.report,
    async () => (await exclusively(() => core.renew())).state,
  )
  /** Runs a writer after the others, unless the corpus is read-only or closed. */
  const writing = async <T>(action: string, run: () => Promise<T>): Promise<T> => {
    core.requireWritable(action)
    return exclusively(async () => {
      core.requireWritable(action)
      return run()
    })
  }
  /** Runs something that the audit trail tells of. It is refused where the trail is of a newer format, and entered at once after it. */
  const audited = <T>(action: string, run: () => Promise<T>): Promise<T> =>
    writing(action, async () => {
      await enterAudit(core, 'before')
      const value = await run()
      await enterAudit(core, 'after')
      return value
    })
  // Before a commit, so that its failure is the commit's and nothing acknowledged depends on it.
  const maintain = async (each: AbortOptions): Promise<void> => {
    const { state } = core.head()
    await enterAudit(core, 'after')
    if (maintenance === 'manual') return
    if (isFragmented(state)) await compactCorpus(core, 'small', each)
    const due = state.snapshot.version > 0 && state.snapshot.version % COLLECT_EVERY === 0
    if (due && (await listVersions(core.storage, each)).length > (keep.versions ?? 32)) {
      await collectVersions(core, keep, each)
    }
  }

  return {
    readOnly,
    get: reader.get,
    document: reader.document,
    record: reader.record,
    documents: reader.documents,
    entries: reader.entries,
    commit: (change, { signal } = {}) =>
      writing('commit', async () => {
        signal?.throwIfAborted()
        await maintain({ signal })
        return commitChange(core, change, { signal })
      }),
    refresh: async (each = {}) => {
      const before = core.head()
      // Asked at every question, so not behind the writers of this object: only what is news waits for them.
      const newest = (await listVersions(core.storage, each)).at(-1) ?? 0
      if (newest <= before.state.snapshot.version) return false
      return exclusively(async () => (await core.renew(each)) !== before)
    },
    info: () => {
      const { manifest, state } = core.head()
      const { snapshot, documents, chunks, holds } = state
      return {
        version: snapshot.version,
        ...(snapshot.content !== undefined && { content: snapshot.content }),
        ...(manifest?.origin !== undefined && { origin: manifest.origin }),
        ...(holds !== undefined && { holds }),
        documents: documents.size,
        chunks,
        ...(snapshot.space && { space: snapshot.space }),
        ...(manifest?.purged !== undefined && { purged: manifest.purged }),
        damage: core.damage(),
      }
    },
    vectors: (each) => readVectors<M>(core.head().state, core.report, each),
    vectorBlocks: (each) => readVectorBlocks<M>(core.head().state, core.report, each),
    versions: async (each = {}) => versionsOf(core, each),
    at: async (version, each = {}) => viewOf<M>(core, version, each),
    rollback: (version, each = {}) => audited('roll back', () => rollBack(core, version, each)),
    tag: (name, each = {}) => audited('tag', () => addTag(core, name, each)),
    tags: async (each = {}) => {
      each.signal?.throwIfAborted()
      return (core.head().manifest?.tags ?? []).map(({ name, snapshot: { version }, hold }) => ({
        name,
        version,
        ...(hold !== undefined && { hold }),
      }))
    },
    untag: (name, each = {}) => audited('untag', () => removeTag(core, name, each)),
    planReembed: async (space, each = {}) => planReembed(core, space, each),
    reembed: async (each) => {
      core.requireWritable('embed again')
      return reembed(core, each)
    },
    candidate: async (each = {}) => candidateView<M>(core, each),
    promote: (each = {}) => audited('promote', () => promote(core, each)),
    discardCandidate: (each = {}) => writing('discard the candidate', () => discardCandidate(core, each)),
    compact: ({ mode = 'all', ...each } = {}) => writing('compact', () => compactCorpus(core, mode, each)),
    collect: ({ keep: own, ...each } = {}) => writing('collect', () => collectVersions(core, own ?? keep, each)),
    purge: (each = {}) => audited('purge', () => purgeCorpus(core, each)),
    audit: async (each = {}) => readAudit(core, each),
    backup: async (to, each = {}) => exclusively(() => backupCorpus(core, to, each)),
    verify: async (each = {}) => verifyCorpus(core, each),
    close: async () => {
      await core.close()
      reader.forget()
    },
  }
}

import type { AbortOptions, Metadata } from '../document.ts'
import { GroundlineError } from '../errors.ts'
import { describe } from '../internal/argument.ts'
import { auditPurged } from './audit.ts'
import { collectVersions } from './collection.ts'
import { joinSegments } from './compaction.ts'
import type { Commit, Corpus } from './corpus.ts'
import { type CorpusCore, nextManifest } from './corpus-core.ts'
import { type CorpusState, loadState } from './corpus-state.ts'
import type { Tag } from './manifest.ts'

/** What a purge removed, and what is left: the proof that nothing else is. */
export interface PurgeReport {
  /** Ids of documents that were in a tag and are in the corpus no more: they are out of the tags now. */
  readonly documents: readonly string[]
  /** Tags that were written again without them. */
  readonly tags: readonly string[]
  /** Names of removed files. */
  readonly removedFiles: readonly string[]
  /** Every file that is left, and what it is for. */
  readonly files: readonly { readonly name: string; readonly purpose: string }[]
  /** Files in the storage that are not the corpus's: whether they hold anything purged is not known. Should be empty. */
  readonly unaccounted: readonly string[]
}

/**
 * Removes every trace of the documents that are in the corpus no more: rows of segments, older versions, their rows in
 * tags, a candidate that holds them, derived files and leftovers. Earlier revisions of documents that are still there
 * stay in tags. Open views become unreadable.
 *
 * Throws `LEGAL_HOLD` when a hold keeps one of the documents, and then changes nothing.
 */
export async function purgeCorpus(core: CorpusCore, options: AbortOptions): Promise<PurgeReport> {
  await core.renew(options)
  const purged = new Set<string>()
  let rewritten: string[] = []
  await core.amend(async ({ state: current, manifest: base }) => {
    purged.clear()
    rewritten = []
    if (!base) return undefined
    const tags: Tag[] = []
    for (const tag of base.tags) {
      const content = await core.load(tag.snapshot, options)
      const gone = [...content.documents.keys()].filter((id) => !current.documents.has(id))
      if (gone.length > 0 && tag.hold !== undefined) throw held(tag, gone.length)
      for (const id of gone) purged.add(id)
      if (gone.length > 0) rewritten.push(tag.name)
      tags.push({
        ...tag,
        snapshot: { ...tag.snapshot, segments: await rewrite(core, without(content, gone), options) },
      })
    }
    const segments = await rewrite(core, current, options)
    const purge = { segments, tags, candidate: undefined, purged: base.version + 1 }
    const manifest = nextManifest(
      base,
      { action: 'purge', ...purge },
      { action: 'purge', details: { documents: purged.size } },
    )
    return { manifest, state: await loadState(core.storage, core.sealer, manifest, current.segments, options) }
  }, options)
  core.pins.clear()
  const removedFiles: string[] = []
  for (const name of await core.storage.list('derived/', options)) {
    await core.storage.remove(name, options)
    removedFiles.push(name)
  }
  const { files } = await collectVersions(core, { versions: 1, milliseconds: 0 }, options)
  removedFiles.push(...files)
  await auditPurged(core, removedFiles.length)
  return { documents: [...purged].sort(), tags: rewritten, removedFiles, ...(await account(core, options)) }
}

/** Removes documents whose time has come. Their bytes go with the next purge. */
export async function expireDocuments<M extends Metadata>(
  corpus: Corpus<M>,
  { now = new Date(), signal }: AbortOptions & { readonly now?: Date } = {},
): Promise<Commit> {
  const remove: string[] = []
  for await (const { id, expires } of corpus.documents({ signal })) {
    if (expires !== undefined && Date.parse(expires) <= now.getTime()) remove.push(id)
  }
  return corpus.commit({ remove }, { signal })
}

/** The living rows of a state in segments that hold nothing else. */
async function rewrite(
  core: CorpusCore,
  state: CorpusState,
  options: AbortOptions,
): Promise<CorpusState['snapshot']['segments']> {
  const isClean = state.segments.every(
    ({ removed, rows }) => removed.length === 0 && rows.every((row) => state.documents.get(row.id)?.row === row),
  )
  if (state.damage.length > 0) throw unreadable(state.damage[0]!.message)
  if (isClean) return state.segments.map(({ ref }) => ref)
  const joined = await joinSegments(core, state, state.segments, options)
  if (!joined) throw unreadable('a record is damaged')
  return joined.map(({ ref }) => ref)
}

function without(state: CorpusState, ids: readonly string[]): CorpusState {
  if (ids.length === 0) return state
  const documents = new Map(state.documents)
  for (const id of ids) documents.delete(id)
  return { ...state, documents }
}

function unreadable(what: string): GroundlineError {
  return new GroundlineError(
    'CORRUPT_DATA',
    `cannot purge while the corpus is damaged: ${what}; put or remove the damaged documents first (see verify())`,
  )
}

function held({ name, hold }: Tag, documents: number): GroundlineError {
  return new GroundlineError(
    'LEGAL_HOLD',
    `the hold ${describe(name)} (${hold}) keeps ${documents} of the documents to purge: release it with untag first`,
    { details: { tag: name, hold, documents } },
  )
}

/** Every file of the storage with its purpose. */
async function account(core: CorpusCore, options: AbortOptions): Promise<Pick<PurgeReport, 'files' | 'unaccounted'>> {
  const { manifest } = core.head()
  const used = new Set<string>()
  for (const { segments } of [
    ...(manifest ? [manifest] : []),
    ...(manifest?.tags ?? []).map(({ snapshot }) => snapshot),
  ]) {
    for (const { name } of segments) used.add(name)
  }
  const files: { name: string; purpose: string }[] = []
  const unaccounted: string[] = []
  for (const name of await core.storage.list('', options)) {
    const purpose = used.has(name)
      ? 'documents of the newest version or a tag'
      : name.startsWith('manifests/')
        ? 'names the segments of the newest version'
        : name.startsWith('keys/')
          ? 'wrapped keys'
          : name.startsWith('audit/')
            ? 'audit trail, without ids and text'
            : name.startsWith('derived/')
              ? 'index made from the newest version after the purge'
              : undefined
    if (purpose === undefined) unaccounted.push(name)
    else files.push({ name, purpose })
  }
  return { files, unaccounted }
}

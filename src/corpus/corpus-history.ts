import type { AbortOptions, Metadata } from '../document.ts'
import { GroundlineError, isGroundlineError } from '../errors.ts'
import { describe, requireString } from '../internal/argument.ts'
import type { Corpus, Damage } from './corpus.ts'
import { type CorpusCore, type Head, nextManifest } from './corpus-core.ts'
import { corpusReader } from './corpus-reader.ts'
import type { CorpusState } from './corpus-state.ts'
import { readVectorBlocks, readVectors } from './corpus-vectors.ts'
import { listVersions, readManifest, type Snapshot } from './manifest.ts'
import { requireName } from './prepare-entry.ts'
import type { TagOptions, VersionInfo } from './versioned-corpus.ts'

/** The versions that can be read, oldest first. A version whose manifest is damaged is left out and reported. */
export async function versionsOf(core: CorpusCore, options: AbortOptions): Promise<readonly VersionInfo[]> {
  const tags = core.head().manifest?.tags ?? []
  const found: VersionInfo[] = []
  for (const number of await listVersions(core.storage, options)) {
    try {
      const { version, time, action, space } = await readManifest(core.storage, number, core.sealer, options)
      const names = tags.filter(({ snapshot }) => snapshot.version === version).map(({ name }) => name)
      found.push({ version, time, action, tags: names, ...(space && { space }) })
    } catch (error) {
      if (!isGroundlineError(error) || (error.code !== 'NOT_FOUND' && error.code !== 'CORRUPT_DATA')) throw error
      if (error.code === 'CORRUPT_DATA')
        core.report({ file: String(error.details.file), offset: 0, message: error.message })
    }
  }
  return found
}

/** A read-only corpus over one version, which is not collected by this process until it is closed. */
export async function viewOf<M extends Metadata>(
  core: CorpusCore,
  version: number | string,
  options: AbortOptions,
): Promise<Corpus<M>> {
  // A copy of its own, so that two views of one version pin it twice.
  const snapshot = { ...(await snapshotOf(core, core.head(), version, options)) }
  core.pins.add(snapshot)
  try {
    return corpusView<M>(await core.load(snapshot, options), () => core.pins.delete(snapshot))
  } catch (error) {
    core.pins.delete(snapshot)
    throw error
  }
}

/** A read-only {@link Corpus} over a state that stays as it is. */
export function corpusView<M extends Metadata>(state: CorpusState, onClose: () => void): Corpus<M> {
  let closed = false
  const found = new Map<string, Damage>()
  const current = (): CorpusState => {
    if (closed) throw new GroundlineError('CLOSED', 'the view is closed: open it again with at()')
    return state
  }
  const report = (damage: Damage): void => {
    found.set(`${damage.file}:${damage.offset}`, damage)
  }
  const reader = corpusReader<M>(current, report)
  return {
    readOnly: true,
    get: reader.get,
    document: reader.document,
    record: reader.record,
    documents: reader.documents,
    entries: reader.entries,
    vectors: (each) => readVectors<M>(current(), report, each),
    vectorBlocks: (each) => readVectorBlocks<M>(current(), report, each),
    commit: async () => {
      current()
      throw new GroundlineError('READ_ONLY', 'cannot commit to a view of a version: commit to the corpus itself')
    },
    refresh: async () => {
      current()
      return false
    },
    info: () => {
      const { snapshot, documents, chunks, damage, holds } = current()
      return {
        version: snapshot.version,
        ...(snapshot.content !== undefined && { content: snapshot.content }),
        ...(holds !== undefined && { holds }),
        documents: documents.size,
        chunks,
        ...(snapshot.space && { space: snapshot.space }),
        damage: [...damage, ...found.values()],
      }
    },
    close: async () => {
      if (closed) return
      closed = true
      reader.forget()
      onClose()
    },
  }
}

/** Publishes an earlier content as a new version. */
export async function rollBack(core: CorpusCore, version: number | string, options: AbortOptions): Promise<number> {
  const { state } = await core.amend(async (head) => {
    const { segments, space, ...target } = await snapshotOf(core, head, version, options)
    const { version: origin, content = origin } = target
    const manifest = nextManifest(
      head.manifest,
      { action: 'rollback', segments, space, origin, content, candidate: undefined },
      { action: 'rollback', details: { to: version } },
    )
    return { manifest, state: { ...(await core.load({ ...manifest }, options)), snapshot: manifest } }
  }, options)
  return state.snapshot.version
}

/** Keeps a version under a name. */
export async function addTag(core: CorpusCore, name: string, { version, hold, signal }: TagOptions): Promise<void> {
  requireName('tag', name)
  if (/^\d+$/.test(name)) {
    throw new GroundlineError('INVALID_ARGUMENT', `a tag must not be a number, got ${describe(name)}`)
  }
  if (hold !== undefined) requireString('hold', hold)
  await core.amend(
    async (head) => {
      if (!head.manifest) throw new GroundlineError('NOT_FOUND', 'there is no version to tag: commit something first')
      if (head.manifest.tags.some((tag) => tag.name === name)) {
        throw new GroundlineError('ALREADY_EXISTS', `the tag ${describe(name)} exists already: untag it first`, {
          details: { tag: name },
        })
      }
      const snapshot = await snapshotOf(core, head, version ?? head.manifest.version, { signal })
      const tags = [...head.manifest.tags, { name, snapshot, ...(hold !== undefined && { hold }) }]
      const audit = hold === undefined ? undefined : { action: 'hold' as const, details: { tag: name, reason: hold } }
      const manifest = nextManifest(head.manifest, { action: 'tag', tags }, audit)
      return { manifest, state: { ...head.state, snapshot: manifest } }
    },
    { signal },
  )
}

/** Gives a tag up. */
export async function removeTag(core: CorpusCore, name: string, options: AbortOptions): Promise<void> {
  requireString('tag', name)
  await core.amend(async (head) => {
    const hold = head.manifest?.tags.find((tag) => tag.name === name)?.hold
    const tags = head.manifest?.tags.filter((tag) => tag.name !== name) ?? []
    if (tags.length === (head.manifest?.tags.length ?? 0)) {
      throw new GroundlineError('NOT_FOUND', `there is no tag ${describe(name)}`, { details: { tag: name } })
    }
    const audit = hold === undefined ? undefined : { action: 'release' as const, details: { tag: name } }
    const manifest = nextManifest(head.manifest, { action: 'tag', tags }, audit)
    return { manifest, state: { ...head.state, snapshot: manifest } }
  }, options)
}

/** The snapshot of a version or tag. Throws `NOT_FOUND` when it was collected or never was. */
async function snapshotOf(
  core: CorpusCore,
  { manifest }: Head,
  version: number | string,
  options: AbortOptions,
): Promise<Snapshot> {
  const tag = manifest?.tags.find(({ name, snapshot }) => name === version || snapshot.version === version)
  if (tag) return tag.snapshot
  const missing = (cause?: unknown): GroundlineError =>
    new GroundlineError(
      'NOT_FOUND',
      `there is no version or tag ${describe(version)}: it was collected, or never was; versions() lists them`,
      { cause, details: { version: typeof version === 'number' ? version : describe(version) } },
    )
  if (typeof version !== 'number' || !Number.isInteger(version) || version < 1) throw missing()
  if (manifest?.version === version) return snapshotIn(manifest)
  let found: Snapshot
  try {
    found = await readManifest(core.storage, version, core.sealer, options)
  } catch (error) {
    if (isGroundlineError(error) && error.code === 'NOT_FOUND') throw missing(error)
    throw error
  }
  // A collection that has begun may have removed some of its files already.
  if (found.segments.some(({ name }) => manifest?.condemned.includes(name))) throw missing()
  return snapshotIn(found)
}

function snapshotIn({ version, segments, space, content }: Snapshot): Snapshot {
  return { version, segments, ...(space && { space }), ...(content !== undefined && { content }) }
}

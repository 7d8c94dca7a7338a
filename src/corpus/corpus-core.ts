import type { AbortOptions } from '../document.ts'
import { GroundlineError, isGroundlineError } from '../errors.ts'
import type { Damage } from './corpus.ts'
import { type CorpusState, emptyState, loadState } from './corpus-state.ts'
import {
  encodeManifest,
  listVersions,
  type Manifest,
  manifestName,
  readManifest,
  type Snapshot,
  type UnauditedAction,
} from './manifest.ts'
import type { Sealer } from './sealer.ts'
import type { Segment } from './segment.ts'
import type { Storage } from './storage.ts'

/** A version and what it holds. */
export interface Head {
  /** The manifest; undefined before the first commit. */
  readonly manifest: Manifest | undefined
  /** Its content. */
  readonly state: CorpusState
}

/** A version to be published. */
export interface Amendment {
  /** Its manifest. */
  readonly manifest: Manifest
  /** Its content. */
  readonly state: CorpusState
}

/** What the parts of an open corpus share: the newest version known, and the one way to make the next. */
export interface CorpusCore {
  /** Where the files are. */
  readonly storage: Storage
  /** Seals what is written. */
  readonly sealer: Sealer
  /** Snapshots that open views read: they are not collected. */
  readonly pins: Set<Snapshot>
  /** The newest version known. Throws `CLOSED`. */
  head(): Head
  /** Throws `READ_ONLY` or `CLOSED` unless the corpus may be written. */
  requireWritable(action: string): void
  /** Looks for a newer version and makes it the head. */
  renew(options?: AbortOptions): Promise<Head>
  /** Content of a snapshot; segments that are open are not opened again. */
  load(snapshot: Snapshot, options?: AbortOptions): Promise<CorpusState>
  /** Runs one writer of this object after the other. */
  exclusively<T>(run: () => Promise<T>): Promise<T>
  /**
   * Publishes the version that `make` derives from the head, and makes it the head; on top of whichever version another
   * writer published first. Undefined leaves everything as it is. Call it within `exclusively`.
   */
  amend(make: (head: Head) => Promise<Amendment | undefined>, options?: AbortOptions): Promise<Head>
  /** Says that everything up to a version is in the audit trail, so that later manifests need not carry it. */
  noteAudited(version: number): void
  /** The last version of which that is known. */
  audited(): number
  /** Remembers damage for `info()`. */
  report(damage: Damage): void
  /** What was found damaged so far. */
  damage(): readonly Damage[]
  /** Ends all use. */
  close(): Promise<void>
}

/** States kept, so that going back to one opens nothing. */
const RECENT_STATES = 4

/** Reads the newest version and holds it. */
export async function openCore(
  storage: Storage,
  sealer: Sealer,
  readOnly: boolean,
  options: AbortOptions,
): Promise<CorpusCore> {
  const found = new Map<string, Damage>()
  let recent: readonly CorpusState[] = []
  let current: Head = await newest({ manifest: undefined, state: emptyState }, options)
  let closed = false
  let audited = 0
  let tail: Promise<unknown> = Promise.resolve()

  async function newest(known: Head, { signal }: AbortOptions): Promise<Head> {
    for (;;) {
      const version = (await listVersions(storage, { signal })).at(-1) ?? 0
      if (version <= known.state.snapshot.version) return known
      try {
        const manifest = await readManifest(storage, version, sealer, { signal })
        const state = await load(manifest, { signal })
        // A purge or collection of another process may take segments as well.
        if (state.damage.length > 0 && (await listVersions(storage, { signal })).at(-1)! > version) continue
        return { manifest, state }
      } catch (error) {
        // A collection of another process may take the manifest between the listing and the reading; then there is a newer one.
        const gone = isGroundlineError(error) && error.code === 'NOT_FOUND'
        if (!gone || ((await listVersions(storage, { signal })).at(-1) ?? 0) === version) throw error
      }
    }
  }

  async function load(snapshot: Snapshot, each: AbortOptions = {}): Promise<CorpusState> {
    const same = recent.find((one) => one.damage.length === 0 && holdSame(one.snapshot, snapshot))
    const known: Segment[] = []
    for (const state of recent) known.push(...state.segments)
    const state = same ? { ...same, snapshot } : await loadState(storage, sealer, snapshot, known, each)
    recent = [state, ...recent].slice(0, RECENT_STATES)
    return state
  }

  const head = (): Head => {
    if (closed) throw new GroundlineError('CLOSED', 'the corpus is closed: open it again')
    return current
  }

  const renew = async (each: AbortOptions = {}): Promise<Head> => {
    current = await newest(head(), each)
    return current
  }

  return {
    storage,
    sealer,
    pins: new Set(),
    head,
    requireWritable: (action) => {
      head()
      if (!readOnly) return
      throw new GroundlineError('READ_ONLY', `cannot ${action}: the corpus was opened read-only`)
    },
    renew,
    load,
    exclusively: (run) => {
      const result = tail.then(run)
      tail = result.catch(() => undefined)
      return result
    },
    amend: async (make, { signal } = {}) => {
      for (;;) {
        signal?.throwIfAborted()
        const base = head()
        const made = await make(base).catch(async (error: unknown) => {
          // What the head names may have been collected by another process since: then there is a newer version.
          if (!isGroundlineError(error) || error.code !== 'NOT_FOUND') throw error
          if ((await renew({ signal })) === base) throw error
          return 'outdated' as const
        })
        if (made === 'outdated') continue
        if (!made) return base
        const unaudited = made.manifest.unaudited?.filter((entry) => entry.version > audited)
        const amendment = {
          ...made,
          manifest: { ...made.manifest, unaudited: unaudited?.length ? unaudited : undefined },
        }
        if (await publishManifest(storage, amendment.manifest, sealer, signal)) {
          recent = [amendment.state, ...recent].slice(0, RECENT_STATES)
          current = amendment
          return current
        }
        const after = await renew({ signal })
        if (after.state.snapshot.version > base.state.snapshot.version) continue
        throw new GroundlineError(
          'STORAGE_FAILED',
          `the storage says that version ${amendment.manifest.version} exists, and does not list it`,
          { details: { file: manifestName(amendment.manifest.version) } },
        )
      }
    },
    noteAudited: (version) => {
      audited = Math.max(audited, version)
    },
    audited: () => audited,
    report: (damage) => found.set(`${damage.file}:${damage.offset}`, damage),
    damage: () => [...head().state.damage, ...found.values()],
    close: async () => {
      await tail
      closed = true
      recent = []
    },
  }
}

/** Whether two snapshots have the same content: segments are never rewritten under their names. */
function holdSame(a: Snapshot, b: Snapshot): boolean {
  return a.segments.length === b.segments.length && a.segments.every(({ name }, at) => name === b.segments[at]!.name)
}

/** The manifest that follows another. `audit` is what the trail is to say of it. */
export function nextManifest(
  base: Manifest | undefined,
  changes: Pick<Manifest, 'action'> & Partial<Manifest>,
  audit?: Pick<UnauditedAction, 'action' | 'details'>,
): Manifest {
  const version = (base?.version ?? 0) + 1
  const time = new Date().toISOString()
  // Tags and collections leave the content as it is; a rollback says whose it takes over.
  const isSame = base !== undefined && changes.segments === undefined
  return {
    segments: [],
    tags: [],
    condemned: [],
    ...base,
    content: isSame ? (base.content ?? base.version) : undefined,
    origin: isSame ? base.version : undefined,
    ...changes,
    ...(audit && { unaudited: [...(base?.unaudited ?? []), { ...audit, version, time }] }),
    version,
    id: crypto.randomUUID(),
    parent: base?.id ?? '',
    time,
  }
}

/** Claims a manifest's number. False when another writer has it, or had it before it was collected. */
async function publishManifest(
  storage: Storage,
  manifest: Manifest,
  sealer: Sealer,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const name = manifestName(manifest.version)
  const bytes = await encodeManifest(manifest, sealer)
  try {
    await storage.publish(name, bytes, { signal })
  } catch (error) {
    if (isGroundlineError(error) && error.code === 'ALREADY_EXISTS') return false
    throw error
  }
  // From here on the version may be visible: it is carried to its end whatever the signal says.
  const newest = (await listVersions(storage)).at(-1) ?? 0
  if (newest <= manifest.version) return true
  // Somebody is ahead: on top of this manifest, or because the number had been used and collected before.
  const follower = await readManifest(storage, manifest.version + 1, sealer).catch((error: unknown) => {
    if (isGroundlineError(error) && error.code === 'NOT_FOUND') return undefined
    throw error
  })
  if (follower?.parent === manifest.id) return true
  await storage.remove(name)
  return false
}

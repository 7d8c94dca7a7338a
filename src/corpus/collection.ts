import type { AbortOptions } from '../document.ts'
import { isGroundlineError } from '../errors.ts'
import { type CorpusCore, nextManifest } from './corpus-core.ts'
import { listVersions, type Manifest, manifestName, readManifest, type Snapshot } from './manifest.ts'
import { isSegmentName } from './segment.ts'
import type { CollectReport, KeepOptions } from './versioned-corpus.ts'

/**
 * Removes the versions that need not be kept and the segments that no kept one names. A segment is first condemned in a
 * published manifest: a writer in another process that has written it but not yet named it finds it condemned when it
 * tries to publish, and writes it again. No clock of another machine is relied on.
 */
export async function collectVersions(
  core: CorpusCore,
  keep: KeepOptions,
  options: AbortOptions,
): Promise<CollectReport> {
  const { storage } = core
  await core.renew(options)
  let dropped: readonly number[] = []
  let condemned: readonly string[] = []
  let isDue = false
  await core.amend(async ({ manifest: base, state }) => {
    if (!base) return undefined
    const kept = await keptManifests(core, base, keep, options)
    const versions = new Set(kept.map(({ version }) => version))
    dropped = (await listVersions(storage, options)).filter(
      (version) => version <= base.version && !versions.has(version),
    )
    const used = new Set<string>()
    for (const { segments } of [base, ...kept, ...keptSnapshots(base), ...core.pins]) {
      for (const { name } of segments) used.add(name)
    }
    // What an earlier collection condemned may be going this moment: it stays condemned until it is gone.
    condemned = (await storage.list('segments/', options)).filter(
      (name) => isSegmentName(name) && (!used.has(name) || base.condemned.includes(name)),
    )
    // The version that this collection makes has the content of `base`, which may then go too.
    isDue = condemned.length > 0 || dropped.some((version) => version !== base.version)
    if (!isDue) return undefined
    const next = nextManifest(base, { action: 'collect', condemned })
    return { manifest: next, state: { ...state, snapshot: next } }
  }, options)
  const files: string[] = []
  if (isDue) {
    for (const name of [...dropped.map(manifestName), ...condemned]) {
      options.signal?.throwIfAborted()
      await storage.remove(name, options)
      files.push(name)
    }
  }
  await storage.sweep?.(options)
  return { versions: isDue ? dropped : [], files }
}

/** The manifests that the options keep, once this collection has made one more. */
async function keptManifests(
  core: CorpusCore,
  base: Manifest,
  { versions = 32, milliseconds = 600_000 }: KeepOptions,
  options: AbortOptions,
): Promise<readonly Manifest[]> {
  const numbers = (await listVersions(core.storage, options)).toReversed()
  const kept: Manifest[] = []
  // A version was the newest until the one after it was made: whoever opened it last did so then.
  let newestUntil = Date.now()
  for (const [rank, version] of numbers.entries()) {
    if (version > base.version) continue
    try {
      const manifest = await readManifest(core.storage, version, core.sealer, options)
      if (rank + 1 < versions || Date.now() - newestUntil < milliseconds) kept.push(manifest)
      newestUntil = Date.parse(manifest.time)
    } catch (error) {
      // A damaged manifest says nothing of what it needs; it goes with the versions that are not kept.
      if (!isGroundlineError(error) || (error.code !== 'NOT_FOUND' && error.code !== 'CORRUPT_DATA')) throw error
    }
  }
  return kept
}

/** What a manifest keeps besides its own content. */
function keptSnapshots({ tags, candidate }: Manifest): readonly Snapshot[] {
  return [...tags.map(({ snapshot }) => snapshot), ...(candidate ? [candidate] : [])]
}

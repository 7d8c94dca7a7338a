import type { AbortOptions } from '../document.ts'
import { type CorpusCore, nextManifest } from './corpus-core.ts'
import { asDamage, type CorpusState, loadState } from './corpus-state.ts'
import { spaceKey } from './manifest.ts'
import {
  buildSegment,
  originOf,
  RECORD,
  type Segment,
  type SegmentDocument,
  segmentName,
  writtenSegment,
} from './segment.ts'

/** A compacted segment is closed once it has this many bytes. */
const SEGMENT_BYTES = 32 << 20
/** Segments up to this many bytes count as small. */
const SMALL_BYTES = 4 << 20
/** So many neighbouring small segments are joined when a commit finds them. */
const SMALL_RUN = 32

/** Whether enough small segments stand side by side to be joined. */
export function isFragmented(state: CorpusState): boolean {
  return smallRun(state).length >= SMALL_RUN
}

/** Publishes a version with the same documents in fewer segments. */
export async function compactCorpus(core: CorpusCore, mode: 'small' | 'all', options: AbortOptions): Promise<void> {
  await core.amend(async (head) => {
    const { state, manifest: base } = head
    const run = mode === 'all' ? state.segments : smallRun(state)
    const isStale = run.some((segment) => hasDead(state, segment) || segment.ref.epoch !== core.sealer.epoch)
    const isSplit = mode === 'all' ? smallRun(state).length > 1 : run.length > 1
    if (!base || !(isStale || isSplit)) return undefined
    const joined = await joinSegments(core, state, run, options)
    if (!joined) return undefined
    const replaced = new Set(run.map(({ ref }) => ref.name))
    const splice = <T>(all: readonly T[], nameOf: (item: T) => string, made: readonly T[]): T[] => {
      const at = all.findIndex((item) => replaced.has(nameOf(item)))
      return all.flatMap((item, index) => (index === at ? made : replaced.has(nameOf(item)) ? [] : [item]))
    }
    const refs = joined.map(({ ref }) => ref)
    // Segments that could not be opened stay named: their damage must not be forgotten.
    const segments = splice(base.segments, ({ name }) => name, refs)
    const manifest = nextManifest(base, { action: 'compact', segments })
    return {
      manifest,
      state: await loadState(core.storage, core.sealer, manifest, [...state.segments, ...joined], options),
    }
  }, options)
}

/**
 * Writes the living documents of neighbouring segments into new ones. Undefined when a record is damaged: the segments
 * then stay as they are, so that nothing is dropped without a word.
 */
export async function joinSegments(
  core: CorpusCore,
  state: CorpusState,
  run: readonly Segment[],
  options: AbortOptions,
): Promise<readonly Segment[] | undefined> {
  const isFirst = state.segments[0] === run[0] && state.damage.length === 0
  const gone = new Set<string>()
  for (const segment of run) {
    for (const id of segment.removed) gone.add(id)
    for (const { id } of segment.rows) gone.add(id)
  }
  const within = new Set(run)
  const living = [...state.documents.values()].filter(({ segment }) => within.has(segment))
  for (const { row } of living) gone.delete(row.id)
  living.sort((a, b) => (a.row.id < b.row.id ? -1 : 1))
  // Earlier segments may still hold what this run removed or replaced.
  let removed: readonly string[] = isFirst ? [] : [...gone].sort()
  const supersedes = isFirst ? [] : [...new Set(run.flatMap(({ ref }) => ref.supersedes))]
  const made: Segment[] = []
  let pending: SegmentDocument[] = []
  let bytes = 0
  const flush = async (): Promise<void> => {
    if (pending.length === 0 && removed.length === 0) return
    const content = { documents: pending, removed, space: spaceKey(state.snapshot.space), supersedes }
    const built = await buildSegment(segmentName(), content, core.sealer)
    await core.storage.writeNew(built.ref.name, built.bytes, options)
    made.push(writtenSegment(core.storage, core.sealer, built, 'as bytes'))
    pending = []
    removed = []
    bytes = 0
  }
  for (const { row, segment } of living) {
    options.signal?.throwIfAborted()
    try {
      const reader = await segment.reader()
      const record = await reader.record(row.at, RECORD.document, options)
      const vectors = row.vectorsAt && (await reader.record(row.vectorsAt, RECORD.vectors, options))
      pending.push({ row: { ...row.body, origin: originOf(row, segment.ref) }, record, vectors })
      bytes += record.length + (vectors?.length ?? 0)
    } catch (error) {
      core.report(asDamage(error, [row.id]))
      return undefined
    }
    if (bytes >= SEGMENT_BYTES) await flush()
  }
  await flush()
  return made
}

/** The last run of neighbouring small segments. */
function smallRun({ segments }: CorpusState): readonly Segment[] {
  let end = segments.length
  while (end > 0 && segments[end - 1]!.ref.length > SMALL_BYTES) end--
  let start = end
  while (start > 0 && segments[start - 1]!.ref.length <= SMALL_BYTES) start--
  return segments.slice(start, end)
}

/** Whether a segment holds anything that the newest content does not use. */
function hasDead(state: CorpusState, segment: Segment): boolean {
  return segment.removed.length > 0 || segment.rows.some((row) => state.documents.get(row.id)?.row !== row)
}

import { createHash } from 'node:crypto'
import { open, readdir, readFile, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Metadata } from '../../document.ts'
import { GroundlineError, isGroundlineError } from '../../errors.ts'
import type { VectorTable } from '../../internal/vector-table.ts'
import type { Calibration } from './calibration.ts'
import { Graph, usualWidth, viewGraph } from './graph.ts'
import { newFileName, type PublishedFile, publishBytes, verifyFile } from './graph-file.ts'
import type { GraphKeeper } from './graph-keeper.ts'
import type { GraphSettings, NativeModule } from './native-graph.ts'
import type { RowFile } from './row-file.ts'
import { type SnapshotLine, SnapshotLines } from './snapshot-lines.ts'

/** What is saved, and where. */
export interface SnapshotContext<M extends Metadata> {
  /** The index's folder. */
  readonly directory: string
  /** Its entries. */
  readonly table: VectorTable<M>
  /** Its graph. */
  readonly keeper: GraphKeeper
  /** What graphs are made with. */
  readonly settings: GraphSettings
}

/** What restoring takes. */
export interface RestoreContext<M extends Metadata> extends SnapshotContext<M> {
  /** The native module. */
  readonly native: NativeModule
  /** The file that rows are kept in, if they are. */
  readonly rows: RowFile | undefined
}

interface Header {
  readonly format: 1
  readonly settings: GraphSettings
  readonly entries: number
  readonly vectors: PublishedFile
  readonly graph?: {
    readonly file: PublishedFile
    readonly size: number
    readonly keys: number
    readonly target: number
    readonly calibration: Calibration
    readonly measuredDead: number
    readonly heldKeys: readonly number[]
    readonly truth: readonly (readonly number[])[]
  }
}

const BATCH = 256
const NAME = /^(?:snapshot-\d{12}\.json|vectors-[0-9a-f]{24}\.f32|graph-[0-9a-f]{24}\.usearch)(?:\.tmp)?$/

/** Writes entries, vectors and the graph's measurements under new names; the list that names them comes last. */
export async function saveSnapshot<M extends Metadata>(
  context: SnapshotContext<M>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { table, keeper } = context
  // Graph and keys as they are now: a build may put others in their place while files are written.
  const { graph } = keeper
  const entries = Array.from(table.entries.entries())
  const keys = entries.map(([, slot]) => keeper.keys.keyOf(slot) ?? null)
  keeper.savingFile = graph?.origin.file?.name
  try {
    await writeSnapshot(context, graph, entries, keys, signal)
  } finally {
    keeper.savingFile = undefined
  }
}

async function writeSnapshot<M extends Metadata>(
  { directory, table, keeper, settings }: SnapshotContext<M>,
  graph: Graph | undefined,
  entries: readonly (readonly [id: string, slot: number])[],
  keys: readonly (number | null)[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const vectors = await publishBytes(join(directory, `${newFileName('vectors')}.f32`), rowsOf(table, entries), signal)
  const header: Header = {
    format: 1,
    settings,
    entries: entries.length,
    vectors,
    ...(graph?.origin.file && {
      graph: {
        file: graph.origin.file,
        size: graph.size,
        keys: graph.slotOfKey.length,
        target: graph.report.target,
        calibration: graph.calibration,
        measuredDead: graph.measuredDead,
        heldKeys: Array.from(graph.report.heldKeys),
        truth: graph.report.truth.map((keys) => Array.from(keys)),
      },
    }),
  }
  const lines = entries.map(([id, slot], i): string => {
    const line: SnapshotLine = [id, keys[i]!, table.entries.metadataAt(slot) ?? null]
    return JSON.stringify(line)
  })
  const body = Buffer.from([JSON.stringify(header), ...lines].join('\n'))
  const digest = Buffer.from(`${createHash('sha256').update(body).digest('hex')}\n`)
  const number = (await snapshotsIn(directory)).at(-1)?.number ?? 0
  const name = `snapshot-${String(number + 1).padStart(12, '0')}.json`
  await publishBytes(join(directory, name), [digest, body], signal)
  const saved = graph?.origin.file?.name
  const before = keeper.savedFile
  keeper.savedFile = saved
  await removeOthers(directory, [name, vectors.name, saved], keeper)
  // While a graph is being built only that one is known to be of no use.
  if (before !== undefined && before !== saved && before !== currentFile(keeper))
    await unlink(join(directory, before)).catch(() => undefined)
}

/**
 * Opens the newest snapshot, if there is one. Damaged entries or vectors are `CORRUPT_DATA`; a damaged graph is left
 * out, to be built again.
 */
export async function openSnapshot<M extends Metadata>(context: RestoreContext<M>): Promise<void> {
  const { directory, keeper, settings, native } = context
  const newest = (await snapshotsIn(directory)).at(-1)
  if (newest === undefined) return
  const { header, lines } = parseSnapshot<M>(newest.name, await readFile(join(directory, newest.name)))
  requireSame(header.settings, settings)
  const slots = new Int32Array(header.graph?.keys ?? 0).fill(-1)
  await readEntries(context, header, lines, slots)
  if (header.graph !== undefined && sameGraph(header.settings, settings)) {
    const { file, size, target, calibration, measuredDead, heldKeys, truth } = header.graph
    try {
      const path = await verifyFile(directory, file)
      const report = {
        size,
        target,
        calibration,
        heldKeys: Uint32Array.from(heldKeys),
        truth: truth.map((keys) => Uint32Array.from(keys)),
      }
      keeper.savedFile = file.name
      keeper.adopt(
        new Graph(
          viewGraph(native, settings, usualWidth(calibration), path),
          { file, path },
          Uint32Array.from(slots, (slot) => slot >>> 0),
          report,
        ),
        slots,
        measuredDead,
      )
      await keeper.measureCosts()
    } catch (error) {
      if (!isGroundlineError(error) || error.code !== 'CORRUPT_DATA') throw error
    }
  }
  await removeOthers(directory, [newest.name, header.vectors.name], keeper)
}

function currentFile(keeper: GraphKeeper): string | undefined {
  return keeper.graph?.origin.file?.name
}

/**
 * Restores entries with the rows of the vector file, which is read once: its digest is known when all is there. Where
 * rows are kept on file they stay in this one, and entries stay text.
 */
async function readEntries<M extends Metadata>(
  { directory, table, rows }: RestoreContext<M>,
  { vectors, entries }: Header,
  lines: SnapshotLines<M>,
  slotOfKey: Int32Array,
): Promise<void> {
  const { dimensions } = table
  // One block for all: garbage of this size would stay with the process.
  const block = new Float32Array(BATCH * dimensions)
  const hash = createHash('sha256')
  const path = join(directory, vectors.name)
  const file = await open(path, 'r').catch((cause: unknown) => {
    throw damaged(vectors.name, 'it is missing or cannot be read', cause)
  })
  try {
    const { size } = await file.stat()
    if (lines.count !== entries || size !== vectors.bytes || size !== entries * dimensions * 4)
      throw damaged(vectors.name, 'its length does not fit')
    // Side by side, because a match takes both.
    const restored: (string | M | undefined)[] = []
    for (let from = 0; from < entries; from += BATCH) {
      const part = block.subarray(0, Math.min(BATCH, entries - from) * dimensions)
      const bytes = new Uint8Array(part.buffer, 0, part.byteLength)
      const { bytesRead } = await file.read(bytes, 0, bytes.length, from * dimensions * 4)
      if (bytesRead !== bytes.length) throw damaged(vectors.name, 'it ends too early')
      hash.update(bytes)
      table.restoreRows(from, part, rows === undefined ? 'to be stored' : 'in place')
      for (let slot = from; slot < Math.min(entries, from + BATCH); slot++) {
        const [id, key] = lines.lineAt(slot)
        if (key !== null && key < slotOfKey.length) slotOfKey[key] = slot
        if (rows === undefined) restored.push(id, lines.metadataAt(slot))
      }
    }
    if (hash.digest('hex') !== vectors.sha256) throw damaged(vectors.name, 'its digest does not fit')
    rows?.adopt(path, entries)
    const inMemory = {
      count: entries,
      idAt: (slot: number) => restored[2 * slot] as string,
      metadataAt: (slot: number) => restored[2 * slot + 1] as M | undefined,
    }
    table.restore(rows === undefined ? inMemory : lines)
  } finally {
    await file.close()
  }
}

function* rowsOf<M extends Metadata>(
  table: VectorTable<M>,
  entries: readonly (readonly [string, number])[],
): Generator<Uint8Array> {
  for (let from = 0; from < entries.length; from += BATCH) {
    const part = entries.slice(from, from + BATCH)
    const rows = new Float32Array(part.length * table.dimensions)
    part.forEach(([, slot], i) => {
      rows.set(table.vectorAt(slot), i * table.dimensions)
    })
    yield new Uint8Array(rows.buffer)
  }
}

function parseSnapshot<M extends Metadata>(name: string, bytes: Buffer): { header: Header; lines: SnapshotLines<M> } {
  const body = bytes.subarray(65)
  const digest = createHash('sha256').update(body).digest('hex')
  if (bytes.subarray(0, 65).toString('latin1') !== `${digest}\n`) throw damaged(name, 'its digest does not fit')
  const end = body.indexOf(10)
  const header = JSON.parse(body.toString('utf8', 0, end < 0 ? body.length : end)) as Header
  if (header.format !== 1)
    throw new GroundlineError('UNSUPPORTED_FORMAT', `the index file ${name} has format ${String(header.format)}, not 1`)
  return { header, lines: new SnapshotLines<M>(body, end < 0 ? body.length : end + 1, header.entries) }
}

function requireSame(saved: GraphSettings, wanted: GraphSettings): void {
  if (saved.dimensions !== wanted.dimensions || saved.metric !== wanted.metric)
    throw new GroundlineError(
      'DIMENSION_MISMATCH',
      `the saved index has ${saved.dimensions} dimensions and metric ${saved.metric}, but it is opened with ${wanted.dimensions} and ${wanted.metric}`,
      { details: { expected: [saved.dimensions, saved.metric], actual: [wanted.dimensions, wanted.metric] } },
    )
}

function sameGraph(saved: GraphSettings, wanted: GraphSettings): boolean {
  return (
    saved.quantization === wanted.quantization &&
    saved.connectivity === wanted.connectivity &&
    saved.expansionAdd === wanted.expansionAdd
  )
}

async function snapshotsIn(directory: string): Promise<{ name: string; number: number }[]> {
  const names = await readdir(directory)
  const found = names.flatMap((name) => {
    const match = /^snapshot-(\d{12})\.json$/.exec(name)
    return match === null ? [] : [{ name, number: Number(match[1]) }]
  })
  return found.sort((a, b) => a.number - b.number)
}

/** Removes files of ours that nothing names any more; graphs only where none is being built, which would be among them. */
async function removeOthers(
  directory: string,
  kept: readonly (string | undefined)[],
  keeper: GraphKeeper,
): Promise<void> {
  const names = await readdir(directory)
  const isBuilding = keeper.isWorking
  const needed = [...kept, currentFile(keeper)]
  for (const name of names)
    if (NAME.test(name) && !needed.includes(name) && !(isBuilding && name.startsWith('graph-')))
      await unlink(join(directory, name)).catch(() => undefined)
}

function damaged(name: string, reason: string, cause?: unknown): GroundlineError {
  return new GroundlineError(
    'CORRUPT_DATA',
    `the index file ${name} is damaged: ${reason}; empty the folder and add the entries again`,
    { cause, details: { file: name } },
  )
}

import { createHash } from 'node:crypto'
import { open, readdir, readFile, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Metadata } from '../../document.ts'
import { GroundlineError, isGroundlineError } from '../../errors.ts'
import type { VectorTable } from '../../internal/vector-table.ts'
import type { VectorEntry } from '../../vector-index/vector-index.ts'
import type { Calibration } from './calibration.ts'
import { Graph, usualWidth, viewGraph } from './graph.ts'
import { newFileName, type PublishedFile, publishBytes, verifyFile } from './graph-file.ts'
import type { GraphKeeper } from './graph-keeper.ts'
import type { GraphSettings, NativeModule } from './native-graph.ts'

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

type Line = readonly [id: string, key: number | null, metadata: Metadata | null]

const BATCH = 1_024
const NAME = /^(?:snapshot-\d{12}\.json|vectors-[0-9a-f]{24}\.f32|graph-[0-9a-f]{24}\.usearch)(?:\.tmp)?$/

/** Writes entries, vectors and the graph's measurements under new names; the list that names them comes last. */
export async function saveSnapshot<M extends Metadata>(
  context: SnapshotContext<M>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { directory, table, keeper, settings } = context
  const { graph } = keeper
  const entries = Array.from(table.entries.entries())
  const vectors = await publishBytes(join(directory, `${newFileName('vectors')}.f32`), rowsOf(table, entries, signal))
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
  const lines = entries.map(([id, slot]): string => {
    const line: Line = [id, keeper.keys.keyOf(slot) ?? null, table.entries.metadataAt(slot) ?? null]
    return JSON.stringify(line)
  })
  const body = Buffer.from([JSON.stringify(header), ...lines].join('\n'))
  const digest = Buffer.from(`${createHash('sha256').update(body).digest('hex')}\n`)
  const number = (await snapshotsIn(directory)).at(-1)?.number ?? 0
  const name = `snapshot-${String(number + 1).padStart(12, '0')}.json`
  await publishBytes(join(directory, name), [digest, body])
  keeper.savedFile = graph?.origin.file?.name
  await removeOthers(directory, [name, vectors.name, graph?.origin.file?.name, currentFile(keeper)])
}

/**
 * Opens the newest snapshot, if there is one. Damaged entries or vectors are `CORRUPT_DATA`; a damaged graph is left
 * out, to be built again.
 */
export async function openSnapshot<M extends Metadata>(
  context: SnapshotContext<M> & { readonly native: NativeModule },
): Promise<void> {
  const { directory, table, keeper, settings, native } = context
  const newest = (await snapshotsIn(directory)).at(-1)
  if (newest === undefined) return
  const { header, lines } = parseSnapshot(newest.name, await readFile(join(directory, newest.name)))
  requireSame(header.settings, settings)
  const slots = new Int32Array(header.graph?.keys ?? 0).fill(-1)
  await verifyFile(directory, header.vectors)
  await readEntries(context, header, lines)
  for (const [id, key] of lines) if (key !== null && key < slots.length) slots[key] = table.entries.slotOf(id) ?? -1
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
    } catch (error) {
      if (!isGroundlineError(error) || error.code !== 'CORRUPT_DATA') throw error
    }
  }
  await removeOthers(directory, [newest.name, header.vectors.name, currentFile(keeper)])
}

function currentFile(keeper: GraphKeeper): string | undefined {
  return keeper.graph?.origin.file?.name
}

async function readEntries<M extends Metadata>(
  { directory, table }: SnapshotContext<M>,
  header: Header,
  lines: readonly Line[],
): Promise<void> {
  const rowBytes = table.dimensions * 4
  const file = await open(join(directory, header.vectors.name), 'r')
  try {
    for (let from = 0; from < lines.length; from += BATCH) {
      const part = lines.slice(from, from + BATCH)
      const rows = new Float32Array(part.length * table.dimensions)
      const { bytesRead } = await file.read(new Uint8Array(rows.buffer), 0, rows.byteLength, from * rowBytes)
      if (bytesRead !== rows.byteLength) throw damaged(header.vectors.name, 'it ends too early')
      const entries = part.map(([id, , metadata], i): VectorEntry<M> => {
        const vector = rows.subarray(i * table.dimensions, (i + 1) * table.dimensions)
        return metadata === null ? { id, vector } : { id, vector, metadata: metadata as M }
      })
      await table.upsert(entries)
    }
  } finally {
    await file.close()
  }
}

function* rowsOf<M extends Metadata>(
  table: VectorTable<M>,
  entries: readonly (readonly [string, number])[],
  signal: AbortSignal | undefined,
): Generator<Uint8Array> {
  for (let from = 0; from < entries.length; from += BATCH) {
    signal?.throwIfAborted()
    const part = entries.slice(from, from + BATCH)
    const rows = new Float32Array(part.length * table.dimensions)
    part.forEach(([, slot], i) => {
      rows.set(table.vectorAt(slot), i * table.dimensions)
    })
    yield new Uint8Array(rows.buffer)
  }
}

function parseSnapshot(name: string, bytes: Buffer): { header: Header; lines: Line[] } {
  const body = bytes.subarray(65)
  const digest = createHash('sha256').update(body).digest('hex')
  if (bytes.subarray(0, 65).toString('latin1') !== `${digest}\n`) throw damaged(name, 'its digest does not fit')
  const [head, ...rest] = body.toString('utf8').split('\n')
  const header = JSON.parse(head!) as Header
  if (header.format !== 1)
    throw new GroundlineError('UNSUPPORTED_FORMAT', `the index file ${name} has format ${String(header.format)}, not 1`)
  return { header, lines: rest.map((line) => JSON.parse(line) as Line) }
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

/** Removes files of ours that nothing names any more. */
async function removeOthers(directory: string, kept: readonly (string | undefined)[]): Promise<void> {
  for (const name of await readdir(directory))
    if (NAME.test(name) && !kept.includes(name)) await unlink(join(directory, name)).catch(() => undefined)
}

function damaged(name: string, reason: string): GroundlineError {
  return new GroundlineError(
    'CORRUPT_DATA',
    `the index file ${name} is damaged: ${reason}; empty the folder and add the entries again`,
    { details: { file: name } },
  )
}

import type { AbortOptions, Metadata } from '../document.ts'
import { lastAtMost } from '../internal/last-at-most.ts'
import type { VectorBlock } from '../vector-index/vector-index.ts'
import { columnOf, type Row, type RowBody, startsOf } from './catalogue.ts'
import type { Damage, DocumentVectors } from './corpus.ts'
import type { CorpusState } from './corpus-state.ts'
import { spaceKey } from './manifest.ts'
import { RECORD, type Segment, vectorsOf } from './segment.ts'
import type { ReadOptions } from './storage.ts'

/** How many bytes of a segment are read in one go: enough that opening the file costs little, few enough that the event loop goes on. */
const READ_BYTES = 4 << 20
/** Two reads are under way or in use at a time, each in memory of its own. */
const READS = 2

const NOTHING: Metadata = Object.freeze({})

/** Documents of one read with their vectors. */
interface ReadDocuments {
  readonly rows: readonly Row[]
  /** The vectors of all, one after the other. */
  readonly vectors: Float32Array
}

/** The vectors of a state without any text, by document. */
export async function* readVectors<M extends Metadata>(
  state: CorpusState,
  report: (damage: Damage) => void,
  options: AbortOptions = {},
): AsyncGenerator<DocumentVectors<M>> {
  const dimensions = state.snapshot.space?.dimensions ?? 0
  for await (const { rows, vectors } of readRuns(state, report, options)) {
    let first = 0
    for (const row of rows) {
      const start = first
      first += row.chunkCount
      const { chunks } = row.body
      const own = chunks.map((_, at) => vectors.subarray((start + at) * dimensions, (start + at + 1) * dimensions))
      const metadata = chunks.map((_, index) => metadataOf<M>(row.body, index))
      yield { documentId: row.id, ids: chunks.map(([id]) => id), vectors: own, metadata }
    }
  }
}

/** The vectors of a state without any text, in blocks of some hundred. Each block's array is used again for the next. */
export async function* readVectorBlocks<M extends Metadata>(
  state: CorpusState,
  report: (damage: Damage) => void,
  options: AbortOptions = {},
): AsyncGenerator<VectorBlock<M>> {
  for await (const { rows, vectors } of readRuns(state, report, options, 'one array')) {
    const chunkCounts = columnOf(rows, ({ chunkCount }) => chunkCount)
    const [starts, count] = startsOf(chunkCounts, 0)
    const placeOf = (at: number) => {
      const row = lastAtMost(starts, at, (start) => start)
      return { body: rows[row]!.body, index: at - starts[row]! }
    }
    yield {
      count,
      vectors,
      idAt: (at) => {
        const { body, index } = placeOf(at)
        return body.chunks[index]![0]
      },
      metadataAt: (at) => {
        const { body, index } = placeOf(at)
        return metadataOf<M>(body, index)
      },
    }
  }
}

/** Segment by segment, in large sequential reads, one of which is under way while the one before is looked at. */
async function* readRuns(
  { segments, documents, snapshot: { space } }: CorpusState,
  report: (damage: Damage) => void,
  options: AbortOptions,
  arrays: 'one array' | 'an array each' = 'an array each',
): AsyncGenerator<ReadDocuments> {
  if (!space) return
  const runs = segments
    .filter(({ ref }) => ref.space === spaceKey(space))
    .flatMap((segment) =>
      runsOf(segment.rows.filter((row) => row.vectorsAt && documents.get(row.id)?.row === row)).map((rows) => ({
        segment,
        rows,
      })),
    )
  const memories = Array.from({ length: runs.length > READS ? READS : 0 }, () => new Uint8Array(READ_BYTES))
  const read = (at: number) => {
    const run = runs[at]
    const reading = run && readRun(run.segment, run.rows, { ...options, into: memories[at % READS] })
    reading?.catch(() => undefined)
    return reading
  }
  let buffer = new Float32Array(0)
  let next = read(0)
  for (const [at, { segment, rows }] of runs.entries()) {
    options.signal?.throwIfAborted()
    const records = (await next)!
    next = read(at + 1)
    const whole = rows.filter((_, index) => records[index] !== undefined)
    const values = whole.reduce((sum, { chunkCount }) => sum + chunkCount, 0) * space.dimensions
    if (arrays === 'an array each' || buffer.length < values) buffer = new Float32Array(values)
    const vectors = buffer.subarray(0, values)
    const bytes = new Uint8Array(vectors.buffer)
    let filled = 0
    for (const [index, row] of rows.entries()) {
      const record = records[index]
      if (record) {
        requireLength(record, row, space.dimensions, segment.ref.name)
        bytes.set(record, filled)
        filled += record.length
        continue
      }
      const { offset } = row.vectorsAt!
      const message = `${segment.ref.name} is damaged at byte ${offset}: put document ${JSON.stringify(row.id)} again`
      report({ file: segment.ref.name, offset, documents: [row.id], message })
    }
    yield { rows: whole, vectors }
  }
}

/** Throws as {@link vectorsOf} does. */
function requireLength(bytes: Uint8Array, row: Row, dimensions: number, file: string): void {
  if (bytes.length !== row.chunkCount * dimensions * 4) vectorsOf(bytes, row, dimensions, file)
}

function metadataOf<M extends Metadata>({ chunks, metadata }: RowBody, index: number): M {
  return (chunks[index]![5]?.metadata ?? metadata ?? NOTHING) as M
}

async function readRun(
  segment: Segment,
  run: readonly Row[],
  options: ReadOptions,
): Promise<readonly (Uint8Array | undefined)[]> {
  const reader = await segment.reader()
  return reader.records(
    run.map((row) => row.vectorsAt!),
    RECORD.vectors,
    options,
  )
}

/** Rows whose vectors lie within one read. */
function runsOf(rows: readonly Row[]): readonly (readonly Row[])[] {
  const runs: Row[][] = []
  let start = 0
  for (const row of rows) {
    const { offset, length } = row.vectorsAt!
    const run = runs.at(-1)
    if (run && offset + length - start <= READ_BYTES) run.push(row)
    else {
      runs.push([row])
      start = offset
    }
  }
  return runs
}

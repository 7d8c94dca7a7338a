import type { AbortOptions, Metadata } from '../document.ts'
import type { Damage, DocumentVectors } from './corpus.ts'
import type { CorpusState } from './corpus-state.ts'
import { spaceKey } from './manifest.ts'
import { RECORD, type Row, type Segment, vectorsOf } from './segment.ts'

/** How many bytes of a segment are read in one go. */
const READ_BYTES = 8 << 20

/** The vectors of a state without any text: segment by segment, in large sequential reads. */
export async function* readVectors<M extends Metadata>(
  { segments, documents, snapshot }: CorpusState,
  report: (damage: Damage) => void,
  options: AbortOptions = {},
): AsyncGenerator<DocumentVectors<M>> {
  const { space } = snapshot
  if (!space) return
  for (const segment of segments) {
    if (segment.ref.space !== spaceKey(space)) continue
    const living = segment.rows.filter((row) => row.vectorsAt && documents.get(row.id)?.row === row)
    for (const run of runsOf(living)) {
      options.signal?.throwIfAborted()
      const records = await readRun(segment, run, options)
      for (const [index, row] of run.entries()) {
        const bytes = records[index]
        if (!bytes) {
          const { offset } = row.vectorsAt!
          const message = `${segment.ref.name} is damaged at byte ${offset}: put document ${JSON.stringify(row.id)} again`
          report({ file: segment.ref.name, offset, documents: [row.id], message })
          continue
        }
        yield {
          documentId: row.id,
          ids: row.chunks.map(([id]) => id),
          vectors: vectorsOf(bytes, row, space.dimensions, segment.ref.name),
          metadata: row.chunks.map(([, , , , , extra]) => (extra?.metadata ?? row.metadata ?? {}) as M),
        }
      }
    }
  }
}

async function readRun(
  segment: Segment,
  run: readonly Row[],
  options: AbortOptions,
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

import type { AbortOptions, Document, Metadata } from '../document.ts'
import { GroundlineError, isGroundlineError } from '../errors.ts'
import { sha256Hex } from '../internal/hash.ts'
import type { StoredChunk } from '../retriever/retriever.ts'
import {
  damaged,
  type FileReader,
  FRAME_BYTES,
  newFile,
  openFile,
  type RecordPlace,
  requireKnownFormat,
} from './container.ts'
import type { SegmentRef } from './manifest.ts'
import type { Sealer } from './sealer.ts'
import type { Storage } from './storage.ts'

/** Kinds of record in a segment. */
export const RECORD = { document: 1, vectors: 2, catalogue: 3 } as const

/** A chunk without its text: that is a slice of its document's. */
export type ChunkRow = readonly [
  id: string,
  start: number,
  end: number,
  tokenCount?: number | null,
  headingPath?: readonly string[] | null,
  /** Members that differ from what the document gives. */
  extra?: { readonly metadata?: Metadata } | null,
]

/** What a catalogue says of a document. */
export interface Row {
  readonly id: string
  readonly version: string
  readonly fingerprint: string
  readonly uri?: string | undefined
  readonly title?: string | undefined
  readonly metadata?: Metadata | undefined
  readonly scope?: string | undefined
  readonly revision?: string | undefined
  readonly pipeline?: string | undefined
  readonly expires?: string | undefined
  /** Segment and offset where it was written first, when compaction has copied it since. */
  readonly origin?: string | undefined
  /** In a candidate, and what was promoted from it: the {@link originOf} the document that was embedded again. */
  readonly from?: string | undefined
  readonly chunks: readonly ChunkRow[]
  /** Place of the document's record; in a catalogue counted from the end of its first copy. */
  readonly at: RecordPlace
  /** Place of its vectors, one after the other as little-endian float32; absent without vectors. */
  readonly vectorsAt?: RecordPlace | undefined
}

/** A document as its record holds it: the row without places, and what the row leaves out. */
export interface DocumentRecordBody extends Omit<Row, 'at' | 'vectorsAt'> {
  readonly text: string
  readonly outline?: Document['outline']
  readonly sourceMap?: Document['sourceMap']
}

interface Catalogue {
  readonly rows: readonly Row[]
  readonly removed: readonly string[]
}

/** An opened segment. */
export interface Segment {
  /** What the manifest says of it. */
  readonly ref: SegmentRef
  /** Its documents. */
  readonly rows: readonly Row[]
  /** Ids that it removes from earlier segments. */
  readonly removed: readonly string[]
  /** Reads its records. */
  reader(): Promise<FileReader>
  /** Where a chunk of it stands. The first call makes a map of all. */
  chunk(id: string): { readonly row: Row; readonly index: number } | undefined
  /** The same for some ids at once: what is asked once or twice after opening needs no map. */
  chunks(ids: ReadonlySet<string>): ReadonlyMap<string, { readonly row: Row; readonly index: number }>
}

/** A document on its way into a segment. */
export interface SegmentDocument {
  /** Its row, without places. */
  readonly row: Omit<Row, 'at' | 'vectorsAt'>
  /** Its record: a {@link DocumentRecordBody} as JSON. */
  readonly record: Uint8Array
  /** Its vectors as little-endian float32; absent without. */
  readonly vectors?: Uint8Array | undefined
}

/** What goes into a new segment. */
export interface SegmentContent {
  /** In the order they are stored. */
  readonly documents: readonly SegmentDocument[]
  /** Ids it removes from earlier segments. */
  readonly removed: readonly string[]
  /** {@link spaceKey} of the vectors. */
  readonly space: string
  /** See {@link SegmentRef.supersedes}. */
  readonly supersedes: readonly string[]
}

/** A segment as it was laid out. */
export interface BuiltSegment {
  /** The file. */
  readonly bytes: Uint8Array
  /** What a manifest says of it. */
  readonly ref: SegmentRef
  /** Its catalogue's rows. */
  readonly rows: readonly Row[]
  /** Its catalogue's removals. */
  readonly removed: readonly string[]
}

/** A fresh segment name. */
export function segmentName(): string {
  const random = crypto.getRandomValues(new Uint8Array(16))
  return `segments/${Array.from(random, (byte) => byte.toString(16).padStart(2, '0')).join('')}.seg`
}

const SEGMENT_NAME = /^segments\/[0-9a-f]{32}\.seg$/

/** Whether a file is a segment by its name. */
export function isSegmentName(name: string): boolean {
  return SEGMENT_NAME.test(name)
}

/**
 * Lays out a segment: the catalogue, the documents, their vectors side by side (so that a scan reads them in one go),
 * and the catalogue again. Either copy of the catalogue is enough to read the rest.
 */
export async function buildSegment(name: string, content: SegmentContent, sealer: Sealer): Promise<BuiltSegment> {
  const file = await newFile(name, 'SEG1', sealer)
  const { documents, removed, space } = content
  const extra = FRAME_BYTES + sealer.overhead
  let length = 0
  const place = (bytes: number): RecordPlace => {
    const made = { offset: length, length: bytes + extra }
    length += made.length
    return made
  }
  const places = documents.map(({ record }) => place(record.length))
  const relative = documents.map(({ row, vectors }, index): Row => {
    const vectorsAt = vectors && vectors.length > 0 ? place(vectors.length) : undefined
    return { ...row, at: places[index]!, vectorsAt }
  })
  const catalogue: Catalogue = { rows: relative, removed }
  const record = new TextEncoder().encode(JSON.stringify(catalogue))
  const first = await file.add(RECORD.catalogue, record)
  for (const document of documents) await file.add(RECORD.document, document.record)
  for (const { vectors } of documents) if (vectors && vectors.length > 0) await file.add(RECORD.vectors, vectors)
  const second = await file.add(RECORD.catalogue, record)
  const bytes = file.bytes()
  const ref: SegmentRef = {
    name,
    length: bytes.length,
    digest: sha256Hex(record),
    catalogues: [first, second],
    salt: hexOf(file.salt),
    epoch: sealer.epoch,
    documents: relative.length,
    supersedes: content.supersedes,
    space: relative.some((row) => row.vectorsAt) ? space : '',
  }
  makeAbsolute(relative, ref)
  return { bytes, ref, rows: relative, removed }
}

/** Counts the places of rows from the start of the file. */
function makeAbsolute(
  rows: readonly { at: RecordPlace; vectorsAt?: RecordPlace | undefined }[],
  { catalogues }: SegmentRef,
): void {
  const base = catalogues[0]!.offset + catalogues[0]!.length
  for (const row of rows) {
    row.at = { offset: base + row.at.offset, length: row.at.length }
    if (row.vectorsAt) row.vectorsAt = { offset: base + row.vectorsAt.offset, length: row.vectorsAt.length }
  }
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

async function readerOf(
  storage: Storage,
  ref: SegmentRef,
  sealer: Sealer,
  options?: AbortOptions & { readonly whole?: Uint8Array },
): Promise<FileReader> {
  const salt = Uint8Array.from({ length: ref.salt.length / 2 }, (_, at) =>
    Number.parseInt(ref.salt.slice(2 * at, 2 * at + 2), 16),
  )
  return openFile(storage, ref.name, 'SEG1', sealer, { ...options, header: { salt, epoch: ref.epoch } })
}

/** A segment whose rows are known because it was just written. */
export function writtenSegment(storage: Storage, sealer: Sealer, { ref, rows, removed }: BuiltSegment): Segment {
  return segmentOf(ref, rows, removed, () => readerOf(storage, ref, sealer))
}

/** Reads a segment's catalogue from whichever copy is whole. Throws `CORRUPT_DATA`. */
export async function openSegment(
  storage: Storage,
  ref: SegmentRef,
  sealer: Sealer,
  options?: AbortOptions,
): Promise<Segment> {
  const reader = await readerOf(storage, ref, sealer, options)
  for (const [copy, place] of ref.catalogues.entries()) {
    try {
      let from = reader
      if (copy === 0) {
        // With the header before it, in one read: a segment of a newer format is not to be read as one of this.
        const whole = await storage.read(ref.name, { start: 0, end: place.offset + place.length }, options)
        requireKnownFormat(whole, ref.name)
        from = await readerOf(storage, ref, sealer, { ...options, whole })
      }
      const record = await from.record(place, RECORD.catalogue, options)
      if (sha256Hex(record) !== ref.digest) continue
      const { rows, removed }: Catalogue = JSON.parse(new TextDecoder().decode(record))
      makeAbsolute(rows, ref)
      return segmentOf(ref, rows, removed, async () => reader)
    } catch (error) {
      if (isGroundlineError(error) && error.code === 'NOT_FOUND') throw damaged(ref.name, 0, 'the file is missing')
      if (!isGroundlineError(error) || error.code !== 'CORRUPT_DATA') throw error
    }
  }
  throw damaged(ref.name, ref.catalogues[0]?.offset ?? 0, 'neither copy of the catalogue is the one the manifest names')
}

/** A map of a segment's chunks costs as much as this many times looking through them, and some more. */
const SCANS = 4

function segmentOf(
  ref: SegmentRef,
  rows: readonly Row[],
  removed: readonly string[],
  open: () => Promise<FileReader>,
): Segment {
  let reader: Promise<FileReader> | undefined
  let rowOf: Map<string, Row> | undefined
  let scans = 0
  const chunk = (id: string) => {
    if (!rowOf) {
      rowOf = new Map()
      for (const row of rows) for (const [chunkId] of row.chunks) rowOf.set(chunkId, row)
    }
    const row = rowOf.get(id)
    return row && { row, index: row.chunks.findIndex(([chunkId]) => chunkId === id) }
  }
  return {
    ref,
    rows,
    removed,
    reader: async () => {
      reader ??= open()
      try {
        return await reader
      } catch (error) {
        reader = undefined
        throw error
      }
    },
    chunk,
    chunks: (ids) => {
      const found = new Map<string, { row: Row; index: number }>()
      if (rowOf || ++scans > SCANS) {
        for (const id of ids) {
          const place = chunk(id)
          if (place) found.set(id, place)
        }
        return found
      }
      for (const row of rows)
        for (let index = 0; index < row.chunks.length; index++) {
          const [id] = row.chunks[index]!
          if (ids.has(id)) found.set(id, { row, index })
        }
      return found
    },
  }
}

/** Names what was written: the same for all copies that compaction made of it. */
export function originOf({ origin, at }: Row, { name }: SegmentRef): string {
  return origin ?? `${name}:${at.offset}`
}

/** A chunk put together again from its row and its document's text. */
export function chunkOf(row: Row, index: number, text: string): StoredChunk {
  const [id, start, end, tokenCount, headingPath, extra] = row.chunks[index]!
  return {
    id,
    documentId: row.id,
    documentVersion: row.version,
    text: text.slice(start, end),
    start,
    end,
    ...(typeof tokenCount === 'number' && { tokenCount }),
    ...(headingPath && { headingPath }),
    metadata: row.metadata ?? {},
    ...extra,
    source: { ...(row.uri !== undefined && { uri: row.uri }), ...(row.title !== undefined && { title: row.title }) },
  }
}

/** The vectors of one record as views of one array. Throws `CORRUPT_DATA` when they are not as many as the chunks. */
export function vectorsOf(bytes: Uint8Array, row: Row, dimensions: number, file: string): readonly Float32Array[] {
  if (bytes.length !== row.chunks.length * dimensions * 4) {
    throw new GroundlineError('CORRUPT_DATA', `${file} holds ${bytes.length} bytes of vectors for ${row.id}`, {
      details: { file, documents: [row.id], expected: row.chunks.length * dimensions * 4, actual: bytes.length },
    })
  }
  const all = new Float32Array(row.chunks.length * dimensions)
  new Uint8Array(all.buffer).set(bytes)
  return row.chunks.map((_, index) => all.subarray(index * dimensions, (index + 1) * dimensions))
}

import type { AbortOptions, Document } from '../document.ts'
import { GroundlineError, isGroundlineError } from '../errors.ts'
import { sha256Hex } from '../internal/hash.ts'
import type { StoredChunk } from '../retriever/retriever.ts'
import { type Catalogue, decodeCatalogue, encodeCatalogue, type NewRow, type Row, type RowBody } from './catalogue.ts'
import { damaged, type FileReader, FRAME_BYTES, newFile, openFile, requireKnownFormat } from './container.ts'
import type { SegmentRef } from './manifest.ts'
import type { Sealer } from './sealer.ts'
import type { Storage } from './storage.ts'

/** Kinds of record in a segment. */
export const RECORD = { document: 1, vectors: 2, catalogue: 3 } as const

/** A document as its record holds it: the row, and what the row leaves out. */
export interface DocumentRecordBody extends RowBody {
  readonly text: string
  readonly outline?: Document['outline']
  readonly sourceMap?: Document['sourceMap']
}

/** An opened segment. */
export interface Segment extends Catalogue {
  /** What the manifest says of it. */
  readonly ref: SegmentRef
  /** Reads its records. */
  reader(): Promise<FileReader>
}

/** A document on its way into a segment. */
export interface SegmentDocument {
  /** Its row. */
  readonly row: RowBody
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
  /** The record of what is in it. */
  readonly catalogue: Uint8Array
  /** What it says of each document. */
  readonly bodies: readonly RowBody[]
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
  const rows = documents.map(({ row, record, vectors }): NewRow => {
    const vectorsLength = vectors && vectors.length > 0 ? vectors.length + extra : 0
    return { body: row, length: record.length + extra, vectorsLength }
  })
  const record = encodeCatalogue(rows, removed)
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
    documents: rows.length,
    supersedes: content.supersedes,
    space: rows.some(({ vectorsLength }) => vectorsLength > 0) ? space : '',
  }
  return { bytes, ref, catalogue: record, bodies: documents.map(({ row }) => row) }
}

/** Where the records that a catalogue tells of begin. */
function baseOf({ catalogues }: SegmentRef): number {
  return catalogues[0]!.offset + catalogues[0]!.length
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

/**
 * A segment whose rows are known because it was just written. `as objects` they are at hand for who follows a commit, and take
 * about twice the memory of `as bytes`, which are decoded when they are asked for.
 */
export function writtenSegment(
  storage: Storage,
  sealer: Sealer,
  { ref, catalogue, bodies }: BuiltSegment,
  rows: 'as objects' | 'as bytes',
): Segment {
  const decoded = decodeCatalogue(catalogue, baseOf(ref), rows === 'as objects' ? bodies : undefined)
  return segmentOf(ref, decoded, () => readerOf(storage, ref, sealer))
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
      return segmentOf(ref, decodeCatalogue(record, baseOf(ref)), async () => reader)
    } catch (error) {
      if (isGroundlineError(error) && error.code === 'NOT_FOUND') throw damaged(ref.name, 0, 'the file is missing')
      if (!isGroundlineError(error) || error.code !== 'CORRUPT_DATA') throw error
    }
  }
  throw damaged(ref.name, ref.catalogues[0]?.offset ?? 0, 'neither copy of the catalogue is the one the manifest names')
}

function segmentOf(ref: SegmentRef, catalogue: Catalogue, open: () => Promise<FileReader>): Segment {
  let reader: Promise<FileReader> | undefined
  return {
    ...catalogue,
    ref,
    reader: async () => {
      reader ??= open()
      try {
        return await reader
      } catch (error) {
        reader = undefined
        throw error
      }
    },
  }
}

/** Names what was written: the same for all copies that compaction made of it. */
export function originOf({ body, at }: Row, { name }: SegmentRef): string {
  return body.origin ?? `${name}:${at.offset}`
}

/** A chunk put together again from its row and its document's text. */
export function chunkOf({ body: row }: Row, index: number, text: string): StoredChunk {
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
  if (bytes.length !== row.chunkCount * dimensions * 4) {
    throw new GroundlineError('CORRUPT_DATA', `${file} holds ${bytes.length} bytes of vectors for ${row.id}`, {
      details: { file, documents: [row.id], expected: row.chunkCount * dimensions * 4, actual: bytes.length },
    })
  }
  const all = new Float32Array(row.chunkCount * dimensions)
  new Uint8Array(all.buffer).set(bytes)
  return Array.from({ length: row.chunkCount }, (_, index) =>
    all.subarray(index * dimensions, (index + 1) * dimensions),
  )
}

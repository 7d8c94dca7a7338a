import type { AbortOptions } from '../document.ts'
import { GroundlineError } from '../errors.ts'
import { joinBytes } from '../internal/join-bytes.ts'
import { crc32c } from './crc32c.ts'
import type { FileSealer, Sealer } from './sealer.ts'
import type { ReadOptions, Storage } from './storage.ts'

/** The newest file format this version reads and the one it writes. */
export const FORMAT = 2

/** Kinds of file, as the second half of their magic. */
export type FileKind = 'SEG1' | 'MAN1' | 'KEY1' | 'DER1' | 'AUD1'

/**
 * Every file of a corpus: a 40-byte header, then records.
 *
 * ```text
 * header   "GRND" kind(4)  format u16  sealer u16  epoch u32  salt(16)  0 u32  crc32c u32
 * record   length u32 (of the sealed bytes)  kind u32  sealed bytes
 * ```
 *
 * Numbers are little-endian. The header's checksum covers its first 36 bytes.
 */
export const HEADER_BYTES = 40
/** Bytes before each record's sealed bytes. */
export const FRAME_BYTES = 8

/** Where a record stands in its file: its frame included. */
export interface RecordPlace {
  /** First byte of its frame. */
  readonly offset: number
  /** Bytes of frame and sealed record. */
  readonly length: number
}

/** Collects the records of a new file. */
export interface FileWriter {
  /** The file's salt. */
  readonly salt: Uint8Array
  /** Seals a record and says where it will stand. */
  add(kind: number, record: Uint8Array): Promise<RecordPlace>
  /** The bytes of the file so far. */
  bytes(): Uint8Array
}

/** Reads records of a file whose header was checked. */
export interface FileReader {
  /** The record at a place. Throws `CORRUPT_DATA` when it is damaged. */
  record(place: RecordPlace, kind: number, options?: AbortOptions): Promise<Uint8Array>
  /** The records of a range read in one go; undefined stands for a damaged one. They may be views of `into`. */
  records(
    places: readonly RecordPlace[],
    kind: number,
    options?: ReadOptions,
  ): Promise<readonly (Uint8Array | undefined)[]>
}

/** Starts a file under a fresh salt. */
export async function newFile(name: string, kind: FileKind, sealer: Sealer): Promise<FileWriter> {
  const salt = crypto.getRandomValues(new Uint8Array(16))
  const header = new Uint8Array(HEADER_BYTES)
  const view = new DataView(header.buffer)
  new TextEncoder().encodeInto(`GRND${kind}`, header)
  view.setUint16(8, FORMAT, true)
  view.setUint16(10, sealer.kind, true)
  view.setUint32(12, sealer.epoch, true)
  header.set(salt, 16)
  view.setUint32(36, crc32c(header.subarray(0, 36)), true)
  const seals = await sealer.forFile({ name, salt, epoch: sealer.epoch })
  const parts: Uint8Array[] = [header]
  let length = HEADER_BYTES
  return {
    salt,
    add: async (recordKind, record) => {
      // Records are large: what a checksum follows is copied once, into the file.
      const trailer = seals.trailer?.(record, length, recordKind)
      const sealed = trailer ? [record, trailer] : [await seals.seal(record, length, recordKind)]
      const bytes = sealed.reduce((sum, part) => sum + part.length, 0)
      const frame = new DataView(new ArrayBuffer(FRAME_BYTES))
      frame.setUint32(0, bytes, true)
      frame.setUint32(4, recordKind, true)
      parts.push(new Uint8Array(frame.buffer), ...sealed)
      const place = { offset: length, length: FRAME_BYTES + bytes }
      length += place.length
      return place
    },
    bytes: () => joinBytes(parts),
  }
}

/** Checks a file's header and gives the reader of its records. `whole` saves reading what is in memory already. */
export async function openFile(
  storage: Storage,
  name: string,
  kind: FileKind,
  sealer: Sealer,
  options: AbortOptions & {
    readonly whole?: Uint8Array
    /** What the header says, when it is known from elsewhere: the header is then not read. */
    readonly header?: { readonly salt: Uint8Array; readonly epoch: number }
  } = {},
): Promise<FileReader> {
  const { whole } = options
  const read = async (start: number, end: number, each?: ReadOptions): Promise<Uint8Array> =>
    whole ? whole.subarray(start, end) : storage.read(name, { start, end }, each)
  const { salt, epoch } = options.header ?? checkHeader(await read(0, HEADER_BYTES, options), name, kind, sealer)
  const seals: FileSealer = await sealer.forFile({ name, salt, epoch })

  /** The record of a place in bytes that begin at `base`. */
  const opened = (bytes: Uint8Array, base: number, place: RecordPlace, recordKind: number) => {
    const start = place.offset - base
    const end = start + place.length
    if (place.length < FRAME_BYTES || end > bytes.length) return undefined
    if (numberAt(bytes, start) !== place.length - FRAME_BYTES || numberAt(bytes, start + 4) !== recordKind)
      return undefined
    return seals.open(bytes.subarray(start + FRAME_BYTES, end), place.offset, recordKind)
  }

  return {
    record: async (place, recordKind, each) => {
      const bytes = await read(place.offset, place.offset + place.length, each)
      const record = await opened(bytes, place.offset, place, recordKind)
      if (record) return record
      throw damaged(name, place.offset, 'a record does not match its seal')
    },
    records: async (places, recordKind, each) => {
      const first = places[0]
      const last = places.at(-1)
      if (!first || !last) return []
      const bytes = await read(first.offset, last.offset + last.length, each)
      const results: (Uint8Array | undefined)[] = []
      for (const place of places) {
        each?.signal?.throwIfAborted()
        // A promise a record would cost more than a checksum does.
        const record = opened(bytes, first.offset, place, recordKind)
        results.push(record instanceof Promise ? await record : record)
      }
      return results
    },
  }
}

/** A 32-bit number, low byte first. */
function numberAt(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
}

function checkHeader(
  header: Uint8Array,
  name: string,
  kind: FileKind,
  sealer: Sealer,
): { salt: Uint8Array; epoch: number } {
  if (header.length < HEADER_BYTES)
    throw damaged(name, 0, `the file has ${header.length} of ${HEADER_BYTES} header bytes`)
  const view = new DataView(header.buffer, header.byteOffset)
  const intact = view.getUint32(36, true) === crc32c(header.subarray(0, 36))
  if (!intact || new TextDecoder().decode(header.subarray(0, 8)) !== `GRND${kind}`) {
    throw damaged(name, 0, 'the header does not match its checksum or kind')
  }
  requireKnownFormat(header, name)
  const sealedBy = view.getUint16(10, true)
  if (sealedBy !== sealer.kind) {
    throw new GroundlineError(
      'INVALID_ARGUMENT',
      sealedBy === 1
        ? `${name} is encrypted: open the corpus with its key`
        : `${name} is not encrypted, but a key was given: open the corpus without one`,
      { details: { file: name, expected: sealer.kind, actual: sealedBy } },
    )
  }
  return { salt: header.slice(16, 32), epoch: view.getUint32(12, true) }
}

/** Throws `UNSUPPORTED_FORMAT` for a file of a newer format. A header that is damaged says nothing of it. */
export function requireKnownFormat(header: Uint8Array, name: string): void {
  if (header.length < HEADER_BYTES) return
  const view = new DataView(header.buffer, header.byteOffset)
  const format = view.getUint16(8, true)
  if (format <= FORMAT || view.getUint32(36, true) !== crc32c(header.subarray(0, 36))) return
  throw new GroundlineError(
    'UNSUPPORTED_FORMAT',
    `${name} has format ${format}; this version reads formats up to ${FORMAT}: update groundline`,
    { details: { file: name, expected: FORMAT, actual: format } },
  )
}

/** The error of a file whose bytes are not those that were written. */
export function damaged(file: string, offset: number, what: string): GroundlineError {
  return new GroundlineError(
    'CORRUPT_DATA',
    `${file} is damaged at byte ${offset}: ${what}; restore it from a backup, or sync its documents again`,
    { details: { file, offset } },
  )
}
